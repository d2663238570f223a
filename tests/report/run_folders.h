#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "format/file.h"
#include "record/predictions.h"
#include "record/run_folder.h"

namespace smcl::report {

/// A finished run on three classes of 500, 50 and 5 training images, as training leaves it.
struct FakeRun {
  std::string recipe = "ce";
  std::string config = "[train]\nepochs = 2\n";
  std::vector<int> train_counts{500, 50, 5};
  std::vector<std::string> class_names{"cat", "dog", "owl"};
  std::vector<double> per_class{0.9, 0.6, 0.3};
  std::vector<std::int32_t> labels{0, 0, 1, 1, 2, 2};
  std::vector<std::int32_t> predicted{0, 0, 1, 0, 2, 0};
  std::vector<std::string> warnings;
  bool tested_while_training = true;
  bool best_on_test = true;
};

inline nlohmann::json accuracy_json(const std::vector<double>& a) {
  const double mean = (a[0] + a[1] + a[2]) / 3;
  return {{"all", mean},  {"balanced", mean}, {"many", a[0]}, {"medium", a[1]}, {"few", a[2]},
          {"head", a[0]}, {"middle", a[1]},   {"tail", a[2]}, {"per_class", a}};
}

inline record::RunFolder fake_run(const std::filesystem::path& root, const FakeRun& run) {
  auto folder = record::RunFolder::create(root, run.recipe);
  folder.write_fingerprint({{"format_version", 1},
                            {"version", "0.1.0"},
                            {"revision", "abc"},
                            {"cpu", "a CPU"},
                            {"threads", 2}});
  folder.write_config(run.config, "hash-of-" + run.recipe);
  for (int epoch = 0; epoch < 2; ++epoch) {
    folder.append_metrics(
        {{"format_version", 1}, {"type", "epoch"}, {"epoch", epoch}, {"loss", 2.0 - epoch}});
    if (!run.tested_while_training && epoch == 0) continue;
    folder.append_metrics({{"format_version", 1},
                           {"type", "evaluation"},
                           {"epoch", epoch},
                           {"set", "test"},
                           {"accuracy", {{"balanced", 0.25 + 0.25 * epoch}}}});
  }
  // The predicted class has logit 2, the others 0.
  record::Predictions predictions{3, run.labels, std::vector<float>(run.labels.size() * 3), {}};
  for (std::size_t i = 0; i < run.labels.size(); ++i) {
    predictions.logits[i * 3 + static_cast<std::size_t>(run.predicted[i])] = 2.0F;
  }
  record::write_predictions(folder.predictions_file(), predictions);
  nlohmann::json summary{{"format_version", 1},
                         {"run", folder.name()},
                         {"recipe", run.recipe},
                         {"data_hash", "of-the-data"},
                         {"finished_at", "2026-01-31T12:00:00Z"},
                         {"seconds", 90.0},
                         {"settings_hash", "0123456789abcdef"},
                         {"train_counts", run.train_counts},
                         {"class_names", run.class_names},
                         {"groups", {{"many_above", 100}, {"few_below", 20}}},
                         {"warnings", run.warnings},
                         {"last",
                          {{"accuracy", accuracy_json(run.per_class)},
                           {"prior_corrected", accuracy_json({0.8, 0.7, 0.6})},
                           {"ece", 0.125}}}};
  if (run.best_on_test) {
    summary["best_on_test"] = {
        {"epoch", 0}, {"set", "test"}, {"accuracy", accuracy_json({0.95, 0.65, 0.35})}};
  }
  folder.write_summary(summary);
  return folder;
}

}  // namespace smcl::report
