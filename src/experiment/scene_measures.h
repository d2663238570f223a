#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "data/open.h"
#include "metrics/bootstrap.h"
#include "metrics/metrics.h"
#include "nn/network.h"

namespace smcl::experiment {

/// Measures of bias by backgrounds of predictions on `set`, all of its images in order
/// (docs/scenes.md): gaps with bootstrap intervals by shot group, flips, few-shot images taken for
/// major classes; `bootstrap`: of the intervals. Keys in docs/run-folder.md.
nlohmann::json scene_bias(const data::Scenes& set, const data::SceneTruth& truth,
                          const metrics::Predictions& predictions,
                          std::span<const int> train_counts, const metrics::GroupBounds& bounds,
                          const metrics::Bootstrap& bootstrap = {});

/// What the network says of the background-only images.
nlohmann::json background_only(const data::SceneSets& scenes, nn::Network& network,
                               const data::Opened& data, const metrics::GroupBounds& bounds);

}  // namespace smcl::experiment
