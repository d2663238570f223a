#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "batch/batch.h"
#include "data/dataset.h"
#include "method/method.h"
#include "nn/network.h"
#include "plan/planner.h"

namespace smcl::test {

/// What one step is made from, as the keys of a recipe (and `step.*`).
struct StepSettings {
  std::uint64_t seed = 1;
  int epochs = 10;
  int epoch = 9;
  int batch_size = 6;
  plan::AugmentSettings augment;
  plan::MaskSettings mask;
  plan::LambdaSettings lambda;
  plan::TargetSettings target;
  plan::MixSettings mix;
  method::MethodSettings method;
  nn::NetworkSettings network{"resnet20", 0.25, 16};
};

/// One step from bytes to gradients on a set of 8 images of 16 x 16 in 3 classes (5, 2, 1 images).
/// tests/python/step_reference.py computes the same on its own.
class Step {
 public:
  /// Data, plan and weights drawn from the seed.
  static Step draw(const std::string& toml);
  /// Data, plan and weights as stored in two fixtures; `shared` holds data, and the weights that
  /// `file` does not have.
  static Step load(const std::filesystem::path& shared, const std::filesystem::path& file);

  /// Executes the plan and computes loss and gradients.
  void run();
  /// Everything that goes in and comes out, as one safetensors file.
  void write(const std::filesystem::path& file) const;

  const plan::StepPlan& plan() const { return plan_; }
  const batch::Batch& batch() const { return batch_; }
  const method::StepLoss& loss() const { return loss_; }
  nn::Network& network() { return *network_; }

 private:
  void settle(const std::string& toml);
  void make_network();

  StepSettings settings_;
  std::string toml_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int32_t> labels_;
  std::unique_ptr<data::ResidentDataset> dataset_;
  std::vector<double> target_probabilities_;
  plan::StepPlan plan_;
  std::unique_ptr<nn::Network> network_;
  std::map<std::string, at::Tensor> before_;  // weights and statistics
  batch::Batch batch_;
  method::StepLoss loss_;
};

}  // namespace smcl::test
