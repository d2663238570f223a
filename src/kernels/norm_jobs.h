#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batch_norm.h"

/// What launches of batch norm on a GPU are asked for, in plain pointers to the device's memory.
namespace smcl::kernels {

inline constexpr int kNormThreads = 512;
inline constexpr int kNormBlocks = 128;        ///< of a launch that sums, at most
inline constexpr int kNormMostChannels = 512;  ///< threads of a row must fit into a block

/// Memory of a launch that sums; launches that may run at once need one each.
struct NormWorkspace {
  float* partial = nullptr;         ///< [kNormBlocks][2][channels]
  std::uint32_t* ticket = nullptr;  ///< 0 between launches
};

/// Whether the launches can take that many channels.
constexpr bool norm_launch_fits(std::size_t channels) {
  return channels > 0 && channels % 8 == 0 && channels <= kNormMostChannels;
}

/// Statistics of x: the batch's mean and inverse deviation, what norm_apply needs, and the running
/// ones moved.
struct NormStatisticsJob {
  const void* x = nullptr;
  NormShape shape;
  const float* weight = nullptr;  ///< null with scale: only the running statistics are wanted
  const float* bias = nullptr;
  float* mean = nullptr;  ///< [channels] each, out
  float* inverse = nullptr;
  float* scale = nullptr;
  float* shift = nullptr;
  float* running_mean = nullptr;  ///< null: they stay
  float* running_var = nullptr;
  double momentum = 0.1;
  double epsilon = 1e-5;
  NormWorkspace workspace;
};

/// y = relu(x * scale + shift + residual), or by the running statistics.
struct NormApplyJob {
  const void* x = nullptr;
  const void* residual = nullptr;  ///< null: nothing is added
  void* y = nullptr;               ///< may be x
  NormShape shape;
  const float* scale = nullptr;
  const float* shift = nullptr;
  bool running = false;  ///< scale and shift are those of what follows, which else is not read
  const float* weight = nullptr;
  const float* bias = nullptr;
  const float* running_mean = nullptr;
  const float* running_var = nullptr;
  double epsilon = 1e-5;
};

/// The gradient that comes into a norm: `dy` + `other`, or that of a mean over the rows of an
/// image.
struct NormIncoming {
  const void* dy = nullptr;
  const void* other = nullptr;    ///< null: nothing is added
  const float* pooled = nullptr;  ///< [images][channels]; then dy is null
  std::uint32_t rows_of_image = 1;
};

/// The sums of norm_backward_sums and the factors of norm_backward_factors.
struct NormBackwardSumsJob {
  NormIncoming in;
  const void* y = nullptr;
  const void* x = nullptr;
  NormShape shape;
  const float* weight = nullptr;
  const float* mean = nullptr;
  const float* inverse = nullptr;
  float* weight_gradient = nullptr;  ///< [channels] each, out
  float* bias_gradient = nullptr;
  float* factors = nullptr;  ///< [3][channels], out
  NormWorkspace workspace;
};

/// dx = a * dy' + b * x + c.
struct NormBackwardApplyJob {
  NormIncoming in;
  const void* y = nullptr;
  const void* x = nullptr;
  NormShape shape;
  const float* factors = nullptr;
  void* dx = nullptr;      ///< may be in.dy
  void* masked = nullptr;  ///< dy'; null: not wanted; may be in.other
};

}  // namespace smcl::kernels
