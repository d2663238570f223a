#include "experiment/evaluations.h"

#include <optional>

namespace smcl::experiment {

std::string Evaluations::graph() const {
  std::string graph;
  for (const auto& evaluation : on_gpu) {
    if (graph.empty() || graph == "captured") graph = evaluation->graph();
  }
  return graph;
}

Evaluations make_evaluations(const Recipe& recipe, const data::Opened& data, nn::Network& network,
                             tensor::Gpu* gpu, const std::function<bool()>& stop) {
  Evaluations result;
  const auto add = [&](const std::string& name, int every,
                       const std::shared_ptr<const data::Dataset>& set,
                       const std::vector<std::uint32_t>& samples) {
    if (set == nullptr || samples.empty()) return;
    if (gpu != nullptr) {
      const auto evaluation = std::make_shared<train::GpuEvaluation>(
          *gpu, network, *set, samples, data.normalisation, !recipe.runtime.graph);
      result.on_gpu.push_back(evaluation);
      result.sets.push_back(
          {name, every, [evaluation, &stop](nn::Network&) -> std::optional<metrics::Predictions> {
             if (stop && stop()) return std::nullopt;
             return (*evaluation)();
           }});
      return;
    }
    result.sets.push_back({name, every, [&, set](nn::Network& on_cpu) {
                             return train::evaluate_unless(stop, on_cpu, *set, samples,
                                                           data.normalisation);
                           }});
  };
  add("val", recipe.train.val_every, data.validation, data.validation_samples);
  add("test", recipe.train.test_every, data.test, data.test_samples);
  return result;
}

}  // namespace smcl::experiment
