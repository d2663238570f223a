#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/run.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> recipes;
  std::vector<std::string> set;
  std::string root = "runs";
  std::string format = "text";
  bool always_new = false;
  bool print_config = false;
  bool quiet = false;
};

experiment::RunResult train_one(const experiment::Recipe& recipe, const Options& options) {
  Progress progress(options.quiet);
  experiment::RunOptions run;
  run.root = options.root;
  run.always_new = options.always_new;
  run.observers = {&progress};
  const experiment::RunResult result = experiment::train_recipe(recipe, run);
  if (result.was_there) {
    log::info(
        concat("finished before: ", result.folder.path().string(), " (train again with --new)"));
  }
  return result;
}

void train(const Options& options) {
  // All recipes are read before the first is trained: a typing error in the last costs no hours.
  std::vector<experiment::Recipe> recipes;
  for (const std::string& file : options.recipes) {
    recipes.push_back(experiment::load_recipe(file, options.set));
  }
  if (options.print_config) {
    for (const auto& recipe : recipes) std::cout << config::to_toml(recipe.resolved, true);
    return;
  }
  if (options.quiet) log::set_console_level(log::Level::warn);
  std::vector<FinishedRun> finished;
  for (const auto& recipe : recipes) {
    const experiment::RunResult result = train_one(recipe, options);
    finished.push_back({result.folder.path().string(), result.summary});
  }
  show_runs(std::cout, finished, options.format);
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "train", "train recipes, each into a run folder, and show them in a table");
  command->add_option("recipes", options->recipes, "TOML files with the settings")->required();
  command->add_option("--set", options->set, "override a setting: section.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--runs", options->root, "folder of the run folders")->capture_default_str();
  command->add_flag("--new", options->always_new,
                    "train even where a finished run of the same settings is there");
  command->add_flag("--print-config", options->print_config,
                    "print every setting, with where it came from, and stop");
  command->add_option("--format", options->format, "of the result: text, json, csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  command->add_flag("--quiet", options->quiet, "no progress, warnings only");
  command->footer(
      "Examples:\n"
      "  smcl train recipes/scenes/smcl.toml\n"
      "  smcl train recipes/scenes/smcl.toml --set mask.kind=random --set train.seed=1\n"
      "  smcl train recipes/cifar10/ce.toml --set data.dir=cifar --print-config");
  command->callback([options] { train(*options); });
}

}  // namespace smcl::cli
