#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/stored.h"
#include "core/error.h"
#include "record/run_folder.h"
#include "report/recipe_groups.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string format = "text";
  std::string baseline;
  bool by_recipe = false;
  bool corrected = false;
};

report::AccuracyRow read_row(const record::RunFolder& folder, const nlohmann::json& summary,
                             const Options& options) {
  report::AccuracyRow row = row_of(folder.name(), summary);
  if (options.corrected) {
    row.accuracy = accuracy_from(summary.at("last").at("prior_corrected"));
    row.bias_gap.reset();  // it is measured on the predictions as they are
  }
  return row;
}

std::optional<double> medium_few(const metrics::Accuracy& accuracy, const nlohmann::json& summary,
                                 const record::RunFolder& folder) {
  const auto [counts, bounds] = stored_classes(folder, summary);
  if (accuracy.per_class.size() != counts.size()) {
    throw DataError(concat((folder.path() / "summary.json").string(), ": ",
                           accuracy.per_class.size(), " accuracies of classes for ", counts.size(),
                           " train_counts"));
  }
  return metrics::medium_few(accuracy.per_class, counts, bounds);
}

report::RecipeRun read_run(const std::string& path, const Options& options) {
  const auto folder = record::RunFolder::open(path);
  auto run = from_summary(path, folder.summary(), [&](const nlohmann::json& summary) {
    report::RecipeRun read;
    read.row = read_row(folder, summary, options);
    if (!options.by_recipe) return read;
    read.path = path;
    read.recipe = summary.value("recipe", folder.name());
    read.medium_few = medium_few(read.row.accuracy, summary, folder);
    return read;
  });
  if (options.by_recipe) run.settings = stored_recipe(folder).resolved;
  return run;
}

std::string conditions(const Options& options) {
  return concat("last epoch, test set", options.corrected ? ", after prior correction" : "");
}

void show_recipes(const std::vector<report::RecipeRun>& runs, const Options& options) {
  const auto groups = report::group_by_recipe(runs);
  std::optional<report::Table> differences;
  if (!options.baseline.empty()) differences = report::difference_table(groups, options.baseline);
  const bool text = options.format == "text";
  if (text || !differences) std::cout << render(report::method_table(groups), options.format);
  if (text) {
    std::cout << conditions(options) << "; mean and standard deviation "
              << report::spread_text(groups) << '\n';
  }
  if (!differences) return;
  std::cout << (text ? "\n" : "") << render(*differences, options.format);
  if (text) {
    std::cout << "points above " << options.baseline
              << " over pairs of runs with equal seeds: mean +- standard deviation (half width of "
                 "the 95 % t-interval)\n";
  }
}

void compare(const Options& options) {
  std::vector<report::RecipeRun> runs;
  for (const std::string& path : options.runs) runs.push_back(read_run(path, options));
  if (options.by_recipe) return show_recipes(runs, options);
  std::vector<report::AccuracyRow> rows;
  for (const report::RecipeRun& run : runs) rows.push_back(run.row);
  std::cout << render(report::accuracy_table(rows), options.format);
  if (options.format == "text") std::cout << conditions(options) << '\n';
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "one table of finished runs, side by side");
  command->add_option("runs", options->runs, "run folders")->required();
  CLI::Option* by_recipe = command->add_flag(
      "--by-recipe", options->by_recipe,
      "mean and spread over runs that differ in their seeds alone, a row a recipe");
  command
      ->add_option("--baseline", options->baseline,
                   "row of --by-recipe that the others are compared with, seed by seed")
      ->needs(by_recipe);
  command->add_flag("--prior-corrected", options->corrected,
                    "accuracies after correction for the prior of the training counts");
  command->add_option("--format", options->format, "text, json, csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
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
