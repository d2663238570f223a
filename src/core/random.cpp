#include "core/random.h"

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace smcl {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * counter[0];
    const std::uint64_t p1 = kMultiplier1 * counter[2];
    const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
    const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
    counter = {high(p1) ^ counter[1] ^ key[0], low(p1), high(p0) ^ counter[3] ^ key[1], low(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t epoch,
                           std::uint64_t index)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {
  if (index >> 40 != 0 || epoch >> 24 != 0) {
    throw InternalError(concat("random stream out of range: epoch ", epoch, ", index ", index));
  }
  // [block, index low, index high | epoch << 8, purpose]
  counter_ = {0, static_cast<std::uint32_t>(index),
              static_cast<std::uint32_t>(index >> 32) | (epoch << 8),
              static_cast<std::uint32_t>(purpose)};
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint64_t RandomStream::next64() {
  const std::uint64_t high = next();
  return (high << 32) | next();
}

double RandomStream::unit() {
  return static_cast<double>(next64() >> 11) * 0x1.0p-53;
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
  // Lemire's method: reject the few low products that would make it biased.
  std::uint64_t product = static_cast<std::uint64_t>(next()) * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) {
      product = static_cast<std::uint64_t>(next()) * bound;
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double RandomStream::normal() {
  const double u = 1.0 - unit();
  const double v = unit();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

double RandomStream::gamma(double shape) {
  if (shape < 1.0) {
    const double boost = std::pow(1.0 - unit(), 1.0 / shape);
    return gamma(shape + 1.0) * boost;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log(1.0 - unit()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double RandomStream::beta(double a, double b) {
  if (a == 1.0 && b == 1.0) return unit();
  const double x = gamma(a);
  const double y = gamma(b);
  if (x + y == 0.0) return unit() < a / (a + b) ? 1.0 : 0.0;  // both too small for a double
  return x / (x + y);
}

}  // namespace smcl
