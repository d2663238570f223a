#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/stored.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "record/run_folder.h"
#include "report/comparison.h"
#include "report/markup.h"
#include "report/recipe_groups.h"
#include "report/run_data.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string format = "text";
  std::string baseline;
  bool by_recipe = false;
  bool corrected = false;
};

report::RecipeRun read_run(const std::string& path, const Options& options) {
  const auto folder = record::RunFolder::open(path);
  report::RecipeRun run = report::read_recipe_run(folder);
  if (options.by_recipe) run.settings = stored_recipe(folder).resolved;
  if (options.corrected) {
    run.row.accuracy = run.corrected;
    run.medium_few = run.corrected_medium_few;
    run.row.bias_gap.reset();  // it is measured on the predictions as they are
  }
  return run;
}

std::string conditions(const Options& options) {
  return concat("last epoch, test set", options.corrected ? ", after prior correction" : "");
}

void show_recipes(const std::vector<report::RecipeRun>& runs, const Options& options) {
  const auto groups = report::group_by_recipe(runs);
  std::optional<report::Table> differences;
  if (!options.baseline.empty()) {
    const auto found = report::compare_runs(runs, options.baseline);
    differences = report::difference_table(found);
    for (const report::Condition& each : found) {
      if (each.baseline && each.groups.size() > 1) continue;
      log::warn(concat("nothing to compare under ", each.label, ": ",
                       each.baseline ? "the baseline alone has runs there"
                                     : concat("no runs of ", options.baseline)));
    }
  }
  const bool text = options.format == "text";
  if (text || !differences)
    std::cout << command::render(report::method_table(groups), options.format);
  if (text) {
    std::cout << conditions(options) << "; mean and standard deviation "
              << report::printable(report::spread_text(groups)) << '\n';
  }
  if (!differences) return;
  std::cout << (text ? "\n" : "") << command::render(*differences, options.format);
  if (text) {
    std::cout
        << "points above " << options.baseline
        << " on the same data, over pairs of runs with equal seeds: mean +- standard deviation "
           "(half width of the 95 % t-interval); p after Holm's correction over the rows of "
           "the same data, decided at 0.05\n";
  }
}

void compare(const Options& options) {
  std::vector<report::RecipeRun> runs;
  for (const std::filesystem::path& path : run_folders(options.runs)) {
    const bool named =
        std::find(options.runs.begin(), options.runs.end(), path.string()) != options.runs.end();
    if (!named && !record::RunFolder::open(path).finished()) {  // a sweep under way
      log::warn(concat("left out: ", path.string(), ": not finished"));
      continue;
    }
    runs.push_back(read_run(path.string(), options));
  }
  if (runs.empty()) throw UsageError("no finished run to compare");
  if (options.by_recipe) return show_recipes(runs, options);
  std::vector<report::AccuracyRow> rows;
  std::vector<std::string> names;
  std::vector<std::string> paths;
  std::vector<std::pair<std::string, std::string>> hashes;
  for (const report::RecipeRun& run : runs) {
    rows.push_back(run.row);
    names.push_back(run.row.run);
    paths.push_back(run.path);
    hashes.emplace_back(run.path, run.data_hash);
  }
  warn_of_data(hashes);
  names = told_apart(std::move(names), paths);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].run = names[i];
  std::cout << command::render(report::accuracy_table(rows), options.format);
  if (options.format == "text") std::cout << conditions(options) << '\n';
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "one table of finished runs, side by side");
  command->add_option("runs", options->runs, "run folders, or folders that hold them (a sweep's)")
      ->required();
  CLI::Option* by_recipe = command->add_flag(
      "--by-recipe", options->by_recipe,
      "mean and spread over runs that differ in their seeds alone, a row a recipe");
  command
      ->add_option("--baseline", options->baseline,
                   "row of --by-recipe that the others are compared with, seed by seed")
      ->needs(by_recipe);
  command->add_flag("--prior-corrected", options->corrected,
                    "accuracies after correction for the prior of the training counts");
  command::add_format(*command, options->format);
  command->footer(
      "Runs of one recipe with other settings (--set) get rows of their own, which say them. With\n"
      "--baseline, csv and json hold the differences alone.\n"
      "Examples:\n"
      "  smcl compare runs/scenes-ce-1 runs/scenes-smcl-1\n"
      "  smcl compare --by-recipe runs/scenes-*\n"
      "  smcl compare --by-recipe --baseline scenes-ce runs/scenes-*");
  command->callback([options] { compare(*options); });
}

}  // namespace smcl::cli
