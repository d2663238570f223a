#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "batch/batch.h"
#include "image/geometry.h"

namespace smcl::batch {

/// The high half of a float, rounded to nearest, ties to even; not for NaN.
std::uint16_t to_bf16(float value);

/// Bytes to normalised values, (v/255 - mean) / std a channel, in double, rounded once to float and
/// from there to bf16: 256 x 3 values in each precision.
class Normaliser {
 public:
  /// Throws UsageError where a standard deviation is not above 0.
  Normaliser(const data::Normalisation& norm, Precision precision);

  std::size_t value_bytes() const { return precision_ == Precision::fp32 ? 4 : 2; }
  /// Writes pixels * 3 values to `out`, which is aligned to them.
  void write(const std::uint8_t* bytes, std::size_t pixels, std::byte* out) const;
  /// Writes keep * value + (1 - keep) * other's value, each operation rounded to float.
  void blend(const std::uint8_t* bytes, const std::uint8_t* others, std::size_t pixels, float keep,
             std::byte* out) const;
  /// Sets `box` of a `width` wide image of written values to 0.0.
  void zero(const Box& box, int width, std::byte* out) const;

 private:
  Precision precision_;
  std::array<std::array<float, 256>, 3> fp32_{};
  std::array<std::array<std::uint16_t, 256>, 3> bf16_{};
};

}  // namespace smcl::batch
