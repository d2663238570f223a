#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/open.h"
#include "experiment/recipe.h"
#include "tensor/gpu.h"
#include "train/evaluate.h"
#include "train/trainer.h"

namespace smcl::experiment {

/// What a run is judged on: held-out images of training and the test set, where there are any.
struct Evaluations {
  std::vector<train::EvaluationSet> sets;
  std::vector<std::shared_ptr<train::GpuEvaluation>> on_gpu;  ///< empty on the CPU

  /// As train::Steps::graph(), of the first on a GPU that is not "captured"; empty on the CPU.
  std::string graph() const;
};

/// What is given outlives the result; `gpu` null: on the CPU. `stop` ends an evaluation.
Evaluations make_evaluations(const Recipe& recipe, const data::Opened& data, nn::Network& network,
                             tensor::Gpu* gpu, const std::function<bool()>& stop);

}  // namespace smcl::experiment
