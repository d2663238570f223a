#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "metrics/metrics.h"
#include "nn/network.h"

namespace smcl::train {

/// Logits of `samples` of a set, in their order, without augmentation, in batches of `batch_size`.
/// Throws DivergedError where a logit is not finite.
metrics::Predictions evaluate(nn::Network& network, const data::Dataset& dataset,
                              const std::vector<std::uint32_t>& samples,
                              const data::Normalisation& normalisation, int batch_size = 256);

/// The same, but nothing as soon as `stop`, asked before each batch, says so.
std::optional<metrics::Predictions> evaluate_unless(const std::function<bool()>& stop,
                                                    nn::Network& network,
                                                    const data::Dataset& dataset,
                                                    const std::vector<std::uint32_t>& samples,
                                                    const data::Normalisation& normalisation,
                                                    int batch_size = 256);

}  // namespace smcl::train
