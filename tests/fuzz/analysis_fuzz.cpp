#include "fuzz/fuzz.h"
#include "record/analysis.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = smcl::fuzz;
  namespace record = smcl::record;
  fuzz::takes([&] {
    const auto read = record::parse_analysis(fuzz::as_text(data, size), "analysis.json");
    const nlohmann::json stored = record::to_json(read);
    fuzz::require(record::to_json(record::parse_analysis(stored.dump(), "again")) == stored,
                  "a stored analysis comes back");
  });
  return 0;
}
