#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "cli/commands.h"
#include "cli/outcomes.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/signals.h"
#include "cli/stored.h"
#include "command/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/same_run.h"
#include "experiment/train_all.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> recipes;
  std::vector<std::string> set;
  std::string root = "runs";
  std::string format = "text";
  std::string resume;
  std::string branch;
  std::string device;
  std::vector<std::uint64_t> seeds;
  int parallel = 1;
  bool always_new = false;
  bool print_config = false;
  bool quiet = false;
};

/// "RUN@EPOCH".
experiment::Branch parse_branch(const std::string& text) {
  const auto at = text.rfind('@');
  int epoch = -1;
  const char* const end = text.data() + text.size();
  const char* const digits = at == std::string::npos ? end : text.data() + at + 1;
  const auto [stop, failure] = std::from_chars(digits, end, epoch);
  if (failure != std::errc() || stop != end || epoch < 1 || at == 0) {
    throw UsageError(concat("--branch-from ", text,
                            ": expected RUN@EPOCH with an epoch from 1, such as "
                            "runs/scenes-ce-1@32"));
  }
  return {text.substr(0, at), epoch};
}

/// All recipes are read before the first is trained: a typing error in the last costs no hours.
std::vector<experiment::Recipe> read_recipes(const Options& options) {
  std::vector<experiment::Recipe> recipes;
  std::vector<std::string> set = options.set;
  if (!options.device.empty()) set.push_back(concat("run.device='", options.device, "'"));
  for (const std::string& file : options.recipes) {
    recipes.push_back(experiment::load_recipe(file, set));
  }
  if (!options.resume.empty() && recipes.empty()) {
    recipes.push_back(stored_recipe(record::RunFolder::open(options.resume), set));
  }
  if (recipes.empty()) throw UsageError("train needs a recipe, or --resume RUN");
  if (!options.branch.empty()) parse_branch(options.branch);
  return recipes;
}

/// With --seeds each recipe once a seed.
std::vector<experiment::Recipe> with_seeds(const Options& options) {
  if (options.seeds.empty()) return read_recipes(options);
  for (const std::string& assignment : options.set) {
    const std::string key = assignment.substr(0, assignment.find('='));
    if (key.substr(0, key.find_last_not_of(" \t") + 1) == "train.seed") {
      throw UsageError(
          concat("--set ", assignment, ": --seeds sets train.seed; leave one of them out"));
    }
  }
  std::vector<experiment::Recipe> all;
  for (const std::uint64_t seed : options.seeds) {
    if (std::count(options.seeds.begin(), options.seeds.end(), seed) > 1) {
      throw UsageError(concat("--seeds: ", seed, " comes twice"));
    }
    Options of_seed = options;
    of_seed.set.push_back(concat("train.seed=", seed));
    for (experiment::Recipe& recipe : read_recipes(of_seed)) all.push_back(std::move(recipe));
  }
  return all;
}

/// At once they would be in each other's way.
void check_given_once(const std::vector<experiment::Recipe>& recipes) {
  std::set<std::string> seen;
  for (const experiment::Recipe& recipe : recipes) {
    if (seen.insert(concat(recipe.name, '\n', experiment::mark_with_folders(recipe))).second)
      continue;
    throw UsageError(
        concat(recipe.name, ", seed ", recipe.train.seed, " is given twice: leave one out"));
  }
}

void train(const Options& options) {
  const std::vector<experiment::Recipe> recipes = with_seeds(options);
  if (recipes.size() > 1 && !(options.resume.empty() && options.branch.empty())) {
    throw UsageError("--resume and --branch-from take one recipe and one seed");
  }
  check_given_once(recipes);
  if (options.print_config) {
    for (const auto& recipe : recipes) std::cout << config::to_toml(recipe.resolved, true);
    return;
  }
  if (options.quiet) log::set_console_level(log::Level::warn);
  catch_signals();
  std::vector<std::unique_ptr<Progress>> progress;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    progress.push_back(std::make_unique<Progress>(options.quiet, options.parallel == 1));
  }
  const auto outcomes = experiment::train_all(
      recipes,
      [&](std::size_t i) {
        experiment::RunOptions run;
        run.root = options.root;
        run.always_new = options.always_new;
        run.observers = {progress[i].get()};
        run.stop = stop_requested;
        if (!options.resume.empty()) run.resume = options.resume;
        if (!options.branch.empty()) run.branch = parse_branch(options.branch);
        return run;
      },
      options.parallel);
  std::vector<FinishedRun> finished;
  for (const experiment::Outcome& outcome : outcomes) {
    if (!outcome.result) continue;
    const std::string folder = outcome.result->folder.path().string();
    if (outcome.result->was_there) {
      log::info(concat("finished before: ", folder, " (train again with --new)"));
    }
    finished.push_back({folder, outcome.result->summary});
  }
  if (!finished.empty()) show_runs(std::cout, finished, options.format);
  std::vector<std::string> names;
  for (const experiment::Recipe& recipe : recipes) {
    names.push_back(concat(recipe.name, ", seed ", recipe.train.seed));
  }
  throw_problems(names, outcomes, "the same command, without --new, goes on with them",
                 "; those that diverged would again: change their settings");
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "train", "train recipes, each into a run folder, and show them in a table");
  command->add_option("recipes", options->recipes, "TOML files with the settings");
  command->add_option("--set", options->set, "override a setting: section.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--device", options->device,
                   "cpu, cuda, or auto: cuda where there is a usable GPU; short for --set "
                   "run.device='...'")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command
      ->add_option("--seeds", options->seeds,
                   "train each recipe once with each of these as train.seed: --seeds 1,2,3")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(command::whole_number());
  command
      ->add_option("--parallel", options->parallel,
                   "runs at once, in this process; several small ones fill a GPU better than one")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--runs", options->root, "folder of the run folders")->capture_default_str();
  CLI::Option* always_new = command->add_flag(
      "--new", options->always_new,
      "train under the next number even where a run of the same settings is there");
  CLI::Option* resume =
      command
          ->add_option("--resume", options->resume,
                       "go on with this run folder; --set may add epochs or change eval.*, "
                       "checkpoint.*, run.* but run.precision, and the folders of the data")
          ->excludes(always_new);
  command
      ->add_option("--branch-from", options->branch,
                   "begin where another run was: RUN@EPOCH, a checkpoint that it kept or, for a "
                   "second stage, the end of a finished one; refused where settings differ that "
                   "matter before that epoch")
      ->excludes(resume);
  command->add_flag("--print-config", options->print_config,
                    "print every setting, with where it came from, and stop");
  command::add_format(*command, options->format, "of the result: ");
  command->add_flag("--quiet", options->quiet, "no progress, warnings only");
  command->footer(
      "A run that was interrupted goes on with the same command, to the same bits. SIGTERM, "
      "SIGINT\n"
      "and SIGUSR1 store the run and end with exit code 75; a second signal ends at once.\n"
      "Examples:\n"
      "  smcl train recipes/scenes/smcl.toml\n"
      "  smcl train --resume runs/scenes-smcl-1 --set train.epochs=60\n"
      "  smcl train recipes/scenes/ce-drw.toml --branch-from runs/scenes-ce-1@32\n"
      "  smcl train recipes/scenes/crt.toml --branch-from runs/scenes-ce-1@40\n"
      "  smcl train recipes/scenes/smcl.toml --set mask.kind=random --set train.seed=1\n"
      "  smcl train recipes/scenes/ce.toml recipes/scenes/smcl.toml --seeds 1,2 --parallel 4\n"
      "  smcl train recipes/cifar10/ce.toml --set data.dir=cifar --print-config");
  command->callback([options] { train(*options); });
}

}  // namespace smcl::cli
