#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/stored.h"
#include "command/render.h"
#include "command/tree.h"
#include "core/error.h"
#include "experiment/run.h"
#include "experiment/session.h"
#include "experiment/summary.h"
#include "report/accuracy_table.h"
#include "report/summary.h"
#include "tensor/runtime.h"
#include "train/evaluate.h"

namespace smcl::cli {
namespace {

struct Options {
  std::string run;
  std::string weights;
  std::string on;
  std::vector<std::string> set;
  std::string by = "groups";
  std::string format = "text";
};

struct Judged {
  metrics::Predictions predictions;
  std::vector<int> train_counts;
  std::vector<std::string> class_names;
  metrics::GroupBounds bounds;
  std::string what;
  std::string history;  ///< how the run came about, where not from the start on one machine
  std::optional<metrics::Accuracy> before_stage;  ///< of stored predictions with a second stage
};

/// Of a summary: whence the run branched, and whether its bits can be had again.
std::string history_of(const nlohmann::json& summary) {
  std::string text;
  if (const auto branch = summary.find("branched_from"); branch != summary.end()) {
    text = concat("branched from ", branch->at("run").get<std::string>(), "@",
                  branch->at("epoch").get<int>());
  }
  if (!summary.value("bit_exact", true)) {
    text += concat(text.empty() ? "" : "; ",
                   "not bit-exact: it went on with other settings or on another machine "
                   "(resumes in fingerprint.json)");
  }
  return text;
}

/// All but the predictions, from the run's summary.
Judged classes_of(const record::RunFolder& folder) {
  const std::string run = folder.path().string();
  Judged judged = from_summary(run, folder.summary(), [&](const nlohmann::json& summary) {
    Judged read;
    const std::string file = (folder.path() / "summary.json").string();
    report::StoredClasses classes = report::stored_classes(summary, file);
    read.train_counts = std::move(classes.train_counts);
    read.bounds = classes.bounds;
    read.class_names = summary.at("class_names").get<std::vector<std::string>>();
    read.history = history_of(summary);
    return read;
  });
  if (judged.train_counts.size() != judged.class_names.size()) {
    throw DataError(concat((folder.path() / "summary.json").string(), ": got ",
                           judged.train_counts.size(), " train_counts for ",
                           judged.class_names.size(), " class_names"));
  }
  return judged;
}

/// Whether every override is of groups.*, which judge predictions and change none.
bool only_groups(const std::vector<std::string>& overrides) {
  return std::all_of(overrides.begin(), overrides.end(), [](const std::string& assignment) {
    return assignment.starts_with("groups.");
  });
}

/// Other data than the run's are used only where an override says so; its validation images are
/// those that it held out itself: among others of the same files are some that it learned from.
/// Scenes have a pool of their own for them.
void check_data(const record::RunFolder& folder, const experiment::Recipe& recipe,
                const data::Opened& data, const Options& options) {
  const bool scenes = recipe.data.name == "scenes";
  const bool validation = options.on == "val";
  if (data_overrides(options.set).empty() || (validation && !scenes)) {
    experiment::check_data_of(folder, data);
  }
  if (!validation || data.validation != nullptr) return;
  throw UsageError(
      concat(folder.path().string(), " has no validation images: ",
             scenes ? "--set scenes.val_objects=N makes N objects of them for each class"
                    : "it was trained with data.val_per_class = 0, and none can be held out "
                      "afterwards; --on test or --on train"));
}

/// `judged` with what the summary says of a second stage; `same_groups` where it is of these.
Judged with_stage(const record::RunFolder& folder, Judged judged, bool same_groups) {
  return from_summary(folder.path().string(), folder.summary(), [&](const nlohmann::json& summary) {
    const auto stage = summary.find("stage");
    if (stage == summary.end()) return judged;
    judged.what +=
        concat(", after the second stage (", stage->at("name").get<std::string>(),
               stage->contains("tau") ? concat(", tau ", stage->at("tau").dump()) : "", ")");
    const auto before = summary.find("before_stage");
    if (before != summary.end() && same_groups) {
      judged.before_stage = report::accuracy_of(before->at("accuracy"));
    }
    return judged;
  });
}

Judged from_stored(const record::RunFolder& folder, const Options& options) {
  Judged judged = classes_of(folder);
  if (!options.set.empty()) judged.bounds = stored_recipe(folder, options.set).groups;
  const std::filesystem::path file = folder.predictions_file("test");
  judged.predictions = experiment::stored_predictions(file);
  if (static_cast<std::size_t>(judged.predictions.classes) != judged.class_names.size()) {
    throw DataError(concat(file.string(), ": predictions of ", judged.predictions.classes,
                           " classes, expected the ", judged.class_names.size(),
                           " of summary.json"));
  }
  judged.what = "last epoch, test set, stored predictions";
  return with_stage(folder, std::move(judged), options.set.empty());
}

void check_overrides(const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    if (!assignment.starts_with("data.") && !assignment.starts_with("scenes.") &&
        !assignment.starts_with("run.") && !assignment.starts_with("groups.")) {
      throw UsageError(
          concat("--set ", assignment,
                 ": eval changes only data.*, scenes.*, groups.* and run.*; the run decides the "
                 "rest"));
    }
  }
}

Judged from_weights(const record::RunFolder& folder, const Options& options) {
  check_overrides(options.set);
  // Only where they were asked for by name: the default is always there.
  if (!options.weights.empty()) check_weights(folder, options.weights);
  Judged judged = classes_of(folder);
  const experiment::Recipe recipe = stored_recipe(folder, options.set);
  tensor::prepare_runtime(recipe.runtime.threads);
  const data::Opened data = data::open_data(recipe.data);
  check_data(folder, recipe, data, options);
  if (judged.class_names != data.train->class_names()) {
    throw UsageError(concat(recipe.data.name, " has other classes (", data.classes(), ") than ",
                            folder.name(), " was trained on (", judged.class_names.size(),
                            "); give a set with the same class names"));
  }
  const std::string which = options.weights.empty() ? "last" : options.weights;
  nn::Network network = experiment::load_network(folder, recipe, data.classes(), which);
  const std::string on = options.on.empty() ? "test" : options.on;
  const bool validation = on == "val";
  const data::Dataset& set = on == "train" ? *data.train
                             : validation  ? *data.validation
                                           : *data.test;
  const auto& samples = on == "train" ? data.train_samples
                        : validation  ? data.validation_samples
                                      : data.test_samples;
  judged.predictions = train::evaluate(network, set, samples, data.normalisation);
  judged.bounds = recipe.groups;
  const std::string other = data_overrides(options.set);
  judged.what = concat(which, " weights, ", on, " set", other.empty() ? "" : ", with ", other);
  return judged;
}

report::Table class_table(const Judged& judged, const metrics::Accuracy& accuracy) {
  report::Table table({{"class", "class"},
                       {"images", "train_images", 0},
                       {"group", "group"},
                       {"accuracy", "accuracy", 1, 100.0}});
  constexpr std::array<const char*, 3> kGroups{"many", "medium", "few"};
  for (std::size_t c = 0; c < judged.class_names.size(); ++c) {
    const auto group = metrics::shot_group(judged.train_counts[c], judged.bounds);
    table.add_row({judged.class_names[c], static_cast<double>(judged.train_counts[c]),
                   std::string(kGroups.at(static_cast<std::size_t>(group))),
                   report::cell(accuracy.per_class[c])});
  }
  return table;
}

void evaluate(const Options& options) {
  const auto folder = record::RunFolder::open(options.run);
  const bool stored = options.weights.empty() && options.on.empty() && only_groups(options.set);
  const Judged judged = stored ? from_stored(folder, options) : from_weights(folder, options);
  if (options.format == "json") {
    nlohmann::json out = experiment::judge(judged.predictions, judged.train_counts, judged.bounds);
    out["format_version"] = 1;
    out["run"] = folder.name();
    out["what"] = judged.what;
    if (!judged.history.empty()) out["history"] = judged.history;
    out["class_names"] = judged.class_names;
    out["train_counts"] = judged.train_counts;
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  const auto accuracy = metrics::accuracy(judged.predictions, judged.train_counts, judged.bounds);
  if (options.by == "classes") {
    std::cout << command::render(class_table(judged, accuracy), options.format);
  } else {
    const auto corrected = metrics::prior_corrected(judged.predictions, judged.train_counts, 1.0);
    std::vector<report::AccuracyRow> rows{
        {folder.name(), accuracy, {}},
        {"prior-corrected", metrics::accuracy(corrected, judged.train_counts, judged.bounds), {}}};
    if (judged.before_stage) rows.push_back({"before the stage", *judged.before_stage, {}});
    std::cout << command::render(report::accuracy_table(rows), options.format);
  }
  if (options.format != "text") return;
  std::cout << judged.what << '\n';
  if (!judged.history.empty()) std::cout << judged.history << '\n';
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "accuracies of a run, by group or by class");
  command->add_option("run", options->run, "run folder")->required();
  command
      ->add_option("--weights", options->weights,
                   "compute anew from these weights: last, best_on_val, best_on_test")
      ->check(CLI::IsMember({"last", "best_on_val", "best_on_test"}));
  command->add_option("--on", options->on, "set to compute anew on: test, val, train")
      ->check(CLI::IsMember({"test", "val", "train"}));
  command
      ->add_option(
          "--set", options->set,
          "another data set, data.key=value, or other groups, groups.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--by", options->by, "groups (with thirds) or classes")
      ->check(CLI::IsMember({"groups", "classes"}))
      ->capture_default_str();
  command::add_format(*command, options->format);
  command->footer(
      "Without --weights, --on and --set the stored predictions of the last epoch are judged; "
      "with\n"
      "--set groups.many_above=N and groups.few_below=N too.\n"
      "Examples:\n  smcl eval runs/scenes-smcl-1\n  smcl eval runs/scenes-smcl-1 --by classes\n"
      "  smcl eval runs/scenes-smcl-1 --weights best_on_test --format json");
  command->callback([options] { evaluate(*options); });
}

}  // namespace smcl::cli
