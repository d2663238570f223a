#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "metrics/metrics.h"

namespace smcl::train {

/// What an observer asks of the loop after an event.
enum class Answer { go_on, checkpoint, stop };

struct RunBegin {
  int epochs = 0;        ///< in all
  int stage_epochs = 0;  ///< of these, behind the others: those of the second stage
  int steps_per_epoch = 0;
  int mask_start = 0;   ///< first epoch with masks; epochs where there are none
  int first_epoch = 0;  ///< where this process begins, after a resume or a branch not 0
  int first_step = 0;
};

/// The second stage begins, or goes on, here.
struct StageBegin {
  int epoch = 0;
  int step = 0;
  int steps_per_epoch = 0;
  bool fresh = false;  ///< it begins
};

struct StepEnd {
  int epoch = 0;
  int step = 0;    ///< 0-based within the epoch
  int images = 0;  ///< of the ordinary stream
  double rate = 0.0;
  bool masked = false;
};

/// Means over the images of the ordinary stream.
struct EpochEnd {
  int epoch = 0;
  double rate = 0.0;
  double loss = 0.0;
  double classification = 0.0;
  std::optional<double> contrast;  ///< mean over the steps that had it
  double masked_share = 0.0;       ///< of the steps; mixed ones count too
  std::int64_t images = 0;
  double seconds = 0.0;    ///< of training, without evaluation
  double data_wait = 0.0;  ///< seconds of those spent waiting for batches
  /// Of the embeddings of the epoch's last step that had them.
  std::optional<double> mean_cosine;
  std::optional<double> zero_features;  ///< share of images with near-zero features
};

struct Evaluation {
  int epoch = 0;
  std::string set;  ///< "val" or "test"
  const metrics::Predictions* predictions = nullptr;
  double seconds = 0.0;
};

/// Everything of an epoch has happened, its evaluations included.
struct EpochDone {
  int epoch = 0;
};

struct RunEnd {
  int epochs = 0;
  double seconds = 0.0;
};

/// Watches a run. Every default does nothing and lets it go on.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual Answer on(const RunBegin&) { return Answer::go_on; }
  virtual Answer on(const StageBegin&) { return Answer::go_on; }
  virtual Answer on(const StepEnd&) { return Answer::go_on; }
  virtual Answer on(const EpochEnd&) { return Answer::go_on; }
  virtual Answer on(const Evaluation&) { return Answer::go_on; }
  virtual Answer on(const EpochDone&) { return Answer::go_on; }
  virtual Answer on(const RunEnd&) { return Answer::go_on; }
};

}  // namespace smcl::train
