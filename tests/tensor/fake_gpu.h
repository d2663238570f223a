#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernels/launch_on_host.h"
#include "tensor/gpu.h"

/// A GPU that is the CPU: what training asks of one, with the same contracts, so that everything
/// but the device's own doing can be tested without one. Batches come from batch::Executor, batch
/// norm and optimiser from the kernels' own arithmetic, block after block; a graph does its work
/// anew.
namespace smcl::tensor::testing {

class FakeBatches : public GpuBatches {
 public:
  FakeBatches(const batch::ExecutorSettings& settings, const data::Dataset& dataset,
              const kernels::BatchCapacity& capacity)
      : settings_(settings), dataset_(dataset), capacity_(capacity), executor_(settings, dataset) {}

  void show_epoch(int epoch) override { shown.push_back(epoch); }
  void load(std::span<const plan::StepPlan> plans) override {
    plans_.assign(plans.begin(), plans.end());
    shapes_.clear();
    const kernels::BatchRules rules = kernels::batch_rules(settings_, dataset_);
    for (const plan::StepPlan& plan : plans_) {
      shapes_.push_back(kernels::pack(plan, rules, dataset_).shape);
    }
    check();
  }
  void load_evaluation(const std::vector<std::uint32_t>& samples) override {
    samples_ = samples;
    const auto most = static_cast<std::size_t>(capacity_.batch_size);
    shapes_.clear();
    for (std::size_t i = 0; i < samples.size(); i += most) {
      const std::size_t count = std::min(most, samples.size() - i);
      shapes_.push_back(kernels::pack_evaluation(samples, i, count, dataset_).shape);
    }
    check();
  }
  int steps() const override { return static_cast<int>(shapes_.size()); }
  const kernels::StepShape& shape(int step) const override {
    return shapes_.at(static_cast<std::size_t>(step));
  }
  void seek(int step) override { next_ = static_cast<std::size_t>(step); }

  TensorBatch make(const kernels::StepShape& shape) override {
    if (!(shape == shapes_.at(next_))) throw std::logic_error("a step of another shape is next");
    if (samples_.empty()) {
      executor_.execute(plans_.at(next_), batch_);
    } else {
      show_samples(shape);
    }
    ++next_;
    TensorBatch out = to_tensors(batch_, at::kCPU);
    out.is_masked.clear();
    return out;
  }

  std::vector<int> shown;

 private:
  void check() {
    next_ = 0;
    if (steps() > capacity_.steps) throw std::logic_error("more steps than the capacity");
  }
  void show_samples(const kernels::StepShape& shape) {
    const auto count = static_cast<std::size_t>(shape.count);
    const kernels::BatchRules rules = kernels::batch_rules(settings_, dataset_);
    kernels::make_room(shape, rules, batch_);
    batch::evaluation_pixels(dataset_, samples_,
                             next_ * static_cast<std::size_t>(capacity_.batch_size), count,
                             settings_.normalisation, settings_.precision, batch_.pixels.data());
    kernels::drop_absent(shape, batch_);
  }

  batch::ExecutorSettings settings_;
  const data::Dataset& dataset_;
  kernels::BatchCapacity capacity_;
  batch::Executor executor_;
  std::vector<plan::StepPlan> plans_;
  std::vector<std::uint32_t> samples_;
  std::vector<kernels::StepShape> shapes_;
  std::size_t next_ = 0;
  batch::Batch batch_;
};

class FakeOptimiser : public GpuOptimiser {
 public:
  void start(const kernels::SgdRates& rates) override {
    state_ = {};
    state_.rates = rates;
  }
  void step(const kernels::SgdSpan& span, const at::Tensor& loss) override {
    kernels::testing::run(kernels::OptimiserJob{span, loss.const_data_ptr<float>(), &state_});
  }
  kernels::OptimiserState state() override { return state_; }

 private:
  kernels::OptimiserState state_;
};

class FakeGpu : public Gpu {
 public:
  at::Device device() const override { return at::kCPU; }
  std::string name() const override { return "a GPU for tests"; }
  std::string versions() const override { return "none"; }
  void on_own_stream(const std::function<void()>& work) override { work(); }
  std::unique_ptr<GpuGraph> record(const std::function<void()>& work) override {
    if (refuses_graphs) throw std::runtime_error("operation not permitted\nsecond line");
    ++graphs;
    return std::make_unique<Graph>(work, launches);
  }
  void eager(const std::function<void()>& work) override {
    if (in_eager_) throw std::logic_error("eager work inside eager work");
    in_eager_ = true;
    work();
    in_eager_ = false;
  }
  void set_deterministic(bool on) override { deterministic = on; }
  std::unique_ptr<GpuBatches> batches(const batch::ExecutorSettings& settings,
                                      const data::Dataset& dataset, int /*epoch*/,
                                      const kernels::BatchCapacity& capacity) override {
    return std::make_unique<FakeBatches>(settings, dataset, capacity);
  }
  std::unique_ptr<GpuOptimiser> optimiser() override { return std::make_unique<FakeOptimiser>(); }
  void norm(const kernels::NormStatisticsJob& job) override { run_norm(job); }
  void norm(const kernels::NormApplyJob& job) override { run_norm(job); }
  void norm(const kernels::NormBackwardSumsJob& job) override { run_norm(job); }
  void norm(const kernels::NormBackwardApplyJob& job) override { run_norm(job); }

  bool refuses_graphs = false;
  std::optional<bool> deterministic;
  int graphs = 0;
  int launches = 0;
  int norms = 0;

 private:
  class Graph : public GpuGraph {
   public:
    Graph(std::function<void()> work, int& launches)
        : work_(std::move(work)), launches_(launches) {}
    void launch() override {
      ++launches_;
      work_();
    }

   private:
    std::function<void()> work_;
    int& launches_;
  };

  bool in_eager_ = false;

  template <class Job>
  void run_norm(const Job& job) {
    ++norms;
    kernels::testing::run(job);
  }
};

}  // namespace smcl::tensor::testing
