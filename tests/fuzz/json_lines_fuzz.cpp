#include "format/json.h"
#include "fuzz/fuzz.h"
#include "record/run_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = smcl::fuzz;
  namespace format = smcl::format;
  const std::string_view text = fuzz::as_text(data, size);
  fuzz::takes([&] {
    const nlohmann::json value = format::parse_json(text, "summary.json");
    const std::string line = format::to_line(value);
    fuzz::require(line.find('\n') == std::string::npos, "one line");
    fuzz::require(format::parse_json(line, "again") == value, "a written value comes back");
  });
  // A resume writes the rows anew.
  fuzz::takes([&] {
    const auto rows = smcl::record::parse_metrics(text, "metrics.jsonl");
    std::string again;
    for (const auto& row : rows) again += format::to_line(row) + "\n";
    fuzz::require(smcl::record::parse_metrics(again, "again") == rows, "written rows come back");
  });
  return 0;
}
