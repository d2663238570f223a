#include <iostream>
#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/stored.h"
#include "core/error.h"
#include "record/run_folder.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string format = "text";
  bool by_recipe = false;
  bool corrected = false;
};

report::AccuracyRow read_row(const std::string& path, const Options& options, std::string& recipe) {
  const auto folder = record::RunFolder::open(path);
  return from_summary(path, folder.summary(), [&](const nlohmann::json& summary) {
    report::AccuracyRow row = row_of(folder.name(), summary);
    if (options.corrected) row.accuracy = accuracy_from(summary.at("last").at("prior_corrected"));
    recipe = summary.value("recipe", folder.name());
    return row;
  });
}

void compare(const Options& options) {
  std::vector<report::AccuracyRow> rows;
  std::vector<report::MethodRuns> methods;
  std::map<std::string, std::size_t> place;
  for (const std::string& path : options.runs) {
    std::string recipe;
    rows.push_back(read_row(path, options, recipe));
    if (place.emplace(recipe, methods.size()).second) methods.push_back({recipe, {}});
    methods[place[recipe]].runs.push_back(rows.back());
  }
  std::cout << render(
      options.by_recipe ? report::method_table(methods) : report::accuracy_table(rows),
      options.format);
  if (options.format != "text") return;
  std::cout << "last epoch, test set" << (options.corrected ? ", after prior correction" : "");
  if (options.by_recipe) std::cout << "; mean and standard deviation over the runs of a recipe";
  std::cout << '\n';
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "one table of finished runs, side by side");
  command->add_option("runs", options->runs, "run folders")->required();
  command->add_flag("--by-recipe", options->by_recipe, "mean and spread over the runs of a recipe");
  command->add_flag("--prior-corrected", options->corrected,
                    "accuracies after correction for the prior of the training counts");
  command->add_option("--format", options->format, "text, json, csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  command->footer("Example:\n  smcl compare runs/scenes-ce-1 runs/scenes-smcl-1");
  command->callback([options] { compare(*options); });
}

}  // namespace smcl::cli
