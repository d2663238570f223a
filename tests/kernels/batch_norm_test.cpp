#include "kernels/batch_norm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <thread>
#include <tuple>
#include <vector>

#include "core/cpu.h"
#include "core/error.h"
#include "core/random.h"
#include "kernels/batch_norm_dispatch.h"

namespace smcl::kernels {
namespace {

constexpr double kEpsilon = 1e-5;

/// bf16 to nearest even by neighbours in double precision, without bit tricks on halves.
std::uint16_t to_bf16(float value) {
  const auto low = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
  const auto widened = [](std::uint32_t bits) {
    return static_cast<double>(std::bit_cast<float>(bits << 16));
  };
  if (std::isnan(value)) return low | 0x40;
  const double below = std::abs(static_cast<double>(value) - widened(low));
  const double above = std::abs(widened(low + 1U) - static_cast<double>(value));
  return below < above || (below == above && low % 2 == 0) ? low
                                                           : static_cast<std::uint16_t>(low + 1);
}

/// Activations of either type.
class Array {
 public:
  Array(std::size_t count, Element element) : element_(element) {
    if (element == Element::fp32) {
      floats_.resize(count);
    } else {
      halves_.resize(count);
    }
  }
  void* data() {
    return element_ == Element::fp32 ? static_cast<void*>(floats_.data()) : halves_.data();
  }
  void set(std::size_t i, float value) {
    if (element_ == Element::fp32) {
      floats_[i] = value;
    } else {
      halves_[i] = to_bf16(value);
    }
  }
  float get(std::size_t i) const {
    if (element_ == Element::fp32) return floats_[i];
    return std::bit_cast<float>(static_cast<std::uint32_t>(halves_[i]) << 16);
  }
  bool operator==(const Array&) const = default;

 private:
  Element element_;
  std::vector<float> floats_;
  std::vector<std::uint16_t> halves_;
};

Array normal_array(const NormShape& shape, double mean, double spread, std::uint64_t index) {
  RandomStream random(11, Purpose::test, 0, index);
  Array array(shape.rows * shape.channels, shape.element);
  for (std::size_t i = 0; i < shape.rows * shape.channels; ++i) {
    array.set(i, static_cast<float>(mean + spread * random.normal()));
  }
  return array;
}

std::vector<float> normal_row(std::size_t channels, double mean, std::uint64_t index) {
  RandomStream random(12, Purpose::test, 0, index);
  std::vector<float> row(channels);
  for (float& value : row) value = static_cast<float>(mean + 0.3 * random.normal());
  return row;
}

/// Calls work(block range) from three threads, the last blocks first.
void three_threads(std::size_t blocks, const std::function<void(std::size_t, std::size_t)>& work) {
  std::vector<std::thread> threads;
  for (std::size_t part = 3; part-- > 0;) {
    threads.emplace_back(
        [&work, blocks, part] { work(blocks * part / 3, blocks * (part + 1) / 3); });
  }
  for (std::thread& thread : threads) thread.join();
}

/// One training step of the layer by the kernels.
struct Step {
  NormShape shape;
  Array x, residual, dy;
  std::vector<float> weight, bias;
  std::vector<float> mean, variance, inverse, scale, shift, sum, dot, a, b, c;
  Array y, dx, masked;

  explicit Step(const NormShape& s)
      : shape(s),
        x(normal_array(s, 0.7, 1.3, 1)),
        residual(normal_array(s, 0.0, 0.5, 2)),
        dy(normal_array(s, 0.0, 1.0, 3)),
        weight(normal_row(s.channels, 1.0, 4)),
        bias(normal_row(s.channels, 0.0, 5)),
        y(s.rows * s.channels, s.element),
        dx(y),
        masked(y) {
    for (auto* row : {&mean, &variance, &inverse, &scale, &shift, &sum, &dot, &a, &b, &c}) {
      row->resize(s.channels);
    }
  }

  void run(const Parallel& parallel = {}) {
    norm_statistics(x.data(), shape, mean.data(), variance.data(), parallel);
    for (std::size_t i = 0; i < shape.channels; ++i) {
      inverse[i] = static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance[i]) + kEpsilon));
    }
    norm_forward_factors(weight.data(), bias.data(), mean.data(), inverse.data(), shape.channels,
                         scale.data(), shift.data());
    norm_apply({x.data(), residual.data(), scale.data(), shift.data(), true, y.data()}, shape,
               parallel);
    norm_backward_sums(
        {dy.data(), y.data(), x.data(), mean.data(), inverse.data(), sum.data(), dot.data()}, shape,
        parallel);
    norm_backward_factors(weight.data(), mean.data(), inverse.data(), sum.data(), dot.data(), shape,
                          a.data(), b.data(), c.data());
    norm_backward_apply(
        {dy.data(), y.data(), x.data(), a.data(), b.data(), c.data(), dx.data(), masked.data()},
        shape, parallel);
  }
};

/// The same step in double precision from the definitions, the mask of relu taken from `y`.
struct Exact {
  std::vector<double> mean, variance, sum, dot, y, dx, masked;

  explicit Exact(const Step& s) {
    const std::size_t n = s.shape.rows;
    const std::size_t channels = s.shape.channels;
    y.resize(n * channels);
    dx = masked = y;
    mean.assign(channels, 0.0);
    variance = sum = dot = mean;
    for (std::size_t c = 0; c < channels; ++c) {
      const auto rows = static_cast<double>(n);
      for (std::size_t i = c; i < n * channels; i += channels) mean[c] += double{s.x.get(i)} / rows;
      for (std::size_t i = c; i < n * channels; i += channels) {
        const double centred = double{s.x.get(i)} - mean[c];
        variance[c] += centred * centred / rows;
      }
      const double inverse = 1.0 / std::sqrt(variance[c] + kEpsilon);
      const double weight = double{s.weight[c]};
      const auto xhat = [&](std::size_t i) { return (double{s.x.get(i)} - mean[c]) * inverse; };
      for (std::size_t i = c; i < n * channels; i += channels) {
        y[i] = std::max(0.0, weight * xhat(i) + double{s.bias[c]} + double{s.residual.get(i)});
        masked[i] = s.y.get(i) > 0.0F ? double{s.dy.get(i)} : 0.0;
        sum[c] += masked[i];
        dot[c] += masked[i] * xhat(i);
      }
      for (std::size_t i = c; i < n * channels; i += channels) {
        dx[i] = weight * inverse * (masked[i] - sum[c] / rows - xhat(i) * dot[c] / rows);
      }
    }
  }
};

using Case = std::tuple<Isa, Element>;

class BatchNorm : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Isa isa = std::get<0>(GetParam());
    if (!cpu_supports(isa)) GTEST_SKIP() << "this CPU lacks " << name(isa);
    norm_use_isa(isa);
  }
  void TearDown() override { norm_use_isa(best_isa()); }
  Element element() const { return std::get<1>(GetParam()); }
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  const auto& [isa, element] = info.param;
  return std::string(name(isa)) + (element == Element::fp32 ? "_fp32" : "_of_bf16");
}

INSTANTIATE_TEST_SUITE_P(Kernels, BatchNorm,
                         ::testing::Combine(::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512,
                                                              Isa::avx512_bf16),
                                            ::testing::Values(Element::fp32, Element::bf16)),
                         case_name);

TEST_P(BatchNorm, AStepFollowsTheDefinitionInDoublePrecision) {
  // bf16 keeps 8 bits: half a unit in the last place is at most 2^-8 of the value.
  const double rounding = element() == Element::bf16 ? std::ldexp(1.0, -8) : 1e-6;
  for (const std::size_t channels : {1, 3, 16, 32, 48, 64}) {
    for (const std::size_t rows : {1, 2, 5, 255, 1025}) {
      Step step({rows, channels, element()});
      step.run();
      const Exact exact(step);
      SCOPED_TRACE(::testing::Message() << rows << " rows of " << channels);
      // One or two rows have variances near 0, where 1 / sqrt(variance) magnifies float32's
      // rounding.
      const double noise = rows > 2 ? 4e-5 : 4e-3;
      const auto count = std::sqrt(static_cast<double>(rows));
      for (std::size_t c = 0; c < channels; ++c) {
        ASSERT_NEAR(double{step.mean[c]}, exact.mean[c], 1e-5);
        ASSERT_NEAR(double{step.variance[c]}, exact.variance[c], 1e-5);
        ASSERT_NEAR(double{step.sum[c]}, exact.sum[c], 1e-5 * count);
        ASSERT_NEAR(double{step.dot[c]}, exact.dot[c], noise * count);
      }
      for (std::size_t i = 0; i < rows * channels; ++i) {
        ASSERT_NEAR(double{step.y.get(i)}, exact.y[i], noise + rounding * std::abs(exact.y[i]))
            << i;
        const double slack = noise * (rows > 2 ? 1.0 : 400.0);
        ASSERT_NEAR(double{step.dx.get(i)}, exact.dx[i], slack + rounding * std::abs(exact.dx[i]))
            << i;
        ASSERT_EQ(double{step.masked.get(i)}, exact.masked[i]) << i;
      }
    }
  }
}

TEST_P(BatchNorm, ThreadsDoNotChangeABit) {
  for (const std::size_t channels : {3, 16, 64}) {
    const std::size_t rows = 4 * norm_block_rows(channels) / (channels < 64 ? 2 : 1) + 3;
    Step serial({rows, channels, element()});
    Step threaded({rows, channels, element()});
    serial.run();
    threaded.run(three_threads);
    EXPECT_EQ(serial.mean, threaded.mean);
    EXPECT_EQ(serial.variance, threaded.variance);
    EXPECT_EQ(serial.sum, threaded.sum);
    EXPECT_EQ(serial.dot, threaded.dot);
    EXPECT_TRUE(serial.y == threaded.y);
    EXPECT_TRUE(serial.dx == threaded.dx);
    EXPECT_TRUE(serial.masked == threaded.masked);
  }
}

TEST_P(BatchNorm, InstructionSetsAgreeInEveryBit) {
  for (const std::size_t channels : {5, 16, 32, 40, 128}) {
    Step ours({777, channels, element()});
    Step reference({777, channels, element()});
    ours.run();
    norm_use_isa(Isa::scalar);
    reference.run();
    norm_use_isa(std::get<0>(GetParam()));
    EXPECT_EQ(ours.mean, reference.mean);
    EXPECT_EQ(ours.variance, reference.variance);
    EXPECT_EQ(ours.dot, reference.dot);
    EXPECT_TRUE(ours.y == reference.y);
    EXPECT_TRUE(ours.dx == reference.dx);
  }
}

// A mean of 300 with a spread of 1: plain sums of squares in float32 would lose the variance.
TEST_P(BatchNorm, AFarMeanCostsNoPrecision) {
  const NormShape shape{4099, 16, element()};
  Array x = normal_array(shape, 300.0, 1.0, 9);
  std::vector<float> mean(16), variance(16);
  norm_statistics(x.data(), shape, mean.data(), variance.data());
  for (std::size_t c = 0; c < 16; ++c) {
    double exact_mean = 0.0;
    double exact_variance = 0.0;
    for (std::size_t r = 0; r < shape.rows; ++r) exact_mean += double{x.get(r * 16 + c)} / 4099.0;
    for (std::size_t r = 0; r < shape.rows; ++r) {
      exact_variance += std::pow(double{x.get(r * 16 + c)} - exact_mean, 2) / 4099.0;
    }
    EXPECT_NEAR(double{mean[c]}, exact_mean, 3e-5);
    EXPECT_NEAR(double{variance[c]}, exact_variance, 1e-5 * exact_variance);
  }
}

TEST_P(BatchNorm, WithoutReluAndResidualAndMask) {
  const NormShape shape{37, 19, element()};
  Array x = normal_array(shape, 0.0, 1.0, 20);
  Array dy = normal_array(shape, 0.0, 1.0, 21);
  Array y(37 * 19, element());
  Array dx(37 * 19, element());
  const std::vector<float> two(19, 2.0F), one(19, 1.0F), half(19, 0.5F), zero(19, 0.0F);
  std::vector<float> sum(19), dot(19);
  norm_apply({x.data(), nullptr, two.data(), one.data(), false, y.data()}, shape);
  norm_backward_sums(
      {dy.data(), nullptr, x.data(), zero.data(), one.data(), sum.data(), dot.data()}, shape);
  norm_backward_apply(
      {dy.data(), nullptr, x.data(), half.data(), zero.data(), zero.data(), dx.data(), nullptr},
      shape);
  std::vector<double> exact_sum(19, 0.0);
  std::vector<double> exact_dot(19, 0.0);
  for (std::size_t i = 0; i < 37 * 19; ++i) {
    exact_sum[i % 19] += double{dy.get(i)};
    exact_dot[i % 19] += double{dy.get(i)} * double{x.get(i)};
    const float wanted = 2.0F * x.get(i) + 1.0F;
    const float rounded =
        element() == Element::fp32
            ? wanted
            : std::bit_cast<float>(static_cast<std::uint32_t>(to_bf16(wanted)) << 16);
    ASSERT_NEAR(y.get(i), rounded, element() == Element::fp32 ? 1e-6 : 0.0) << i;
    ASSERT_EQ(dx.get(i), 0.5F * dy.get(i)) << i;
  }
  for (std::size_t c = 0; c < 19; ++c) {
    EXPECT_NEAR(double{sum[c]}, exact_sum[c], 1e-5);
    EXPECT_NEAR(double{dot[c]}, exact_dot[c], 1e-5);
  }
}

TEST_P(BatchNorm, WorksInPlace) {
  Step apart({301, 24, element()});
  Step same({301, 24, element()});
  apart.run();
  same.run();
  norm_apply({same.x.data(), same.residual.data(), same.scale.data(), same.shift.data(), true,
              same.residual.data()},
             same.shape);
  EXPECT_TRUE(same.residual == apart.y);
  norm_backward_apply({same.dy.data(), same.y.data(), same.x.data(), same.a.data(), same.b.data(),
                       same.c.data(), same.x.data(), same.dy.data()},
                      same.shape);
  EXPECT_TRUE(same.x == apart.dx);
  EXPECT_TRUE(same.dy == apart.masked);
}

TEST_P(BatchNorm, NanPassesReluAndTheRest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const NormShape shape{3, 20, element()};
  Array x(60, element());
  x.set(7, nan);
  x.set(59, nan);
  Array y(60, element());
  const std::vector<float> one(20, 1.0F), zero(20, 0.0F);
  norm_apply({x.data(), nullptr, one.data(), zero.data(), true, y.data()}, shape);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(std::isnan(y.get(i)), i == 7 || i == 59) << i;
  std::vector<float> mean(20), variance(20);
  norm_statistics(x.data(), shape, mean.data(), variance.data());
  for (std::size_t c = 0; c < 20; ++c) {
    EXPECT_EQ(std::isnan(mean[c]), c == 7 || c == 19) << c;
    EXPECT_EQ(std::isnan(variance[c]), c == 7 || c == 19) << c;
  }
}

TEST_P(BatchNorm, RoundsToNearestEven) {
  if (element() == Element::fp32) return;  // written as it is
  // Ties and their neighbours around 1: bf16 steps there are 2^-7.
  const double tie = std::ldexp(1.0, -8);
  const double more = tie + std::ldexp(1.0, -20);
  const double less = tie - std::ldexp(1.0, -20);
  const std::vector<std::pair<double, std::uint16_t>> cases = {
      {1.0, 0x3F80},         {1.0 + tie, 0x3F80},     {1.0 + more, 0x3F81},
      {1.0 + less, 0x3F80},  {1.0 + 3 * tie, 0x3F82}, {-1.0 - tie, 0xBF80},
      {-1.0 - more, 0xBF81}, {3.4e38, 0x7F80},        {-3.4e38, 0xFF80},
  };
  const NormShape shape{1, cases.size(), element()};
  Array x(cases.size(), element());
  std::vector<float> shift;
  for (const auto& [value, bits] : cases) shift.push_back(static_cast<float>(value));
  const std::vector<float> one(cases.size(), 1.0F);
  std::vector<std::uint16_t> y(cases.size() + 1, 0xABCD);
  norm_apply({x.data(), nullptr, one.data(), shift.data(), false, y.data()}, shape);
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(y[i], cases[i].second) << shift[i];
  EXPECT_EQ(y.back(), 0xABCD) << "wrote past the end";
}

TEST(BatchNormErrors, EmptyShapesAreRefused) {
  float value = 0.0F;
  EXPECT_THROW(norm_statistics(&value, {0, 16, Element::fp32}, &value, &value), InternalError);
  EXPECT_THROW(norm_statistics(&value, {16, 0, Element::fp32}, &value, &value), InternalError);
}

}  // namespace
}  // namespace smcl::kernels
