#include <algorithm>

#include "format/safetensors.h"
#include "fuzz/fuzz.h"
#include "fuzz/safetensors.h"

namespace {

using smcl::format::SafetensorsFile;
namespace fuzz = smcl::fuzz;

void check_same(const SafetensorsFile& a, const SafetensorsFile& b) {
  fuzz::require(a.tensors().size() == b.tensors().size(), "as many tensors come back");
  for (const auto& [name, entry] : a.tensors()) {
    const SafetensorsFile::Entry& other = b.at(name);
    fuzz::require(entry.dtype == other.dtype && entry.shape == other.shape &&
                      std::ranges::equal(a.bytes(entry), b.bytes(other)),
                  "a written tensor comes back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::takes([&] {
    const auto file = SafetensorsFile::parse(fuzz::as_bytes(data, size), "file");
    for (const auto& [name, entry] : file.tensors()) fuzz::touch(file.bytes(entry));
    fuzz::takes([&] { file.at("no such tensor"); });
    const auto again = fuzz::packed(fuzz::views_of(file), file.metadata());
    fuzz::require(fuzz::takes([&] { check_same(file, SafetensorsFile::parse(again, "again")); }),
                  "what is written can be read");
  });
  return 0;
}
