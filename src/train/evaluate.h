#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "metrics/metrics.h"
#include "nn/network.h"
#include "tensor/gpu.h"

namespace smcl::train {

/// Throws DivergedError, naming logit and image, where a logit of `samples` is not finite.
void check_finite(const metrics::Predictions& predictions,
                  const std::vector<std::uint32_t>& samples);

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

/// The same on a GPU, for a set that is judged again and again: its bytes stay there, and batches
/// of a size that was seen before are replayed (`eager`: launched one by one).
class GpuEvaluation {
 public:
  /// What is given outlives this; `network` lies on `gpu`. Throws what Gpu::batches throws.
  GpuEvaluation(tensor::Gpu& gpu, nn::Network& network, const data::Dataset& dataset,
                std::vector<std::uint32_t> samples, const data::Normalisation& normalisation,
                bool eager = false, int batch_size = 1000);
  ~GpuEvaluation();
  /// As evaluate().
  metrics::Predictions operator()();
  /// "captured" or "eager: " with the reason, as Steps::graph().
  std::string graph() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smcl::train
