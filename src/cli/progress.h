#pragma once

#include <chrono>
#include <string>

#include "train/observer.h"

namespace smcl::cli {

/// Progress of a run on standard error: on a terminal one line that is redrawn, elsewhere a plain
/// line after an epoch, at most one every few seconds.
class Progress : public train::Observer {
 public:
  /// `alone`: no other run is trained at the same time; else nothing is redrawn.
  Progress(bool quiet, bool alone);
  /// What is said of an end stands on a line of its own.
  ~Progress() override { clear(); }

  using Observer::on;
  train::Answer on(const train::RunBegin& event) override;
  train::Answer on(const train::StageBegin& event) override;
  train::Answer on(const train::StepEnd& event) override;
  train::Answer on(const train::EpochEnd& event) override;
  train::Answer on(const train::Evaluation& event) override;
  train::Answer on(const train::RunEnd& event) override;

 private:
  using Clock = std::chrono::steady_clock;
  double images_per_second() const;
  std::string time_left(double epochs_done) const;
  void redraw(const std::string& line);
  void clear();

  bool quiet_;
  bool terminal_;
  Clock::time_point start_;
  Clock::time_point last_;
  Clock::time_point last_evaluation_;
  Clock::time_point epoch_start_;
  bool at_epoch_start_ = true;
  train::RunBegin run_;
  std::int64_t epoch_images_ = 0;
  bool drawn_ = false;
};

/// "45 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

}  // namespace smcl::cli
