#include "fuzz/fuzz.h"
#include "record/sweep_file.h"

namespace fuzz = smcl::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string written;
  const bool read = fuzz::takes([&] {
    written = to_toml(smcl::record::parse_sweep(fuzz::as_text(data, size), "sweep.toml"));
  });
  if (!read) return 0;
  std::string again;
  fuzz::require(
      fuzz::takes([&] { again = to_toml(smcl::record::parse_sweep(written, "written.toml")); }),
      "a sweep that was written can be read");
  fuzz::require(again == written, "and is the same");
  return 0;
}
