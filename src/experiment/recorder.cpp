#include "experiment/recorder.h"

#include <cstdint>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "experiment/summary.h"
#include "format/file.h"
#include "format/json.h"
#include "record/checkpoint_files.h"

namespace smcl::experiment {

Recorder::Recorder(const Recipe& recipe, record::RunFolder& folder, const nn::Network& network,
                   const std::vector<int>& train_counts, bool has_validation)
    : recipe_(recipe),
      folder_(folder),
      network_(network),
      train_counts_(train_counts),
      best_set_(has_validation ? "val" : "test") {}

train::Answer Recorder::on(const train::RunBegin& event) {
  mask_start_ = event.mask_start;
  epochs_ = event.epochs - event.stage_epochs;
  if (recipe_.runtime.tensorboard) {
    events_ = EventFile::begin(folder_.path(), folder_.metrics(), unix_time());
  } else {
    remove_event_files(folder_.path());  // they would no longer be those of metrics.jsonl
  }
  return train::Answer::go_on;
}

train::Answer Recorder::on(const train::StageBegin& event) {
  if (!event.fresh) return train::Answer::go_on;
  nlohmann::json row{{"type", "stage"}, {"epoch", event.epoch}};
  row.update(stage_);
  append(row);
  return train::Answer::go_on;
}

train::Answer Recorder::on(const train::EpochEnd& event) {
  nlohmann::json row{{"type", "epoch"},
                     {"epoch", event.epoch},
                     {"rate", event.rate},
                     {"loss", event.loss},
                     {"classification", event.classification},
                     {"masked_share", event.masked_share},
                     {"images", event.images},
                     {"seconds", event.seconds},
                     {"data_wait", event.data_wait}};
  if (event.contrast) row["contrast"] = *event.contrast;
  if (event.mean_cosine) row["mean_cosine"] = *event.mean_cosine;
  if (event.zero_features) row["zero_features"] = *event.zero_features;
  if (event.images > 0) append(row);

  last_epoch_ = event.epoch;
  images_ += event.images;
  train_seconds_ += event.seconds;
  wait_seconds_ += event.data_wait;
  epoch_signs_ = {};
  epoch_signs_.epoch = event.epoch;
  epoch_signs_.masking_started = event.epoch >= mask_start_;
  epoch_signs_.contrast_loss = event.contrast;
  epoch_signs_.mean_cosine = event.mean_cosine;
  epoch_signs_.near_zero_share = event.zero_features;
  return train::Answer::go_on;
}

train::Answer Recorder::on(const train::Evaluation& event) {
  const metrics::Accuracy accuracy =
      metrics::accuracy(*event.predictions, train_counts_, recipe_.groups);
  nlohmann::json row{{"type", "evaluation"},
                     {"epoch", event.epoch},
                     {"set", event.set},
                     {"seconds", event.seconds},
                     {"accuracy", to_json(accuracy, false)}};
  append(row);
  (event.set == "test" ? test_ : validation_) = *event.predictions;
  const bool staged = recipe_.stage.name != method::StageName::none;
  if (staged && event.set == "test" && event.epoch + 1 == epochs_) {
    before_stage_ = judge(*event.predictions, train_counts_, recipe_.groups);
    before_stage_["epoch"] = event.epoch;
  }
  if (event.set != best_set_) return train::Answer::go_on;

  // A rule that begins with masks or after them, and a second stage, trade classes on purpose: from
  // their start on the signs would blame masks. Where a rule begins before them, what they are held
  // to has it too.
  const int rule = method::first_rule_epoch(recipe_.method, epochs_);
  const bool with_masks = rule > 0 && rule >= mask_start_;
  const bool ruled = in_stage(event.epoch) || (with_masks && event.epoch >= rule);
  if (!ruled) {
    epoch_signs_.many = accuracy.many;
    epoch_signs_.all = accuracy.all;
    epoch_signs_.tail = accuracy.tail;
  }
  if (accuracy.all > best_.all) {
    best_ = {event.epoch, accuracy.all, to_json(accuracy, true)};
  }
  return train::Answer::go_on;
}

train::Answer Recorder::on(const train::EpochDone& event) {
  check_finite(network_, event.epoch);
  folder_.check_there();
  const std::map<std::string, std::string> epoch{{"epoch", std::to_string(event.epoch)}};
  network_.save_weights(folder_.weights_file("last").string(), epoch);
  // Only now: a stop between two evaluations stores the point before them, with the best before.
  if (best_.epoch == event.epoch) network_.save_weights(best_weights().string(), epoch);
  for (const std::string& warning : signs_.add(epoch_signs_)) {
    log::warn(warning);
    warnings_.push_back(warning);
    append({{"type", "warning"}, {"epoch", event.epoch}, {"text", warning}});
  }
  return train::Answer::go_on;
}

void Recorder::append(nlohmann::json row) {
  if (in_stage(row.at("epoch").get<int>())) row["stage"] = method::text_of(recipe_.stage.name);
  folder_.append_metrics(row);
  ++rows_;
  if (events_) events_->add(row, unix_time());
}

void Recorder::keep_best_weights(const std::filesystem::path& checkpoint) const {
  if (best_.epoch < 0 || !std::filesystem::exists(best_weights())) return;
  format::link_or_copy(best_weights(), record::best_weights_beside(checkpoint));
}

void Recorder::restore_best_weights(const std::filesystem::path& checkpoint) {
  if (best_.epoch < 0) return;
  const auto kept = record::best_weights_beside(checkpoint);
  if (std::filesystem::exists(kept)) {
    format::link_or_copy(kept, best_weights());
  } else {
    std::filesystem::remove(best_weights());  // of a later epoch
    log::warn(concat(kept.string(), " is missing: the best weights so far, of epoch ",
                     best_.epoch + 1, ", are lost unless a later epoch is better"));
  }
}

void check_finite(const nn::Network& network, int epoch) {
  if (!network.is_finite()) report_not_finite(epoch);
}

void report_not_finite(int epoch) {
  throw DivergedError(
      concat("weights, momentum or statistics are not finite in epoch ", epoch,
             " (from 0): they are not stored; lower schedule.rate, contrast.mu or, in a second "
             "stage, stage.rate"));
}

nlohmann::json Recorder::state() const {
  const metrics::FailureSigns::State& signs = signs_.state();
  const auto& before = signs.before_masking;
  nlohmann::json out{
      {"best", {{"epoch", best_.epoch}, {"all", best_.all}, {"accuracy", best_.accuracy}}},
      {"train_seconds", train_seconds_},
      {"wait_seconds", wait_seconds_},
      {"images", images_},
      {"last_epoch", last_epoch_},
      {"warnings", warnings_},
      {"signs",
       {{"many", format::number_or_null(before.many)},
        {"all", format::number_or_null(before.all)},
        {"tail", format::number_or_null(before.tail)},
        {"masking_started", signs.masking_started},
        {"contrast_losses", signs.contrast_losses},
        {"given", signs.given}}}};
  if (!stage_.empty()) out["stage"] = stage_;
  if (!before_stage_.empty()) out["before_stage"] = before_stage_;
  return out;
}

void Recorder::restore(const nlohmann::json& state, std::size_t metrics_rows,
                       const std::string& origin) {
  constexpr std::int64_t kLargest = 1'000'000'000;
  format::reading(origin, [&] {
    const nlohmann::json& best = state.at("best");
    const auto best_epoch = format::integer_at(best, "epoch", -1, kLargest, origin);
    best_ = {static_cast<int>(best_epoch), best.at("all").get<double>(), best.at("accuracy")};
    train_seconds_ = state.at("train_seconds").get<double>();
    wait_seconds_ = state.at("wait_seconds").get<double>();
    images_ = format::integer_at(state, "images", 0, kLargest * 1'000'000, origin);
    last_epoch_ = static_cast<int>(format::integer_at(state, "last_epoch", -1, kLargest, origin));
    warnings_ = state.at("warnings").get<std::vector<std::string>>();
    const nlohmann::json& stored = state.at("signs");
    metrics::FailureSigns::State signs;
    signs.before_masking = {format::optional_number(stored.at("many")),
                            format::optional_number(stored.at("all")),
                            format::optional_number(stored.at("tail"))};
    signs.masking_started = stored.at("masking_started").get<bool>();
    signs.contrast_losses = stored.at("contrast_losses").get<std::deque<double>>();
    signs.given = stored.at("given").get<std::array<bool, 5>>();
    signs_.restore(std::move(signs));
    stage_ = state.value("stage", nlohmann::json::object());
    before_stage_ = state.value("before_stage", nlohmann::json::object());
  });
  rows_ = metrics_rows;
}

nlohmann::json Recorder::summary() const {
  nlohmann::json out{
      {"format_version", 1},
      {"run", folder_.name()},
      {"finished_at", utc_now()},
      {"epochs", epochs_},
      {"images_seen", images_},
      {"train_seconds", train_seconds_},
      {"images_per_second",
       train_seconds_ > 0 ? static_cast<double>(images_) / train_seconds_ : 0.0},
      {"data_wait_share", train_seconds_ > 0 ? wait_seconds_ / train_seconds_ : 0.0},
      {"peak_memory_mb", peak_memory_mb()},
      {"precision", recipe_.runtime.precision},
      {"train_counts", train_counts_},
      {"groups",
       {{"many_above", recipe_.groups.many_above}, {"few_below", recipe_.groups.few_below}}},
      {"warnings", warnings_}};
  out["last"] = judge(test_, train_counts_, recipe_.groups);
  out["last"]["epoch"] = last_epoch_;
  if (validation_.size() > 0) {
    out["validation"] = judge(validation_, train_counts_, recipe_.groups);
    out["validation"]["epoch"] = last_epoch_;
  }
  if (recipe_.stage.name != method::StageName::none) {
    out["stage"] = stage_;
    out["stage"]["name"] = method::text_of(recipe_.stage.name);
    if (!before_stage_.empty()) out["before_stage"] = before_stage_;
  }
  if (best_.epoch >= 0) {
    out["best_on_" + best_set_] = {
        {"epoch", best_.epoch}, {"set", best_set_}, {"accuracy", best_.accuracy}};
  }
  return out;
}

}  // namespace smcl::experiment
