#pragma once

#include <cmath>

#include "core/host_device.h"

/// What a batch norm computes once a channel, for the CPU's and the GPU's kernels.
namespace smcl::kernels {

/// 1 / sqrt(variance + epsilon).
SMCL_HD inline float norm_channel_inverse(double variance, double epsilon) {
  return static_cast<float>(1.0 / sqrt(variance + epsilon));
}

/// As norm_move_running().
SMCL_HD inline void norm_channel_move(double mean, double variance, double rows, double momentum,
                                      float& running_mean, float& running_var) {
  const auto move = [&](float& running, double value) {
    running =
        static_cast<float>((1.0 - momentum) * static_cast<double>(running) + momentum * value);
  };
  // One value has no unbiased variance; its biased one, 0, stands for it.
  const double unbiased = rows / (rows > 2.0 ? rows - 1.0 : 1.0);
  move(running_mean, mean);
  move(running_var, unbiased * variance);
}

struct ScaleShift {
  float scale = 0.0F;
  float shift = 0.0F;
};

/// As norm_forward_factors().
SMCL_HD inline ScaleShift norm_channel_forward(float weight, float bias, float mean,
                                               float inverse) {
  const double factor = static_cast<double>(weight) * static_cast<double>(inverse);
  return {static_cast<float>(factor),
          static_cast<float>(static_cast<double>(bias) - static_cast<double>(mean) * factor)};
}

/// dx = a * dy' + b * x + c.
struct BackwardFactors {
  float a = 0.0F;
  float b = 0.0F;
  float c = 0.0F;
};

/// As norm_backward_factors().
SMCL_HD inline BackwardFactors norm_channel_backward(float weight, float mean, float inverse,
                                                     float sum, float dot, double rows) {
  const auto inv = static_cast<double>(inverse);
  const double factor = static_cast<double>(weight) * inv;
  const double slope = factor * inv * static_cast<double>(dot) / rows;
  return {static_cast<float>(factor), static_cast<float>(-slope),
          static_cast<float>(slope * static_cast<double>(mean) -
                             factor * static_cast<double>(sum) / rows)};
}

}  // namespace smcl::kernels
