#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

/// Batch normalisation (Ioffe & Szegedy 2015) of channels-last activations, fused with ReLU and the
/// addition of a residual, forward and backward. Arithmetic is float32 with fused multiply-add;
/// bf16 (the high half of a float) is widened when read and rounded to nearest even when written,
/// a NaN stays a NaN. Every result is the same for any number of threads and, but for results below
/// 2^-126 in bf16, on every instruction set.
namespace smcl::kernels {

enum class Element { fp32, bf16 };

/// Activations are [rows][channels] without gaps, rows = images * height * width, any size from 1 x
/// 1 on; multiples of 16 channels are fast. Pointers to activations are float or uint16_t (bf16) as
/// `element` says and need no alignment.
struct NormShape {
  std::size_t rows = 0;
  std::size_t channels = 0;
  Element element = Element::fp32;
};

/// Runs work(begin, end) over parts that together make [0, blocks) once, on any threads, and
/// returns when all is done. An empty function stands for work(0, blocks).
using Parallel = std::function<void(
    std::size_t blocks, const std::function<void(std::size_t begin, std::size_t end)>& work)>;

/// Per-channel mean and biased variance (the sum over `rows` divided by `rows`) of x, [channels]
/// each. Sums are of x minus the first row's value, in float32 within blocks of rows and in double
/// over the blocks in their order, so a mean far from 0 costs no precision.
void norm_statistics(const void* x, const NormShape& shape, float* mean, float* variance,
                     const Parallel& parallel = {});

struct NormApply {
  const void* x = nullptr;
  const void* residual = nullptr;  ///< null: nothing is added
  const float* scale = nullptr;    ///< [channels], weight / sqrt(variance + epsilon)
  const float* shift = nullptr;    ///< [channels], bias - mean * scale
  bool relu = true;
  void* y = nullptr;  ///< may be x or residual
};

/// y = relu(x * scale + shift + residual), rounded once.
void norm_apply(const NormApply& op, const NormShape& shape, const Parallel& parallel = {});

struct NormBackwardSums {
  const void* dy = nullptr;
  const void* y = nullptr;  ///< what norm_apply wrote: dy' = dy where y > 0, else 0; null: dy' = dy
  const void* x = nullptr;
  const float* mean = nullptr;     ///< [channels]
  const float* inverse = nullptr;  ///< [channels], 1 / sqrt(variance + epsilon)
  float* sum = nullptr;            ///< [channels], sum of dy': the gradient of the bias
  float* dot = nullptr;            ///< [channels], sum of dy' * (x - mean) * inverse: of the weight
};

/// The sums that backward needs, with the precision of norm_statistics.
void norm_backward_sums(const NormBackwardSums& op, const NormShape& shape,
                        const Parallel& parallel = {});

struct NormBackwardApply {
  const void* dy = nullptr;
  const void* y = nullptr;  ///< as in NormBackwardSums
  const void* x = nullptr;
  const float* a = nullptr;  ///< [channels], as norm_backward_factors fills them
  const float* b = nullptr;
  const float* c = nullptr;
  void* dx = nullptr;      ///< may be dy or x
  void* masked = nullptr;  ///< dy', the gradient of the residual; null: not wanted; may be dy
};

/// dx = a * dy' + b * x + c.
void norm_backward_apply(const NormBackwardApply& op, const NormShape& shape,
                         const Parallel& parallel = {});

/// 1 / sqrt(variance + epsilon).
float norm_inverse(double variance, double epsilon);

/// Moves a channel's running statistics by `momentum` towards a mean and a biased variance over
/// `rows` values; the running variance is the unbiased one (PyTorch's batch norm).
void norm_move_running(double mean, double variance, double rows, double momentum,
                       float& running_mean, float& running_var);

/// scale = weight * inverse, shift = bias - mean * scale; [channels] each.
void norm_forward_factors(const float* weight, const float* bias, const float* mean,
                          const float* inverse, std::size_t channels, float* scale, float* shift);

/// The factors of norm_backward_apply that give the gradient through the batch's own statistics:
/// dx = weight * inverse * (dy' - sum / rows - xhat * dot / rows), xhat = (x - mean) * inverse.
void norm_backward_factors(const float* weight, const float* mean, const float* inverse,
                           const float* sum, const float* dot, const NormShape& shape, float* a,
                           float* b, float* c);

}  // namespace smcl::kernels
