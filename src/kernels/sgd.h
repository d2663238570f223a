#pragma once

#include <cstddef>
#include <cstdint>

namespace smcl::kernels {

/// `count` parameters with what belongs to them. The arrays do not overlap.
struct SgdSpan {
  float* parameters = nullptr;
  const float* gradients = nullptr;
  float* momentum = nullptr;
  std::uint16_t* shadow = nullptr;  ///< bf16 twin of the parameters, or null
  std::size_t count = 0;
};

struct SgdRates {
  float rate = 0.0F;
  float momentum = 0.0F;
  float decay = 0.0F;
};

/// Whether no value is an infinity or NaN.
bool all_finite(const float* values, std::size_t count);

/// g = gradient + decay * p; v = momentum * v + g; p -= rate * v; shadow = bf16(p), to nearest even
/// (SGD with momentum as Sutskever et al. 2013 without the look-ahead, PyTorch's form: the rate is
/// outside the momentum). The same bits on every instruction set.
void sgd(const SgdSpan& span, const SgdRates& rates);

/// values -> shadow, bf16 to nearest even; a NaN stays a NaN.
void to_bf16(const float* values, std::uint16_t* shadow, std::size_t count);

}  // namespace smcl::kernels
