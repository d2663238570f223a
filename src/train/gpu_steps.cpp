#include <algorithm>
#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "train/epoch_sums.h"
#include "train/gpu_work.h"
#include "train/steps.h"

namespace smcl::train {
namespace {

using Clock = std::chrono::steady_clock;
using Plans = std::vector<plan::StepPlan>;

// Steps of a kind before it is recorded.
constexpr int kWarmUp = 2;

/// The plans of an epoch from `first` on.
Plans draw(const plan::Planner& planner, int epoch, int first) {
  Plans plans;
  for (int step = first; step < planner.steps_per_epoch(); ++step) {
    plans.push_back(planner.plan(epoch, step));
  }
  return plans;
}

kernels::BatchCapacity capacity_of(const plan::Planner& planner) {
  const plan::PlannerSettings& settings = planner.settings();
  return {settings.batch_size, planner.steps_per_epoch(), plan::target_blocks(settings)};
}

const char* const kReadsMarks =
    "contrast.set, mce.label or bn.stats ask which images of a step are masked";

class GpuSteps : public Steps {
 public:
  GpuSteps(const OptimiserSettings& settings, const GpuStepsParts& parts)
      : settings_(settings),
        gpu_(parts.gpu),
        network_(parts.network),
        method_(parts.method),
        planner_(parts.planner),
        batches_(gpu_.batches(parts.executor, parts.dataset, 0, capacity_of(*planner_))),
        optimiser_(gpu_.optimiser()),
        sums_(gpu_.device()) {
    if (parts.eager) {
      why_eager_ = "run.graph = false";
    } else if (method_.reads_marks()) {
      why_eager_ = kReadsMarks;
    }
    trains_network_ = &method_.trained(network_) == &network_.store();
    // In memory that no recorded step gives to something else.
    const auto options = at::TensorOptions().dtype(at::kFloat).device(gpu_.device());
    const std::int64_t most = planner_->settings().batch_size;
    features_ = at::zeros({most, network_.feature_dim()}, options);
    marks_ = at::zeros({most}, options.dtype(at::kByte));
  }

  void start(const RunPoint& begin, double rate) override {
    const auto since = Clock::now();
    epoch_ = begin.epoch;
    first_ = begin.step;
    step_ = begin.step;
    plans_ = take_plans(epoch_, first_);
    ahead_epoch_ = epoch_ + 1;
    if (ahead_epoch_ < planner_->settings().epochs) {
      ahead_ = std::async(std::launch::async,
                          [planner = planner_, e = ahead_epoch_] { return draw(*planner, e, 0); });
    }
    batches_->show_epoch(epoch_);
    batches_->load(plans_);
    optimiser_->start({static_cast<float>(rate), static_cast<float>(settings_.momentum),
                       static_cast<float>(settings_.weight_decay)});
    sums_.start(begin);
    waited_ += std::chrono::duration<double>(Clock::now() - since).count();
  }

  std::optional<StepTaken> next() override {
    const int index = step_ - first_;
    if (index == batches_->steps()) return std::nullopt;
    const kernels::StepShape shape = batches_->shape(index);
    Kind& kind = kind_of(shape, method_.phase(epoch_));
    const std::int64_t tracked = network_.batches_tracked();
    const std::string failure =
        kind.work.run(gpu_, kWarmUp, why_eager_.empty(), [this, &kind] { take(kind); });
    if (!failure.empty()) {
      why_eager_ = concat("the step could not be recorded: ", failure);
      log::warn(concat("training goes on step by step, slower: ", why_eager_));
    }
    // Batch norm counts the batches that it learns from, which a replay does not tell it.
    network_.set_batches_tracked(trains_network_ ? tracked + 1 : tracked);
    sums_.count(kind.signs, shape.count, shape.masked);
    ++step_;
    return StepTaken{shape.count, shape.masked};
  }

  RunPoint point() override {
    const kernels::OptimiserState state = optimiser_->state();
    if (state.bad != 0) {
      const auto done = static_cast<int>(state.steps);
      std::vector<std::uint32_t> samples;
      for (const plan::ImageDraw& draw : plans_.at(state.steps).images) {
        samples.push_back(draw.index);
      }
      report_not_finite(
          state.bad == static_cast<std::uint32_t>(kernels::Bad::loss) ? "loss" : "gradient", epoch_,
          first_ + done, samples);
    }
    gpu_.eager([this] { method_.install(network_); });
    return sums_.point(step_);
  }

  double seconds_waited() const override { return waited_; }

  std::string graph() const override {
    const bool recorded = std::any_of(kinds_.begin(), kinds_.end(),
                                      [](const auto& kind) { return kind->work.recorded(); });
    return graph_of(why_eager_, recorded);
  }

 private:
  /// Steps that do the same with other values.
  struct Kind {
    kernels::StepShape shape;
    int phase = 0;
    StepSigns signs;
    GpuWork work;
  };

  Plans take_plans(int epoch, int first) {
    if (ahead_.valid()) {
      Plans plans = ahead_.get();
      if (epoch == ahead_epoch_ && first == 0) return plans;
    }
    return draw(*planner_, epoch, first);
  }

  Kind& kind_of(const kernels::StepShape& shape, int phase) {
    const auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& kind) {
      return kind->shape == shape && kind->phase == phase;
    });
    if (found != kinds_.end()) return **found;
    kinds_.push_back(std::make_unique<Kind>());
    kinds_.back()->shape = shape;
    kinds_.back()->phase = phase;
    return *kinds_.back();
  }

  /// One step, enqueued.
  void take(Kind& kind) {
    tensor::FlatStore& store = method_.trained(network_);
    tensor::TensorBatch batch = batches_->make(kind.shape);
    if (method_.reads_marks()) {
      const at::Tensor marks = batch.marks.cpu();
      batch.is_masked.assign(marks.const_data_ptr<std::uint8_t>(),
                             marks.const_data_ptr<std::uint8_t>() + marks.numel());
    }
    store.zero_gradients();
    const method::StepLoss loss = method_.loss(network_, batch, epoch_);
    loss.total.backward();
    optimiser_->step(span_of(store), loss.total.detach());
    sums_.add(loss, batch.count);
    keep_signs(kind.signs, loss, batch);
  }

  void keep_signs(StepSigns& signs, const method::StepLoss& loss,
                  const tensor::TensorBatch& batch) {
    signs.contrast = loss.contrast.defined();
    if (loss.embeddings.defined()) {
      if (!embeddings_.defined()) {
        const std::int64_t most = 2 * planner_->settings().batch_size;
        embeddings_ = at::zeros({most, loss.embeddings.size(1)}, loss.embeddings.options());
      }
      signs.embeddings = embeddings_.narrow(0, 0, loss.embeddings.size(0));
      signs.embeddings.copy_(loss.embeddings);
    }
    if (loss.features.defined()) {
      signs.features = features_.narrow(0, 0, batch.count);
      signs.features.copy_(loss.features);
      signs.marks = marks_.narrow(0, 0, batch.count);
      signs.marks.copy_(batch.marks);
    }
  }

  static kernels::SgdSpan span_of(tensor::FlatStore& store) {
    kernels::SgdSpan span;
    span.parameters = store.parameters().data_ptr<float>();
    span.gradients = store.gradients().const_data_ptr<float>();
    span.momentum = store.momentum().data_ptr<float>();
    if (store.shadow().defined()) {
      span.shadow = static_cast<std::uint16_t*>(store.shadow().data_ptr());
    }
    span.count = static_cast<std::size_t>(store.parameters().numel());
    return span;
  }

  OptimiserSettings settings_;
  tensor::Gpu& gpu_;
  nn::Network& network_;
  method::Method& method_;
  std::shared_ptr<const plan::Planner> planner_;
  std::unique_ptr<tensor::GpuBatches> batches_;
  std::unique_ptr<tensor::GpuOptimiser> optimiser_;
  EpochSums sums_;
  std::string why_eager_;
  bool trains_network_ = true;  ///< not only what a second stage has beside it
  at::Tensor features_, marks_, embeddings_;
  std::vector<std::unique_ptr<Kind>> kinds_;
  Plans plans_;
  std::future<Plans> ahead_;
  int ahead_epoch_ = 0;
  int epoch_ = 0;
  int first_ = 0;  ///< step that the epoch began with
  int step_ = 0;
  double waited_ = 0.0;
};

}  // namespace

std::unique_ptr<Steps> make_gpu_steps(const OptimiserSettings& settings,
                                      const GpuStepsParts& parts) {
  return std::make_unique<GpuSteps>(settings, parts);
}

}  // namespace smcl::train
