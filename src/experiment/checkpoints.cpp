#include "experiment/checkpoints.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "record/checkpoint_files.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;

constexpr const char* kContent = "training state";
constexpr std::size_t kNewest = 2;

}  // namespace

void bind(config::Binder& binder, CheckpointSettings& settings) {
  binder.field("checkpoint.epochs", settings.epochs, {1, 1e6},
               "epochs between checkpoints; the last epoch has one too");
  binder.field("checkpoint.steps", settings.steps, {0, 1e9},
               "steps between checkpoints inside an epoch; 0 = none");
  binder.field("checkpoint.minutes", settings.minutes, {0.0, 1e6},
               "between checkpoints inside an epoch; 0 = none");
  binder.field("checkpoint.keep", settings.keep,
               "epochs at whose beginning the checkpoint stays; [] = where masks, mixing and the "
               "rule start; where a second stage begins it always does");
}

std::vector<int> kept_epochs(const Recipe& recipe) {
  std::vector<config::Moment> moments = recipe.checkpoint.keep;
  // Of every method, masked or not: variants that differ only from there on share the run before.
  if (moments.empty()) {
    moments = {recipe.mask.start, recipe.method.rule_start};
    // Mixing from the start on leaves nothing before it to share.
    if (recipe.mix.start.epoch(recipe.train.epochs) > 0) moments.push_back(recipe.mix.start);
  }
  std::vector<int> epochs;
  for (const config::Moment& moment : moments) epochs.push_back(moment.epoch(recipe.train.epochs));
  if (recipe.stage.name != method::StageName::none) epochs.push_back(recipe.train.epochs);
  std::sort(epochs.begin(), epochs.end());
  epochs.erase(std::unique(epochs.begin(), epochs.end()), epochs.end());
  return epochs;
}

Checkpoints::Checkpoints(const Recipe& recipe, record::RunFolder& folder,
                         const nn::Network& network, const Recorder& recorder,
                         const nn::StageClassifier* stage)
    : settings_(recipe.checkpoint),
      folder_(folder),
      network_(network),
      recorder_(recorder),
      stage_(stage),
      first_epochs_(recipe.train.epochs),
      kept_(kept_epochs(recipe)) {}

train::Answer Checkpoints::on(const train::StepEnd& /*event*/) {
  ++steps_since_;
  const double minutes = std::chrono::duration<double>(Clock::now() - last_).count() / 60.0;
  const bool due = (settings_.steps > 0 && steps_since_ >= settings_.steps) ||
                   (settings_.minutes > 0 && minutes >= settings_.minutes);
  return due ? train::Answer::checkpoint : train::Answer::go_on;
}

train::Answer Checkpoints::on(const train::EpochDone& event) {
  const int next = event.epoch + 1;
  const bool kept = std::find(kept_.begin(), kept_.end(), next) != kept_.end();
  return kept || next % settings_.epochs == 0 ? train::Answer::checkpoint : train::Answer::go_on;
}

void Checkpoints::note(const train::RunPoint& point) {
  noted_ = {point, recorder_.state(), recorder_.metrics_rows()};
}

void Checkpoints::save() {
  folder_.check_there();
  log::check_file();
  const auto& [point, recorder, rows] = noted_;
  const bool staged = stage_ != nullptr && in_second_stage(point, first_epochs_);
  check_finite(network_, point.epoch);
  if (staged && !stage_->is_finite()) report_not_finite(point.epoch);
  folder_.sync_metrics();
  nlohmann::json run{{"point", train::to_json(point)}, {"recorder", recorder}};
  run["metrics_rows"] = rows;
  const fs::path file = record::checkpoint_file(folder_.path(), point.epoch, point.step);
  recorder_.keep_best_weights(file);
  network_.save_state(file.string(), {{"content", kContent}, {"run", run.dump()}},
                      staged ? &stage_->store() : nullptr);
  record::prune_checkpoints(folder_.path(), kNewest, kept_);
  steps_since_ = 0;
  last_ = Clock::now();
}

bool in_second_stage(const train::RunPoint& point, int first_epochs) {
  return point.epoch > first_epochs || (point.epoch == first_epochs && point.step > 0);
}

StoredPoint read_checkpoint(const fs::path& file, const Restored& restored) {
  const auto read = format::SafetensorsFile::read(file);
  if (read.note("content") != kContent) {
    throw DataError(
        concat(file.string(), ": expected the state of a run, but the metadata do not say so"));
  }
  read.check_format_version();
  if (read.note("sha256").empty()) {
    throw DataError(concat(file.string(), ": the checksum is missing"));
  }
  const nlohmann::json run = format::parse_json(read.note("run"), file.string());
  StoredPoint stored;
  format::reading(file.string(), [&] {
    stored.point = train::run_point_from(run.at("point"), file.string());
    stored.recorder = run.at("recorder");
    stored.metrics_rows = static_cast<std::size_t>(format::integer_at(
        run, "metrics_rows", 0, std::numeric_limits<std::int64_t>::max(), file.string()));
  });
  const fs::path expected =
      record::checkpoint_file({}, stored.point.epoch, stored.point.step).filename();
  if (expected != file.filename()) {
    throw DataError(concat(file.string(), ": it holds the state of ", expected.string()));
  }
  const bool staged =
      restored.stage != nullptr && in_second_stage(stored.point, restored.first_epochs);
  restored.network.load_state(read, staged ? &restored.stage->store() : nullptr);
  return stored;
}

}  // namespace smcl::experiment
