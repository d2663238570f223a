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

}  // namespace smcl::cli
