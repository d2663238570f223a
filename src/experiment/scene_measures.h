#pragma once

#include <nlohmann/json.hpp>

#include "data/open.h"
#include "metrics/metrics.h"
#include "nn/network.h"

namespace smcl::experiment {

/// The measures of bias by backgrounds (docs/scenes.md) that need no further training: bias gaps
/// with bootstrap intervals, flips, few to many, background-only images.
nlohmann::json scene_measures(const data::SceneSets& scenes, const metrics::Predictions& test,
                              nn::Network& network, const data::Opened& data,
                              const metrics::GroupBounds& bounds);

}  // namespace smcl::experiment
