#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch/loader.h"
#include "data/dataset.h"
#include "experiment/recipe.h"
#include "method/method.h"
#include "method/stage.h"
#include "nn/network.h"
#include "nn/stage_classifier.h"
#include "tensor/tensor_batch.h"
#include "train/evaluate.h"

namespace smcl::bench {

constexpr int kBatch = 128;

/// A recipe of one epoch from dotted keys.
inline experiment::Recipe recipe(const std::string& toml) {
  return experiment::resolve_recipe(config::Document::parse(toml + "train.epochs = 1\n", "bench"),
                                    "bench");
}

/// One of our ways to train ResNet-32 on the CPU, ready to step; the second stage where the recipe
/// has one that learns.
class OwnStep {
 public:
  OwnStep(experiment::Recipe recipe, batch::Precision precision, const data::ResidentDataset& data)
      : recipe_(std::move(recipe)),
        network_(recipe_.network, 10, 0, precision, at::kCPU),
        data_(data) {
    std::vector<std::uint32_t> samples(data.size());
    std::vector<std::int32_t> labels(data.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      samples[i] = static_cast<std::uint32_t>(i);
      labels[i] = data.label(i);
    }
    const bool second = method::stage_learns(recipe_.stage);
    planner_ = std::make_shared<const plan::Planner>(
        second ? recipe_.stage_planner_settings() : recipe_.planner_settings(), samples, labels,
        10);
    std::vector<int> counts(10);
    for (const auto label : labels) ++counts[static_cast<std::size_t>(label)];
    if (second) {
      const bool scaled = recipe_.stage.name == method::StageName::lws;
      classifier_.emplace(scaled ? nn::StageKind::scaled : nn::StageKind::retrained,
                          recipe_.network, network_);
      classifier_->begin(network_, 0);
      method_ = std::make_unique<method::SecondStage>(*classifier_);
    } else {
      method_ =
          method::make_method(recipe_.method, recipe_.train.epochs, counts,
                              planner_->target_probabilities(), nn::logit_scale(recipe_.network));
    }
    batch::ExecutorSettings settings =
        second ? recipe_.stage_executor_settings({}) : recipe_.executor_settings({});
    settings.precision = precision;
    loader_ = std::make_unique<batch::Loader>(planner_, settings, data, 1, 3);
    start_epoch();
  }

  /// Seconds a step, with batches from the loader or one batch again and again.
  double step(bool fresh) {
    const auto start = Clock::now();
    const batch::Batch& batch = fresh ? next() : kept();
    tensor::FlatStore& store = method_->trained(network_);
    store.zero_gradients();
    method_->loss(network_, tensor::to_tensors(batch, at::kCPU), 0).total.backward();
    tensor::sgd_step(store, 0.01, 0.9, 2e-4);
    return seconds_since(start);
  }

  /// Seconds that the evaluation of as many images takes.
  double evaluate() {
    const auto start = Clock::now();
    std::vector<std::uint32_t> samples(kBatch);
    std::iota(samples.begin(), samples.end(), first_);
    first_ = (first_ + kBatch) % 512;
    train::evaluate(network_, data_, samples, {}, kBatch);
    return seconds_since(start);
  }

 private:
  using Clock = std::chrono::steady_clock;

  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  void start_epoch() { loader_->start_epoch(classifier_ ? recipe_.train.epochs : 0, 0); }
  const batch::Batch& next() {
    const batch::Batch* batch = loader_->next();
    if (batch == nullptr || batch->count < kBatch) {  // the short last batch is not measured
      start_epoch();
      batch = loader_->next();
    }
    return *batch;
  }
  const batch::Batch& kept() {
    if (kept_.count == 0) kept_ = next();
    return kept_;
  }

  experiment::Recipe recipe_;
  nn::Network network_;
  const data::ResidentDataset& data_;
  std::uint32_t first_ = 0;
  std::shared_ptr<const plan::Planner> planner_;
  std::optional<nn::StageClassifier> classifier_;
  std::unique_ptr<method::Method> method_;
  std::unique_ptr<batch::Loader> loader_;
  batch::Batch kept_;
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace smcl::bench
