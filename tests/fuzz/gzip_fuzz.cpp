#include "format/file.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = smcl::fuzz;
  constexpr std::size_t kLimit = 50000;
  fuzz::takes([&] {
    const auto unpacked = smcl::format::unpack_maybe_gzip({data, data + size}, kLimit, "file");
    fuzz::require(unpacked.size() <= kLimit, "no more than the limit is unpacked");
    fuzz::touch(std::as_bytes(std::span(unpacked)));
  });
  return 0;
}
