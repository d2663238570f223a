#include "format/json.h"
#include "fuzz/fuzz.h"
#include "record/run_folder.h"
#include "train/run_point.h"

/// What a run folder keeps of how a run came about, and the point in a checkpoint.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = smcl::fuzz;
  namespace format = smcl::format;
  const std::string_view text = fuzz::as_text(data, size);
  fuzz::takes([&] { smcl::record::parse_fingerprint(text, "fingerprint.json"); });
  fuzz::takes([&] {
    const auto point = smcl::train::run_point_from(format::parse_json(text, "point"), "point");
    fuzz::require(point.epoch >= 0 && point.epoch <= 1'000'000'000, "epochs can be added to");
    const auto stored = smcl::train::to_json(point);
    fuzz::require(smcl::train::to_json(smcl::train::run_point_from(stored, "again")) == stored,
                  "a stored point comes back");
  });
  return 0;
}
