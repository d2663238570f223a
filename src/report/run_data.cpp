#include "report/run_data.h"

#include <filesystem>

#include "core/error.h"
#include "format/file.h"
#include "format/json.h"
#include "record/predictions.h"

namespace smcl::report {
namespace {

std::string summary_file(const record::RunFolder& folder) {
  return (folder.path() / "summary.json").string();
}

RecipeRun results_of_last(const record::RunFolder& folder, const nlohmann::json& summary) {
  RecipeRun run;
  run.row = row_of(folder.name(), summary);
  const nlohmann::json& last = summary.at("last");
  run.corrected = accuracy_of(last.at("prior_corrected"));
  run.knows_corrected = true;
  if (const auto ece = last.find("ece"); ece != last.end()) {
    run.ece = format::optional_number(*ece);
  }
  return run;
}

/// Of that epoch the accuracy alone is known.
RecipeRun results_of_best(const record::RunFolder& folder, const nlohmann::json& summary) {
  const auto best = summary.find("best_on_test");
  if (best == summary.end()) {
    throw DataError(concat(summary_file(folder),
                           ": the run chose no epoch by the test set (it has held-out validation "
                           "images, or did not test while training); compare last epochs"));
  }
  RecipeRun run;
  run.row.run = folder.name();
  run.row.accuracy = accuracy_of(best->at("accuracy"));
  return run;
}

RecipeRun results_of(const record::RunFolder& folder, const nlohmann::json& summary, Which which) {
  const std::string file = summary_file(folder);
  return format::reading(file, [&] {
    RecipeRun run =
        which == Which::last ? results_of_last(folder, summary) : results_of_best(folder, summary);
    run.path = folder.path().string();
    run.recipe = summary.value("recipe", folder.name());
    run.data_hash = summary.value("data_hash", std::string());
    const StoredClasses classes = stored_classes(summary, file);
    run.medium_few = medium_few(run.row.accuracy, classes, file);
    if (run.knows_corrected) run.corrected_medium_few = medium_few(run.corrected, classes, file);
    return run;
  });
}

void read_curves(RunData& data, const record::RunFolder& folder) {
  const std::string file = (folder.path() / "metrics.jsonl").string();
  const auto rows = folder.metrics();
  if (rows.empty()) data.left_out.emplace_back("no metrics.jsonl, and so no curves of its method");
  format::reading(file, [&] {
    for (const nlohmann::json& row : rows) {
      const auto type = row.at("type").get<std::string>();
      const int epoch = row.value("epoch", 0);
      if (type == "epoch") {
        const auto loss = format::optional_number(row.at("loss"));
        if (loss) data.loss.emplace_back(epoch, *loss);
      } else if (type == "evaluation") {
        Curve& curve = row.at("set") == "test" ? data.test : data.validation;
        curve.emplace_back(epoch, row.at("accuracy").at("balanced").get<double>());
      }
    }
    return 0;
  });
}

void read_predictions(RunData& data, const record::RunFolder& folder) {
  const auto file = folder.predictions_file();
  if (!std::filesystem::exists(file)) {
    data.left_out.push_back(concat(file.filename().string(),
                                   " is missing, and so are errors and calibration of its method"));
    return;
  }
  record::Predictions stored = record::read_predictions(file);
  const metrics::Predictions predictions{stored.classes, std::move(stored.labels),
                                         std::move(stored.logits)};
  if (static_cast<std::size_t>(predictions.classes) != data.classes.train_counts.size()) {
    throw DataError(concat(file.string(), ": ", predictions.classes, " classes, expected the ",
                           data.classes.train_counts.size(), " of summary.json"));
  }
  data.confusion = metrics::confusion(predictions);
  data.calibration = metrics::calibration(predictions);
}

/// An analysis of other weights, such as of the run before it was finished, would be taken for one
/// of these.
void read_analysis(RunData& data, const record::RunFolder& folder) {
  std::optional<record::Analysis> analysis;
  try {
    analysis = record::read_analysis(folder.path());
  } catch (const DataError& problem) {
    data.left_out.emplace_back(problem.what());
  }
  if (!analysis) return;
  const auto of = analysis->settings.find("weights_sha256");
  const std::filesystem::path last = folder.weights_file("last");
  if (of == analysis->settings.end() || !std::filesystem::exists(last) ||
      *of != format::sha256_of_file(last)) {
    data.left_out.emplace_back(
        "its analysis is not of the last weights; smcl analyze makes it anew");
    return;
  }
  data.analysis = std::move(analysis);
}

}  // namespace

RecipeRun read_recipe_run(const record::RunFolder& folder, Which which) {
  return results_of(folder, folder.summary(), which);
}

RunData read_run_data(const record::RunFolder& folder, Which which) {
  RunData data;
  data.summary = folder.summary();
  data.fingerprint = folder.fingerprint();
  data.run = results_of(folder, data.summary, which);
  const std::string file = summary_file(folder);
  data.classes = stored_classes(data.summary, file);
  format::reading(file, [&] {
    data.class_names = data.summary.at("class_names").get<std::vector<std::string>>();
    data.warnings = data.summary.value("warnings", std::vector<std::string>());
    // Shown as they are: here wrong types are told with the file's name.
    for (const char* key : {"finished_at", "settings_hash"}) {
      (void)data.summary.value(key, std::string());
    }
    (void)data.summary.value("seconds", 0.0);
    (void)data.summary.value("bit_exact", true);
    return 0;
  });
  format::reading((folder.path() / "fingerprint.json").string(), [&] {
    for (const char* key : {"version", "revision"}) {
      (void)data.fingerprint.value(key, std::string());
    }
    return 0;
  });
  if (data.class_names.size() != data.classes.train_counts.size()) {
    throw DataError(concat(file, ": ", data.class_names.size(), " class_names for ",
                           data.classes.train_counts.size(), " train_counts"));
  }
  read_curves(data, folder);
  if (which == Which::last) read_predictions(data, folder);
  if (which == Which::last) read_analysis(data, folder);
  return data;
}

}  // namespace smcl::report
