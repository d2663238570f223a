#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "batch/loader.h"
#include "method/method.h"
#include "nn/network.h"
#include "plan/planner.h"
#include "tensor/gpu.h"
#include "train/run_point.h"

namespace smcl::train {

/// What of the optimiser holds for a whole run.
struct OptimiserSettings {
  double momentum = 0.9;
  double weight_decay = 2e-4;  ///< on every parameter, batch norm and bias too
};

/// A step that was taken or, on a GPU, set going.
struct StepTaken {
  int images = 0;  ///< of the ordinary stream
  bool masked = false;
};

/// Carries out the steps of an epoch: batch, losses, gradients, optimiser.
class Steps {
 public:
  virtual ~Steps() = default;
  /// Begins at `begin`, whose sums go on.
  virtual void start(const RunPoint& begin, double rate) = 0;
  /// The next step; nothing at the end of the epoch. Throws DivergedError, with the step and the
  /// samples of its batch, where loss or gradient are not finite: here or at the next point(). The
  /// weights then are those before that step.
  virtual std::optional<StepTaken> next() = 0;
  /// How far the epoch has come. Waits for the steps.
  virtual RunPoint point() = 0;
  /// Seconds in all that next() has waited for batches.
  virtual double seconds_waited() const = 0;
  /// "captured", or "eager" with the reason; empty where there is nothing to capture.
  virtual std::string graph() const { return {}; }
};

/// Steps on the CPU, with batches from `loader`. What is given outlives the result.
std::unique_ptr<Steps> make_steps(const OptimiserSettings& settings, nn::Network& network,
                                  method::Method& method, batch::Loader& loader);

/// Steps on a GPU, where `network` lies. The draws of an epoch are uploaded when it starts; steps
/// of a shape that was seen a few times are recorded and replayed, so that the host only launches
/// them
/// (`eager`: never).
struct GpuStepsParts {
  tensor::Gpu& gpu;
  nn::Network& network;
  method::Method& method;
  std::shared_ptr<const plan::Planner> planner;
  batch::ExecutorSettings executor;
  const data::Dataset& dataset;
  bool eager = false;
};
std::unique_ptr<Steps> make_gpu_steps(const OptimiserSettings& settings,
                                      const GpuStepsParts& parts);

/// One line: "the gradient is not finite in epoch 3, step 7 (from 0)..." with what to do and the
/// samples.
[[noreturn]] void report_not_finite(const char* what, int epoch, int step,
                                    std::span<const std::uint32_t> samples);

}  // namespace smcl::train
