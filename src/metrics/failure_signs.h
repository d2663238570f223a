#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace smcl::metrics {

/// When a run is warned of the ways in which masking and contrast are known to fail.
struct FailureSignOptions {
  double many_drop = 0.05;       ///< fall of many-shot accuracy below its value before masking
  int contrast_epochs = 5;       ///< consecutive epochs over which the contrastive loss grows
  double contrast_growth = 0.1;  ///< and the least growth over them, as a fraction
  double cosine_above = 0.95;    ///< mean pairwise cosine of embeddings, in [-1, 1]
  int settle_epochs = 5;         ///< first epochs, in which embeddings may still be alike
  double near_zero_above = 0.5;  ///< share of near-zero features, in [0, 1]
  double tail_rise = 0.02;       ///< rise of the tail third since masking started
  double all_fall = 0.01;        ///< and the fall of overall accuracy that goes with it
};

/// What is known after an epoch; a quantity that was not measured has no value and raises no sign.
struct EpochSigns {
  int epoch = 0;                          ///< 0-based
  bool masking_started = false;           ///< this epoch's steps could be masked
  std::optional<double> many, all, tail;  ///< accuracies in [0, 1]; tail: tail third
  std::optional<double> contrast_loss;    ///< mean over the epoch
  std::optional<double> mean_cosine;      ///< over pairs of different images
  std::optional<double> near_zero_share;  ///< of the features of masked images
};

/// Watches a run for the failure signs of docs/method.md. Accuracies are compared with the last
/// ones known before masking started; a run that masks from its first epoch has none to compare
/// with, so its first masked epoch serves.
class FailureSigns {
 public:
  explicit FailureSigns(FailureSignOptions options = {}) : options_(options) {}

  struct Baseline {
    std::optional<double> many, all, tail;
  };
  /// What a run that is resumed must know again.
  struct State {
    Baseline before_masking;
    bool masking_started = false;
    std::deque<double> contrast_losses;  ///< of the last epochs, oldest first
    std::array<bool, 5> given{};         ///< by sign, in the order of method.md's list
  };
  const State& state() const { return state_; }
  void restore(State state) { state_ = std::move(state); }

  /// New warnings, one line each; every sign is given at most once a run.
  std::vector<std::string> add(const EpochSigns& signs);

 private:
  enum Sign { many_drops, contrast_grows, embeddings_collapse, features_vanish, tail_at_cost };

  void update_baseline(const EpochSigns& signs);
  std::optional<std::string> many_dropped(const EpochSigns& signs) const;
  std::optional<std::string> contrast_grew(const EpochSigns& signs);
  std::optional<std::string> collapsed(const EpochSigns& signs) const;
  std::optional<std::string> vanished(const EpochSigns& signs) const;
  std::optional<std::string> tail_rose_at_cost(const EpochSigns& signs) const;

  FailureSignOptions options_;
  State state_;
};

}  // namespace smcl::metrics
