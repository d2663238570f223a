#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smcl::record {

/// What a value is: a share in [0, 1], a difference of shares in [-1, 1] (shown as points), or a
/// cosine or difference of cosines.
enum class Unit { share, points, cosine };
const char* unit_name(Unit unit);

/// One number about a run, with all that is needed to show it.
struct Measure {
  std::string key;    ///< unique, "neighbours.train.masked.few"
  std::string title;  ///< within its group
  std::string group;  ///< title of a section
  Unit unit = Unit::share;
  double value = 0.0;
  std::optional<double> low, high;  ///< of the interval
  std::optional<double> chance;     ///< what it would be if there were nothing to it
};

struct AnalysisPicture {
  std::string file;  ///< within the run folder
  std::string title;
  std::string caption;
};

/// The content of a run folder's analysis.json (docs/run-folder.md).
struct Analysis {
  std::string settings_hash;  ///< of the run
  nlohmann::json settings = nlohmann::json::object();
  std::vector<Measure> measures;
  std::vector<AnalysisPicture> pictures;
};

std::filesystem::path analysis_file(const std::filesystem::path& run);
/// Writes it, whole or not at all. Numbers are finite. Throws IoError, InternalError.
void write_analysis(const std::filesystem::path& run, const Analysis& analysis);
/// Nothing where there is no such file. Throws IoError, DataError.
std::optional<Analysis> read_analysis(const std::filesystem::path& run);

nlohmann::json to_json(const Analysis& analysis);
/// The same from text; `origin` names it in errors. Throws DataError where a field is missing, of
/// another type, or a picture's file leads out of the folder.
Analysis parse_analysis(std::string_view text, const std::string& origin);

}  // namespace smcl::record
