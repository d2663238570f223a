#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "core/log.h"

namespace smcl::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kPlainInterval{5};

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string percent(const std::optional<double>& share) {
  return share ? fixed(*share * 100.0, 1) : std::string("-");
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  std::ostringstream out;
  if (whole < 60) {
    out << whole << " s";
  } else if (whole < 3600) {
    out << whole / 60 << " min " << std::setw(2) << std::setfill('0') << whole % 60 << " s";
  } else {
    out << whole / 3600 << " h " << std::setw(2) << std::setfill('0') << whole / 60 % 60 << " min";
  }
  return out.str();
}

Progress::Progress(bool quiet, bool alone)
    : quiet_(quiet), terminal_(alone && isatty(STDERR_FILENO) != 0), start_(Clock::now()) {}

train::Answer Progress::on(const train::RunBegin& event) {
  run_ = event;
  start_ = Clock::now();
  last_ = last_evaluation_ = start_ - kPlainInterval;
  return train::Answer::go_on;
}

train::Answer Progress::on(const train::StageBegin& event) {
  // Its steps cost less: what is left is judged by them alone.
  run_.steps_per_epoch = event.steps_per_epoch;
  run_.first_epoch = event.epoch;
  run_.first_step = event.step;
  start_ = Clock::now();
  at_epoch_start_ = true;
  return train::Answer::go_on;
}

double Progress::images_per_second() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - epoch_start_).count();
  return seconds > 0.0 ? static_cast<double>(epoch_images_) / seconds : 0.0;
}

std::string Progress::time_left(double epochs_done) const {
  const double begin =
      run_.first_epoch + static_cast<double>(run_.first_step) / std::max(run_.steps_per_epoch, 1);
  const double here = epochs_done - begin;  // by this process
  if (here <= 0.0) return "?";
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return duration_text(seconds / here * (run_.epochs - epochs_done));
}

void Progress::redraw(const std::string& line) {
  std::cerr << "\r\033[K" << line << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::cerr << "\r\033[K" << std::flush;
  drawn_ = false;
}

train::Answer Progress::on(const train::StepEnd& event) {
  const auto now = Clock::now();
  if (at_epoch_start_) {
    // The first step's own time is lost to the rate; its images are too.
    at_epoch_start_ = false;
    epoch_start_ = now;
    epoch_images_ = 0;
    return train::Answer::go_on;
  }
  epoch_images_ += event.images;
  if (quiet_ || !terminal_ || now - last_ < kRedraw) return train::Answer::go_on;
  last_ = now;
  const double done = event.epoch + (event.step + 1.0) / run_.steps_per_epoch;
  redraw("epoch " + std::to_string(event.epoch + 1) + '/' + std::to_string(run_.epochs) +
         "  step " + std::to_string(event.step + 1) + '/' + std::to_string(run_.steps_per_epoch) +
         "  " + fixed(images_per_second(), 0) + " img/s  " + time_left(done) + " left");
  return train::Answer::go_on;
}

train::Answer Progress::on(const train::EpochEnd& event) {
  at_epoch_start_ = true;
  if (event.images == 0) return train::Answer::go_on;  // tau-normalisation trains nothing
  const auto now = Clock::now();
  const bool last_epoch = event.epoch + 1 == run_.epochs;
  std::ostringstream line;
  line << "epoch " << event.epoch + 1 << '/' << run_.epochs << "  loss " << fixed(event.loss, 3);
  if (event.contrast) line << "  contrast " << fixed(*event.contrast, 3);
  line << "  rate " << event.rate << "  masked or mixed " << percent(event.masked_share) << " %  "
       << fixed(static_cast<double>(event.images) / std::max(event.seconds, 1e-9), 0)
       << " img/s  waiting " << percent(event.data_wait / std::max(event.seconds, 1e-9)) << " %  "
       << time_left(event.epoch + 1.0) << " left";
  if (quiet_ || (!terminal_ && !last_epoch && now - last_ < kPlainInterval)) {
    log::debug(line.str());
    return train::Answer::go_on;
  }
  clear();
  last_ = now;
  log::info(line.str());
  return train::Answer::go_on;
}

train::Answer Progress::on(const train::Evaluation& event) {
  std::int64_t right = 0;
  for (std::size_t row = 0; row < event.predictions->size(); ++row) {
    right += event.predictions->predicted(row) == event.predictions->labels[row] ? 1 : 0;
  }
  const double share = static_cast<double>(right) /
                       static_cast<double>(std::max<std::size_t>(1, event.predictions->size()));
  const std::string line = "epoch " + std::to_string(event.epoch + 1) + '/' +
                           std::to_string(run_.epochs) + "  " + event.set + " accuracy " +
                           fixed(share * 100.0, 1) + " %  (" + duration_text(event.seconds) + ")";
  const auto now = Clock::now();
  const bool last_epoch = event.epoch + 1 == run_.epochs;
  if (quiet_ || (!terminal_ && !last_epoch && now - last_evaluation_ < kPlainInterval)) {
    log::debug(line);
    return train::Answer::go_on;
  }
  clear();
  last_evaluation_ = now;
  log::info(line);
  return train::Answer::go_on;
}

train::Answer Progress::on(const train::RunEnd& event) {
  clear();
  if (!quiet_) log::info("trained in " + duration_text(event.seconds));
  return train::Answer::go_on;
}

}  // namespace smcl::cli
