#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiment/event_file.h"
#include "experiment/recipe.h"
#include "metrics/failure_signs.h"
#include "nn/network.h"
#include "record/run_folder.h"
#include "train/observer.h"

namespace smcl::experiment {

/// Writes a run's folder while it trains: metrics.jsonl and its image for TensorBoard, weights,
/// predictions of the last epoch; gathers what summary.json says; watches for failure signs.
class Recorder : public train::Observer {
 public:
  /// `folder`, `network` and `train_counts` outlive the recorder.
  Recorder(const Recipe& recipe, record::RunFolder& folder, const nn::Network& network,
           const std::vector<int>& train_counts, bool has_validation);

  using train::Observer::on;
  train::Answer on(const train::RunBegin& event) override;
  train::Answer on(const train::StageBegin& event) override;
  train::Answer on(const train::EpochEnd& event) override;
  train::Answer on(const train::Evaluation& event) override;
  train::Answer on(const train::EpochDone& event) override;

  /// What a resumed run must know again; and back. `restore` throws DataError, naming `origin`.
  nlohmann::json state() const;
  void restore(const nlohmann::json& state, std::size_t metrics_rows, const std::string& origin);
  /// Adds to what summary.json says of the second stage: how it was chosen.
  void note_stage(const nlohmann::json& fields) { stage_.update(fields); }
  /// Rows that metrics.jsonl has.
  std::size_t metrics_rows() const { return rows_; }
  /// Keeps the best weights so far beside a checkpoint that is about to be written.
  void keep_best_weights(const std::filesystem::path& checkpoint) const;
  /// Back to those that `checkpoint` knows of; a warning where they are gone. From another run's
  /// checkpoint too.
  void restore_best_weights(const std::filesystem::path& checkpoint);

  /// What the run was, as far as its events tell: the measured part of summary.json.
  nlohmann::json summary() const;
  /// Of the last evaluation on the test set.
  const metrics::Predictions& test_predictions() const { return test_; }
  /// Of the last evaluation on validation; empty without one.
  const metrics::Predictions& validation_predictions() const { return validation_; }

 private:
  struct Best {
    int epoch = -1;
    double all = -1.0;
    nlohmann::json accuracy;
  };

  /// Of an epoch: with the name of the second stage where it is in that.
  void append(nlohmann::json row);
  bool in_stage(int epoch) const { return epoch >= epochs_; }
  std::filesystem::path best_weights() const {
    return folder_.weights_file("best_on_" + best_set_);
  }

  const Recipe& recipe_;
  record::RunFolder& folder_;
  std::optional<EventFile> events_;  ///< where run.tensorboard is on
  const nn::Network& network_;
  const std::vector<int>& train_counts_;
  std::string best_set_;  ///< "val" where there is a validation set, else "test"
  Best best_;
  int mask_start_ = 0;
  int epochs_ = 0;  ///< before the second stage
  double train_seconds_ = 0.0;
  double wait_seconds_ = 0.0;
  std::int64_t images_ = 0;
  metrics::FailureSigns signs_;
  metrics::EpochSigns epoch_signs_;
  std::vector<std::string> warnings_;
  metrics::Predictions test_;
  metrics::Predictions validation_;
  nlohmann::json stage_ = nlohmann::json::object();         ///< as note_stage
  nlohmann::json before_stage_ = nlohmann::json::object();  ///< on the test set
  int last_epoch_ = -1;
  std::size_t rows_ = 0;
};

/// Throws DivergedError where something of the network is not finite: before it is stored.
void check_finite(const nn::Network& network, int epoch);
[[noreturn]] void report_not_finite(int epoch);

}  // namespace smcl::experiment
