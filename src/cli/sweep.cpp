#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/outcomes.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/stored.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/sweep_run.h"
#include "report/recipe_groups.h"
#include "report/run_data.h"

namespace smcl::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string file;
  std::vector<std::string> set;
  std::string root = "runs";
  std::string device;
  std::string format = "text";
  int jobs = 1;
  bool plan_only = false;
  bool no_branch = false;
  bool retry = false;
  bool quiet = false;
};

/// The first run of each variant, in the order of the plan, and how many have its name: those of a
/// grid over seeds have one.
std::vector<std::pair<const experiment::SweepRun*, std::size_t>> repetitions(
    const experiment::SweepPlan& plan) {
  std::vector<std::pair<const experiment::SweepRun*, std::size_t>> counts;
  std::map<std::string, std::size_t> places;
  for (const experiment::SweepRun& run : plan.runs) {
    const auto [place, fresh] = places.emplace(run.recipe.name, counts.size());
    if (fresh) counts.emplace_back(&run, 0);
    ++counts[place->second].second;
  }
  return counts;
}

/// One row a variant: its name, epochs, and how many of them come from another run.
report::Table plan_table(const experiment::SweepPlan& plan) {
  report::Table table({{"variant", "variant"},
                       {"runs", "runs", 0},
                       {"epochs", "epochs", 0},
                       {"branches from", "branches_from", 0, 1.0, true},
                       {"at epoch", "branch_epoch", 0, 1.0, true}});
  for (const auto& [first, runs] : repetitions(plan)) {
    const experiment::SweepRun& run = *first;
    std::vector<report::Cell> cells{run.recipe.name, static_cast<double>(runs),
                                    static_cast<double>(run.epochs)};
    cells.resize(5);
    if (run.trunk) {
      cells[3] = plan.runs[*run.trunk].recipe.name;
      cells[4] = static_cast<double>(run.branch_epoch);
    }
    table.add_row(std::move(cells));
  }
  return table;
}

std::string plan_text(const experiment::SweepPlan& plan) {
  const auto counted = [](auto count, const char* what) {
    return concat(count, " ", what, count == 1 ? "" : "s");
  };
  const std::size_t variants = repetitions(plan).size();
  std::string text =
      concat(counted(plan.runs.size(), "run"), ": ", counted(variants, "variant"), ", ",
             counted(plan.runs.size() / variants, "seed"), "; ", counted(plan.epochs, "epoch"));
  if (plan.saved > 0) {
    text += concat(", of which branches save ", plan.saved, " (",
                   (200 * plan.saved + plan.epochs) / (2 * plan.epochs), " %)");
  }
  return text;
}

/// Tells of every run that ends, and for how long the rest will last.
class Tally {
 public:
  Tally(const experiment::SweepPlan& plan, bool quiet)
      : plan_(plan),
        quiet_(quiet),
        start_(Clock::now()),
        left_(static_cast<double>(plan.epochs - plan.saved)) {}

  void add(std::size_t i, const experiment::Outcome& outcome) {
    ++ended_;
    const experiment::SweepRun& run = plan_.runs[i];
    const double epochs = static_cast<double>(run.epochs - run.branch_epoch);
    left_ -= epochs;
    if (!outcome.result || outcome.result->was_there) return;  // failures are told at the end
    trained_ += epochs;
    if (quiet_) return;
    const auto row = report::row_of(run.recipe.name, outcome.result->summary);
    log::info(concat("[", ended_, "/", plan_.runs.size(), "] ", run.recipe.name, ", seed ",
                     run.seed, ": ", percent(row.accuracy.balanced), " % balanced (few ",
                     row.accuracy.few ? percent(*row.accuracy.few) : "-", "), ",
                     duration_text(outcome.result->summary.value("seconds", 0.0)), left()));
  }

 private:
  static std::string percent(double share) {
    const auto tenths = static_cast<long>(share * 1000.0 + 0.5);
    return concat(tenths / 10, ".", tenths % 10);
  }

  std::string left() const {
    if (left_ <= 0.0) return "";
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return concat("; about ", duration_text(left_ * seconds / trained_), " left");
  }

  const experiment::SweepPlan& plan_;
  bool quiet_;
  Clock::time_point start_;
  std::size_t ended_ = 0;
  double left_;           // epochs
  double trained_ = 0.0;  // epochs
};

void show(const std::vector<experiment::Outcome>& outcomes, const experiment::SweepPlan& plan,
          const Options& options) {
  std::vector<report::RecipeRun> finished;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].result) continue;
    report::RecipeRun run = report::read_recipe_run(outcomes[i].result->folder);
    run.settings = plan.runs[i].recipe.resolved;
    finished.push_back(std::move(run));
  }
  if (finished.empty()) return;
  const auto groups = report::group_by_recipe(finished);
  std::cout << command::render(report::method_table(groups), options.format);
  if (options.format != "text") return;
  const std::string folder = experiment::sweep_folder(plan, options.root).string();
  std::cout << "percent of the test set after the last epoch; bias gap in points, medium and few "
               "classes; "
            << report::spread_text(groups) << "\nsmcl report " << quoted(folder)
            << " -o report.html makes a page of it\n";
}

void sweep(const Options& options) {
  experiment::SweepOptions planned;
  planned.overrides = options.set;
  planned.branch = !options.no_branch;
  if (!options.device.empty()) {
    planned.overrides.push_back(concat("run.device='", options.device, "'"));
  }
  const experiment::SweepPlan plan = experiment::plan_sweep(options.file, planned);
  for (const auto& [other, run] : experiment::alike_variants(plan)) {
    log::warn(concat(run, " does the same as ", other, " in every epoch: what they differ by ",
                     "never acts; leave one out"));
  }
  if (options.plan_only) {
    std::cout << command::render(plan_table(plan), options.format);
    if (options.format == "text") std::cout << plan_text(plan) << '\n';
    return;
  }
  if (options.quiet) log::set_console_level(log::Level::warn);
  log::info(concat("sweep ", plan.name, ": ", plan_text(plan)));
  catch_signals();
  std::vector<std::unique_ptr<Progress>> progress(plan.runs.size());
  Tally tally(plan, options.quiet);
  experiment::SweepRunOptions run;
  run.root = options.root;
  run.jobs = options.jobs;
  run.retry = options.retry;
  run.stop = stop_requested;
  run.observers = [&](std::size_t i) -> std::vector<train::Observer*> {
    progress[i] = std::make_unique<Progress>(options.quiet, options.jobs == 1);
    return {progress[i].get()};
  };
  run.ended = [&](std::size_t i, const experiment::Outcome& outcome) { tally.add(i, outcome); };
  const auto outcomes = experiment::run_sweep(plan, run);
  show(outcomes, plan, options);
  std::vector<std::string> names;
  for (const experiment::SweepRun& each : plan.runs) {
    names.push_back(concat(each.recipe.name, ", seed ", each.seed));
  }
  throw_problems(names, outcomes, "the same command goes on with them",
                 ", but with those that diverged, as they would again, only with --retry");
}

}  // namespace

void add_sweep(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "sweep", "train recipes over settings and seeds, each run into a folder of the sweep");
  command->add_option("file", options->file, "TOML file of the sweep (docs/sweeps.md)")->required();
  command->add_option("--set", options->set, "override a setting of all runs: section.key=value")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--runs", options->root, "folder in which the sweep's folder lies")
      ->capture_default_str();
  command->add_option("--jobs", options->jobs, "runs at once, in this process")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--device", options->device,
                   "cpu, cuda, or auto: cuda where there is a usable GPU")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command->add_flag("--plan", options->plan_only,
                    "print variants, runs and what branches save, and stop");
  command->add_flag("--no-branch", options->no_branch,
                    "train every run from its start; the results are the same");
  command->add_flag("--retry", options->retry,
                    "try runs again that diverged before (other failed runs always are)");
  command->add_flag("--quiet", options->quiet, "no progress, warnings only");
  command::add_format(*command, options->format, "of the result: ");
  command->footer(
      "The same command goes on where it stopped. Variants of the first seed come first.\n"
      "Examples:\n"
      "  smcl sweep recipes/sweeps/scenes-main.toml --plan\n"
      "  smcl sweep recipes/sweeps/scenes-masks.toml --jobs 2\n"
      "  smcl report runs/scenes-masks -o report.html");
  command->callback([options] { sweep(*options); });
}

}  // namespace smcl::cli
