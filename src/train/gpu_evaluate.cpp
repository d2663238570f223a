#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "train/evaluate.h"
#include "train/gpu_work.h"

namespace smcl::train {
namespace {

batch::ExecutorSettings as_it_is(const data::Normalisation& normalisation,
                                 batch::Precision precision) {
  batch::ExecutorSettings settings;
  settings.normalisation = normalisation;
  settings.precision = precision;
  settings.mask.prob = 0.0;
  return settings;
}

}  // namespace

struct GpuEvaluation::State {
  /// Batches of one size.
  struct Kind {
    kernels::StepShape shape;
    at::Tensor logits;
    GpuWork work;
  };

  tensor::Gpu& gpu;
  nn::Network& network;
  const data::Dataset& dataset;
  std::vector<std::uint32_t> samples;
  std::unique_ptr<tensor::GpuBatches> batches;
  std::deque<Kind> kinds;  ///< which recorded work refers to
  std::string why_eager;

  Kind& kind_of(const kernels::StepShape& shape) {
    const auto found = std::find_if(kinds.begin(), kinds.end(),
                                    [&](const Kind& kind) { return kind.shape == shape; });
    if (found != kinds.end()) return *found;
    const auto options = at::TensorOptions().dtype(at::kFloat).device(gpu.device());
    kinds.push_back({shape, at::zeros({shape.count, network.classes()}, options), {}});
    return kinds.back();
  }

  void compute(const Kind& kind) {
    const at::NoGradGuard no_gradient;
    kind.logits.copy_(network.forward(batches->make(kind.shape).images, {}).logits);
  }

  /// The next batch, into its kind's logits.
  const at::Tensor& next(int step) {
    Kind& kind = kind_of(batches->shape(step));
    const std::string failure =
        kind.work.run(gpu, 1, why_eager.empty(), [this, &kind] { compute(kind); });
    if (!failure.empty()) {
      why_eager = concat("evaluation could not be recorded: ", failure);
      log::warn(concat("it is slower: ", why_eager));
    }
    return kind.logits;
  }
};

GpuEvaluation::GpuEvaluation(tensor::Gpu& gpu, nn::Network& network, const data::Dataset& dataset,
                             std::vector<std::uint32_t> samples,
                             const data::Normalisation& normalisation, bool eager, int batch_size)
    : state_(new State{gpu,
                       network,
                       dataset,
                       std::move(samples),
                       nullptr,
                       {},
                       eager ? "run.graph = false" : ""}) {
  const auto count = static_cast<int>(state_->samples.size());
  if (count == 0) return;
  const int most = std::min(batch_size, count);
  state_->batches = gpu.batches(as_it_is(normalisation, network.store().precision()), dataset, 0,
                                {most, (count + most - 1) / most, 0});
  state_->batches->load_evaluation(state_->samples);
}

GpuEvaluation::~GpuEvaluation() = default;

std::string GpuEvaluation::graph() const {
  const bool recorded = std::any_of(state_->kinds.begin(), state_->kinds.end(),
                                    [](const State::Kind& kind) { return kind.work.recorded(); });
  return graph_of(state_->why_eager, recorded);
}

metrics::Predictions GpuEvaluation::operator()() {
  State& state = *state_;
  metrics::Predictions result;
  result.classes = state.network.classes();
  if (state.samples.empty()) return result;
  const auto count = static_cast<std::int64_t>(state.samples.size());
  const at::Tensor all = at::zeros(
      {count, result.classes}, at::TensorOptions().dtype(at::kFloat).device(state.gpu.device()));
  state.batches->seek(0);
  std::int64_t done = 0;
  for (int step = 0; step < state.batches->steps(); ++step) {
    const at::Tensor& logits = state.next(step);
    all.narrow(0, done, logits.size(0)).copy_(logits);
    done += logits.size(0);
  }
  const at::Tensor values = all.cpu();
  result.logits.assign(values.const_data_ptr<float>(),
                       values.const_data_ptr<float>() + values.numel());
  check_finite(result, state.samples);
  for (const std::uint32_t sample : state.samples) {
    result.labels.push_back(state.dataset.label(sample));
  }
  return result;
}

}  // namespace smcl::train
