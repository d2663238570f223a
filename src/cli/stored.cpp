#include "cli/stored.h"

#include <filesystem>

#include "core/error.h"
#include "core/log.h"
#include "experiment/run.h"
#include "experiment/session.h"

namespace smcl::cli {

experiment::Recipe stored_recipe(const record::RunFolder& folder,
                                 const std::vector<std::string>& overrides) {
  const std::string file = (folder.path() / "config.toml").string();
  experiment::Recipe recipe = experiment::recipe_of(folder);
  if (experiment::was_edited(folder, recipe)) {
    log::warn(concat(file,
                     ": it was changed after the run (settings_hash of fingerprint.json is of "
                     "other settings), so it does not tell how these results came about"));
  }
  if (overrides.empty()) return recipe;
  config::Document document = config::Document::parse(folder.config(), file);
  for (const std::string& assignment : overrides) document.set(assignment);
  return experiment::resolve_stored(document, "run");
}

void check_weights(const record::RunFolder& folder, const std::string& which) {
  std::error_code ignored;
  const auto there = [&](const std::string& name) {
    return std::filesystem::exists(folder.weights_file(name), ignored);
  };
  if (there(which)) return;
  std::string list;
  for (const std::string name : {"last", "best_on_val", "best_on_test"}) {
    if (there(name)) list += (list.empty() ? "" : ", ") + name;
  }
  throw UsageError(concat("--weights ", which, ": ", folder.path().string(), " has ",
                          list.empty() ? "no weights" : list));
}

}  // namespace smcl::cli
