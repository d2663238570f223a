#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/recipe.h"
#include "train/run_point.h"

namespace smcl::experiment {

/// A setting that two recipes have differently.
struct Difference {
  std::string key;
  std::string before;
  std::string now;
};
/// "mask.prob: 0.2 -> 0.5, ..."
std::string text_of(const std::vector<Difference>& differences);

/// All settings but the run's name, by key.
std::vector<Difference> differences(const Recipe& before, const Recipe& now);

/// The same for two recipes only where their settings_hash and the folders of their data are, which
/// are no part of it.
std::string mark_with_folders(const Recipe& recipe);

/// Those of them that can change a bit of the results: not threads, checkpoints, folders.
std::vector<Difference> of_results(std::vector<Difference> all);

/// Throws UsageError, with the keys, where a run of `before` that has come to `point` may not go on
/// as `now`: only train.epochs, eval.*, checkpoint.*, run.* (but run.precision) and the folders of
/// the data may change, and more epochs only where the schedule up to `point` stays what it was.
void check_may_go_on(const Recipe& before, const Recipe& now, const train::RunPoint& point);

/// Settings in which the two recipes differ and which decide something before `epoch`. None: runs
/// of the two have the same bits up to there.
std::vector<Difference> early_differences(const Recipe& before, const Recipe& now, int epoch);
/// Up to the beginning of which epoch, at most `most`, there are none; 0: they differ from the
/// start, as they do where the folders of their data differ.
int shared_epochs(const Recipe& before, const Recipe& now, int most);

/// What decides the bits beside settings and data and is another now than in a stored fingerprint:
/// "threads: 2 -> 4". Empty: the same bits.
std::string fingerprint_changes(const nlohmann::json& before, const nlohmann::json& now);

}  // namespace smcl::experiment
