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
  std::string recipe;
  std::vector<std::string> set;
  std::string root = "runs";
  std::string format = "text";
  bool always_new = false;
  bool print_config = false;
  bool quiet = false;
};

void train(const Options& options) {
  const experiment::Recipe recipe = experiment::load_recipe(options.recipe, options.set);
  if (options.print_config) {
    std::cout << config::to_toml(recipe.resolved, true);
    return;
  }
  if (options.quiet) log::set_console_level(log::Level::warn);
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
  show_run(std::cout, result.folder.path().string(), result.summary, options.format);
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("train", "train a recipe into a run folder");
  command->add_option("recipe", options->recipe, "TOML file with the settings")->required();
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
