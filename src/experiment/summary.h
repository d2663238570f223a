#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "metrics/metrics.h"

namespace smcl::experiment {

/// As summary.json and metrics.jsonl hold accuracies; null where a group is empty.
nlohmann::json to_json(const metrics::Accuracy& accuracy, bool per_class);

/// Everything that one set of predictions tells: accuracy, prior-corrected accuracy, calibration.
nlohmann::json judge(const metrics::Predictions& predictions, std::span<const int> train_counts,
                     const metrics::GroupBounds& bounds);

/// Predictions as a run folder keeps them, and back.
void store_predictions(const std::filesystem::path& file, const metrics::Predictions& predictions);
metrics::Predictions stored_predictions(const std::filesystem::path& file);

/// Largest resident memory of this process so far, MiB.
double peak_memory_mb();

/// Now, in seconds since 1970.
double unix_time();

/// Now, UTC, as 2026-01-31T12:00:00Z.
std::string utc_now();

}  // namespace smcl::experiment
