#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiment/tiny.h"

// What an interrupted and resumed run must equal is the run that was never interrupted.
namespace smcl::experiment {

/// A stop at the n-th question (from 0): the first comes before the run, then one after every step,
/// before every batch of an evaluation and after every epoch.
inline std::function<bool()> stop_at(int n) {
  return [left = std::make_shared<int>(n)] { return (*left)-- <= 0; };
}

/// An object without some of its fields.
inline nlohmann::json without(const nlohmann::json& object, const std::set<std::string>& fields) {
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [key, value] : object.items()) {
    if (!fields.contains(key)) out[key] = value;
  }
  return out;
}

/// Rows of metrics.jsonl without what the clock decides.
inline std::vector<nlohmann::json> bits_of_metrics(const RunResult& run) {
  std::vector<nlohmann::json> rows;
  for (const nlohmann::json& row : run.folder.metrics())
    rows.push_back(without(row, {"seconds", "data_wait"}));
  return rows;
}

inline nlohmann::json bits_of_summary(const nlohmann::json& summary) {
  return without(summary, {"run", "finished_at", "seconds", "train_seconds", "images_per_second",
                           "data_wait_share", "peak_memory_mb", "resumes", "branched_from"});
}

inline void expect_same_bits(const RunResult& run, const RunResult& whole,
                             const std::string& what) {
  EXPECT_EQ(weights_hash(run), weights_hash(whole)) << what;
  const auto best = [](const RunResult& of) {
    return format::sha256_of_file(of.folder.weights_file("best_on_val"));
  };
  EXPECT_EQ(best(run), best(whole)) << what;
  EXPECT_EQ(format::sha256_of_file(run.folder.predictions_file("test")),
            format::sha256_of_file(whole.folder.predictions_file("test")))
      << what;
  EXPECT_EQ(bits_of_metrics(run), bits_of_metrics(whole)) << what;
  EXPECT_EQ(bits_of_summary(run.summary), bits_of_summary(whole.summary)) << what;
  EXPECT_EQ(run.summary.at("bit_exact"), true) << what;
}

inline const std::string kEvery = "checkpoint.steps = 1\n";

// Moments given as epochs do not move with the end: a run may be made longer, to the same bits as
// one that was as long from the start.
inline const std::string kFixed =
    "mask.start = 1\nschedule.drops = [2]\nschedule.factors = [0.1]\nschedule.warm_up = 0\n"
    "rule.start = 1\n";

class ResumeSlow : public TinyRuns {
 protected:
  /// In a folder of its own.
  RunResult whole_run(const std::string& extra) {
    RunOptions options = options_;
    options.root = folder() / "whole";
    options.always_new = true;
    return train_recipe(tiny(extra), options);
  }

  /// Trains into `name`, stopped at the n-th question; false where it came to its end before.
  bool stopped_at(const std::string& name, const std::string& extra, int n) {
    options_.root = folder() / name;
    options_.stop = stop_at(n);
    bool stopped = false;
    try {
      train_recipe(tiny(extra), options_);
    } catch (const StoppedError&) {
      stopped = true;
    }
    options_.stop = {};
    return stopped;
  }

  RunResult go_on(const std::string& extra) { return train_recipe(tiny(extra), options_); }

  /// Stops a new run at every `stride`-th question and resumes it.
  int check_points(const std::string& extra, int stride) {
    const RunResult whole = whole_run(extra);
    int points = 0;
    for (int n = 0;; n += stride) {
      const std::string what = concat("stop ", n, " of ", extra);
      if (!stopped_at(concat("point-", n), extra, n)) return points;
      const RunResult run = go_on(extra);
      EXPECT_EQ(run.folder.name(), "tiny-1") << what;
      expect_same_bits(run, whole, what);
      std::filesystem::remove_all(options_.root);
      ++points;
    }
  }
};

}  // namespace smcl::experiment
