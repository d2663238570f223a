#include "experiment/analyze.h"

#include <iostream>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/stored.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "report/analysis_table.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  experiment::AnalyzeSettings settings;
  std::string spread = "balanced";
  std::vector<std::string> set;
  bool always_new = false;
  std::string only;
  std::string format = "text";
};

experiment::Spread spread_of(const std::string& name) {
  if (name == "balanced") return experiment::Spread::balanced;
  return name == "training" ? experiment::Spread::training : experiment::Spread::target;
}

/// Errors of one of several runs say which.
experiment::AnalyzeResult analyse(const record::RunFolder& folder, const Options& options) {
  try {
    const experiment::Recipe recipe = experiment::analysis_recipe(folder, options.set);
    return experiment::analyze(folder, recipe, options.settings, options.always_new);
  } catch (const Error& problem) {
    const std::string text = problem.what();
    const std::string run = folder.path().string();
    if (options.runs.size() < 2 || text.find(run) != std::string::npos) throw;
    throw Error(problem.code(), concat(run, ": ", text));
  }
}

report::AnalysedRun analysed(const std::string& run, const Options& options) {
  const auto folder = record::RunFolder::open(run);
  check_weights(folder, options.settings.weights);
  auto result = analyse(folder, options);
  const std::string file = record::analysis_file(folder.path()).string();
  log::info(concat(file, result.was_there ? ": was there, nothing was computed (--new computes it)"
                                          : ": written"));
  return {folder.name(), std::move(result.analysis)};
}

void warn_of_masks(const std::vector<report::AnalysedRun>& runs) {
  for (const report::AnalysedRun& run : runs) {
    const auto masks = [](const report::AnalysedRun& of) { return of.analysis.settings["masks"]; };
    if (masks(run) == masks(runs.front())) continue;
    log::warn(concat(run.run, " is masked in another way than ", runs.front().run, " (",
                     experiment::mask_text(run.analysis), "; ",
                     experiment::mask_text(runs.front().analysis),
                     "): --set mask.kind=KIND and the like give both the same images"));
    return;
  }
}

void show_text(const std::vector<report::AnalysedRun>& runs, const Options& options) {
  for (const report::Table& table : report::analysis_tables(runs, options.only)) {
    std::cout << command::render(table, "text") << '\n';
  }
  std::cout << "percent, changes and gaps in points, cosines as they are; [95 % bootstrap "
               "interval]; docs/analyze.md\n"
            << options.settings.weights << " weights; masks of " << runs.front().run << ": "
            << experiment::mask_text(runs.front().analysis) << '\n';
}

void analyze(Options options) {
  options.settings.spread = spread_of(options.spread);
  if (options.settings.gallery <= options.settings.k) {
    throw UsageError(concat("--gallery ", options.settings.gallery, " is too small for the ",
                            options.settings.k, " neighbours of -k: expected at least ",
                            options.settings.k + 1));
  }
  std::vector<report::AnalysedRun> runs;
  std::vector<std::string> names;
  for (const std::string& run : options.runs) {
    runs.push_back(analysed(run, options));
    names.push_back(runs.back().run);
  }
  names = told_apart(std::move(names), options.runs);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].run = names[i];
  std::vector<std::pair<std::string, std::string>> hashes;
  for (const std::string& run : options.runs) {
    hashes.emplace_back(
        run, record::RunFolder::open(run).fingerprint().value("data_hash", std::string()));
  }
  warn_of_data(hashes);
  warn_of_masks(runs);
  if (report::analysis_rows(runs, options.only).rows() == 0) {
    throw UsageError(concat("--only ", options.only,
                            ": no measure has a key that begins so; --format csv lists the keys"));
  }
  if (options.format == "text") return show_text(runs, options);
  std::cout << command::render(report::analysis_rows(runs, options.only), options.format);
}

void add_sample_options(CLI::App& command, Options& options) {
  command.add_option("--images", options.settings.images, "masked images of each set")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--spread", options.spread,
                  "of these images over the classes: balanced, training (as the training images "
                  "are), target (as target classes are drawn)")
      ->check(CLI::IsMember({"balanced", "training", "target"}))
      ->capture_default_str();
  command.add_option("-k", options.settings.k, "nearest neighbours of an image")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command
      .add_option("--gallery", options.settings.gallery,
                  "training images among which they are sought, at most")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  command.add_option("--seed", options.settings.seed, "of the images, their masks, the bootstrap")
      ->check(command::whole_number())
      ->capture_default_str();
  command
      .add_option("--resamples", options.settings.resamples, "of the bootstrap; 0: no intervals")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
}

}  // namespace

void add_analyze(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("analyze",
                                         "whether masked backgrounds are shared with rare classes: "
                                         "neighbours and similarity of masked "
                                         "images, bias; numbers and pictures into the run folder");
  command->add_option("runs", options->runs, "run folders, finished or not")->required();
  command->add_option("--weights", options->settings.weights, "last, best_on_val, best_on_test")
      ->check(CLI::IsMember({"last", "best_on_val", "best_on_test"}))
      ->capture_default_str();
  add_sample_options(*command, *options);
  command
      ->add_option("--set", options->set,
                   "other masks for the analysis, mask.key=value, saliency.key=value, "
                   "target.key=value, or another folder of the same data (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--new", options->always_new,
                    "compute even where the folder has this analysis");
  command->add_option("--only", options->only,
                      "show measures whose key begins so: neighbours.train, bias, probe...");
  command::add_format(*command, options->format);
  command->footer(
      "Reads run folders alone and writes analysis.json and analysis/*.png into each. Runs are "
      "masked\n"
      "as their recipe says, those of methods without masks as SMCL's defaults say; images and "
      "masks\n"
      "depend on --seed and the data alone, so runs can be compared. Computes on the CPU, also "
      "runs\n"
      "that a GPU trained. docs/analyze.md defines every measure.\n"
      "Examples:\n"
      "  smcl analyze runs/scenes-ce-1 runs/scenes-smcl-1\n"
      "  smcl analyze runs/scenes-smcl-1 --set mask.kind=random --set mask.area=[0.2,0.5]\n"
      "  smcl analyze runs/cifar10-smcl-1 --images 5000 -k 20 --format csv");
  command->callback([options] { analyze(*options); });
}

}  // namespace smcl::cli
