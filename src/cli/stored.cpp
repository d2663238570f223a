#include "cli/stored.h"

#include <filesystem>

#include "experiment/run.h"

namespace smcl::cli {

experiment::Recipe stored_recipe(const record::RunFolder& folder,
                                 const std::vector<std::string>& overrides) {
  const std::string file = (folder.path() / "config.toml").string();
  experiment::Recipe recipe = experiment::recipe_of(folder);
  if (overrides.empty()) return recipe;
  config::Document document = config::Document::parse(folder.config(), file);
  for (const std::string& assignment : overrides) document.set(assignment);
  return experiment::resolve_stored(document, "run");
}

std::string summary_problem(const std::string& run, const nlohmann::json::exception& problem) {
  std::string text = problem.what();  // "[json.exception.out_of_range.403] key 'last' not found"
  if (const auto end = text.find("] "); end != std::string::npos) text = text.substr(end + 2);
  return concat((std::filesystem::path(run) / "summary.json").string(), ": ", text,
                ": not the summary of a run of this version");
}

}  // namespace smcl::cli
