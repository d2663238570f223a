#include "record/index_entry.h"

#include <cmath>

#include "core/config.h"
#include "core/config_text.h"
#include "core/error.h"
#include "record/run_folder.h"
#include "record/setting_kinds.h"

namespace smcl::record {
namespace {

void add_numbers(const nlohmann::json& object, const std::string& prefix,
                 std::map<std::string, double>& results) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix.empty() ? key : concat(prefix, ".", key);
    if (value.is_object()) {
      add_numbers(value, name, results);
    } else if (value.is_number()) {
      const double number = value.get<double>();
      if (std::isfinite(number)) results[name] = number;
    }
  }
}

/// An override has the last word, as in the file itself.
void read_settings(const RunFolder& folder, IndexedRun& run) {
  const auto document =
      config::Document::parse(folder.config(), (folder.path() / "config.toml").string());
  for (const auto& [key, entry] : document.entries()) {
    run.settings[key] = config::to_text(entry.value);
  }
}

}  // namespace

IndexedRun index_entry(const std::filesystem::path& root, const std::string& folder) {
  IndexedRun run;
  run.folder = folder;
  run.state = "unfinished";
  try {
    const RunFolder opened = RunFolder::open(root / folder);
    read_settings(opened, run);
    if (const auto name = run.settings.find("run.name"); name != run.settings.end()) {
      run.recipe = bare(name->second);
    }
    if (opened.finished()) {
      const nlohmann::json summary = opened.summary();
      add_numbers(summary, "", run.results);
      run.results.erase("format_version");
      run.state = "finished";
    } else if (const auto failure = opened.failure()) {
      run.state = "failed";
      run.reason = failure->reason;
    }
  } catch (const std::exception& problem) {
    run.state = "failed";
    run.reason = problem.what();
    run.results.clear();
  }
  return run;
}

}  // namespace smcl::record
