#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "method/method.h"
#include "tensor/tensor_batch.h"
#include "train/run_point.h"

namespace smcl::train {

/// What failure signs are made of, of a step.
struct StepSigns {
  bool contrast = false;  ///< the step had a contrastive part
  at::Tensor embeddings;  ///< as method::StepLoss
  at::Tensor features;    ///< as method::StepLoss
  at::Tensor marks;       ///< [B] uint8: which rows of `features` are of masked images
};

/// Sums over an epoch, kept on the device until they are asked for.
class EpochSums {
 public:
  explicit EpochSums(at::Device device);

  /// Goes on from `begin`.
  void start(const RunPoint& begin);
  /// Adds a step's losses, weighted by its images: only enqueues.
  void add(const method::StepLoss& loss, std::int64_t images);
  /// Counts a step; tensors of `signs` must stay as they are until the next step or point().
  void count(const StepSigns& signs, std::int64_t images, bool masked);
  /// `begin` with the steps since and `step` as the next one. Waits for the device.
  RunPoint point(int step) const;

 private:
  RunPoint before_;
  at::Tensor sums_;  ///< [3] double: total, classification, contrast
  StepSigns signs_;  ///< the newest of each
  std::int64_t images_ = 0;
  std::int64_t contrast_images_ = 0;
  int masked_steps_ = 0;
};

}  // namespace smcl::train
