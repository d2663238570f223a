#include "kernels/norm_device.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/random.h"
#include "kernels/launch_on_host.h"

namespace smcl::kernels {
namespace {

using testing::Order;
using testing::run;

constexpr double kEpsilon = 1e-5;

/// Activations of either type, with their values in double.
struct Activation {
  NormShape shape;
  std::vector<SixteenBytes> bytes;
  std::vector<double> values;

  Activation() = default;
  Activation(const NormShape& s, double mean, double spread, std::uint64_t index) : shape(s) {
    RandomStream random(21, Purpose::test, 0, index);
    const std::size_t count = s.rows * s.channels;
    const std::size_t size = s.element == Element::fp32 ? 4 : 2;
    bytes.resize(count * size / 16);
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(mean + spread * random.normal());
      if (s.element == Element::fp32) {
        floats()[i] = value;
      } else {
        // A value that bf16 has, so that no rounding of the test's own comes in.
        halves()[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
      }
    }
    read();
  }
  float* floats() { return reinterpret_cast<float*>(bytes.data()); }
  std::uint16_t* halves() { return reinterpret_cast<std::uint16_t*>(bytes.data()); }
  void* data() { return bytes.data(); }
  void read() {
    values.resize(shape.rows * shape.channels);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<double>(
          shape.element == Element::fp32
              ? floats()[i]
              : std::bit_cast<float>(static_cast<std::uint32_t>(halves()[i]) << 16));
    }
  }
  /// What rounding to the type may cost at that size.
  double step(double value) const {
    return (std::abs(value) + 1e-3) * (shape.element == Element::fp32 ? 1e-5 : 5e-3);
  }
};

std::vector<float> row(std::size_t channels, double mean, std::uint64_t index) {
  RandomStream random(22, Purpose::test, 0, index);
  std::vector<float> out(channels);
  for (float& value : out) value = static_cast<float>(mean + 0.3 * random.normal());
  return out;
}

/// One layer in training by the kernels, and the same in double precision by the formulas of Ioffe
/// & Szegedy (2015).
struct Layer {
  NormShape shape;
  Activation x, residual, dy, other;
  std::vector<float> weight, bias, running_mean, running_var;
  std::vector<float> statistics, gradients, factors, partial;
  std::uint32_t ticket = 0;
  Activation y, dx, masked;
  std::vector<double> mean, variance;

  explicit Layer(const NormShape& s)
      : shape(s),
        x(s, 1.5, 2.0, 1),
        residual(s, 0.0, 1.0, 2),
        dy(s, 0.0, 1.0, 3),
        other(s, 0.0, 1.0, 4),
        weight(row(s.channels, 1.0, 5)),
        bias(row(s.channels, 0.1, 6)),
        running_mean(row(s.channels, 0.5, 7)),
        running_var(row(s.channels, 2.0, 8)),
        statistics(4 * s.channels),
        gradients(2 * s.channels),
        factors(3 * s.channels),
        partial(kNormBlocks * 2 * s.channels),
        y(s, 0.0, 0.0, 9),
        dx(y),
        masked(y),
        mean(s.channels),
        variance(s.channels) {
    const auto rows = static_cast<double>(s.rows);
    for (std::size_t i = 0; i < x.values.size(); ++i) mean[i % s.channels] += x.values[i] / rows;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      const double offset = x.values[i] - mean[i % s.channels];
      variance[i % s.channels] += offset * offset / rows;
    }
  }

  double inverse(std::size_t c) const { return 1.0 / std::sqrt(variance[c] + kEpsilon); }

  NormStatisticsJob statistics_job() {
    NormStatisticsJob job;
    job.x = x.data();
    job.shape = shape;
    job.weight = weight.data();
    job.bias = bias.data();
    job.mean = statistics.data();
    job.inverse = job.mean + shape.channels;
    job.scale = job.inverse + shape.channels;
    job.shift = job.scale + shape.channels;
    job.running_mean = running_mean.data();
    job.running_var = running_var.data();
    job.workspace = {partial.data(), &ticket};
    return job;
  }

  NormApplyJob apply_job(bool with_residual) {
    NormApplyJob job;
    job.x = x.data();
    job.residual = with_residual ? residual.data() : nullptr;
    job.y = y.data();
    job.shape = shape;
    job.scale = statistics.data() + 2 * shape.channels;
    job.shift = job.scale + shape.channels;
    return job;
  }

  void backward(const NormIncoming& in, Order order) {
    NormBackwardSumsJob sums;
    sums.in = in;
    sums.y = y.data();
    sums.x = x.data();
    sums.shape = shape;
    sums.weight = weight.data();
    sums.mean = statistics.data();
    sums.inverse = sums.mean + shape.channels;
    sums.weight_gradient = gradients.data();
    sums.bias_gradient = gradients.data() + shape.channels;
    sums.factors = factors.data();
    sums.workspace = {partial.data(), &ticket};
    run(sums, order);
    NormBackwardApplyJob apply;
    apply.in = in;
    apply.y = y.data();
    apply.x = x.data();
    apply.shape = shape;
    apply.factors = factors.data();
    apply.dx = dx.data();
    apply.masked = masked.data();
    run(apply);
    dx.read();
    masked.read();
  }

  /// Against the formulas, for the gradient `g` of relu's argument.
  void expect_gradients(const std::vector<double>& g) const {
    const auto rows = static_cast<double>(shape.rows);
    std::vector<double> sum(shape.channels);
    std::vector<double> dot(shape.channels);
    std::vector<double> size(shape.channels);
    const auto hat = [&](std::size_t i) {
      return (x.values[i] - mean[i % shape.channels]) * inverse(i % shape.channels);
    };
    for (std::size_t i = 0; i < g.size(); ++i) {
      sum[i % shape.channels] += g[i];
      dot[i % shape.channels] += g[i] * hat(i);
      size[i % shape.channels] += std::abs(g[i]) * (1.0 + std::abs(hat(i)));
    }
    for (std::size_t c = 0; c < shape.channels; ++c) {
      EXPECT_NEAR(gradients[c], dot[c], 1e-5 * size[c] + 1e-6) << "channel " << c;
      EXPECT_NEAR(gradients[shape.channels + c], sum[c], 1e-5 * size[c] + 1e-6) << "channel " << c;
    }
    for (std::size_t i = 0; i < g.size(); ++i) {
      const std::size_t c = i % shape.channels;
      const double wanted = static_cast<double>(weight[c]) * inverse(c) *
                            (g[i] - sum[c] / rows - hat(i) * dot[c] / rows);
      // a * g + b * x + c in float: its terms may cancel.
      const double terms = std::abs(static_cast<double>(weight[c])) * inverse(c) *
                           (std::abs(g[i]) + size[c] / rows +
                            (std::abs(hat(i)) + std::abs(mean[c]) * inverse(c)) * size[c] / rows);
      ASSERT_NEAR(dx.values[i], wanted, dx.step(wanted) + 1e-6 * terms) << "element " << i;
      ASSERT_NEAR(masked.values[i], g[i], masked.step(g[i])) << "element " << i;
    }
  }
};

class NormDevice : public ::testing::TestWithParam<std::tuple<std::size_t, int, Element>> {
 protected:
  NormShape shape() const {
    const auto& [rows, channels, element] = GetParam();
    return {rows, static_cast<std::size_t>(channels), element};
  }
};

TEST_P(NormDevice, NormalisesByTheBatchAndMovesTheRunningStatistics) {
  Layer layer(shape());
  const std::vector<float> mean_before = layer.running_mean;
  const std::vector<float> var_before = layer.running_var;
  run(layer.statistics_job());
  run(layer.apply_job(true));
  layer.y.read();
  const auto rows = static_cast<double>(layer.shape.rows);
  for (std::size_t c = 0; c < layer.shape.channels; ++c) {
    EXPECT_NEAR(layer.statistics[c], layer.mean[c], 1e-5);
    EXPECT_NEAR(layer.statistics[layer.shape.channels + c], layer.inverse(c),
                1e-5 * layer.inverse(c));
    EXPECT_NEAR(layer.running_mean[c],
                0.9 * static_cast<double>(mean_before[c]) + 0.1 * layer.mean[c], 1e-5);
    const double unbiased = layer.variance[c] * rows / std::max(rows - 1.0, 1.0);
    EXPECT_NEAR(layer.running_var[c], 0.9 * static_cast<double>(var_before[c]) + 0.1 * unbiased,
                1e-5);
  }
  for (std::size_t i = 0; i < layer.x.values.size(); ++i) {
    const std::size_t c = i % layer.shape.channels;
    const double hat = (layer.x.values[i] - layer.mean[c]) * layer.inverse(c);
    const double wanted =
        std::max(0.0, hat * static_cast<double>(layer.weight[c]) +
                          static_cast<double>(layer.bias[c]) + layer.residual.values[i]);
    const double terms = 1.0 + std::abs(layer.x.values[i] * layer.inverse(c));
    ASSERT_NEAR(layer.y.values[i], wanted, layer.y.step(wanted) + 3e-6 * terms) << "element " << i;
  }
}

TEST_P(NormDevice, HasTheGradientOfTwoSumsThatCameIn) {
  Layer layer(shape());
  run(layer.statistics_job());
  run(layer.apply_job(true));
  layer.y.read();
  NormIncoming in;
  in.dy = layer.dy.data();
  in.other = layer.other.data();
  layer.backward(in, Order::forwards);
  std::vector<double> g(layer.x.values.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    g[i] = layer.y.values[i] > 0 ? layer.dy.values[i] + layer.other.values[i] : 0.0;
  }
  layer.expect_gradients(g);
}

TEST_P(NormDevice, HasTheGradientOfAMeanOverEachImage) {
  Layer layer(shape());
  run(layer.statistics_job());
  run(layer.apply_job(false));
  layer.y.read();
  const std::size_t images = layer.shape.rows % 3 == 0 ? 3 : 1;
  const std::size_t of_image = layer.shape.rows / images;
  const std::vector<float> pooled = row(images * layer.shape.channels, 0.0, 10);
  NormIncoming in;
  in.pooled = pooled.data();
  in.rows_of_image = static_cast<std::uint32_t>(of_image);
  layer.backward(in, Order::forwards);
  std::vector<double> g(layer.x.values.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    const std::size_t image = i / layer.shape.channels / of_image;
    const double value =
        static_cast<double>(pooled[image * layer.shape.channels + i % layer.shape.channels]);
    g[i] = layer.y.values[i] > 0 ? value / static_cast<double>(of_image) : 0.0;
  }
  layer.expect_gradients(g);
}

TEST_P(NormDevice, DoesNotDependOnTheOrderOfBlocksAndThreads) {
  Layer one(shape());
  Layer two(shape());
  run(one.statistics_job(), Order::forwards);
  run(two.statistics_job(), Order::backwards);
  EXPECT_EQ(one.statistics, two.statistics);
  EXPECT_EQ(one.running_var, two.running_var);
  run(one.apply_job(false));
  run(two.apply_job(false));
  NormIncoming in;
  in.dy = one.dy.data();
  one.backward(in, Order::forwards);
  two.backward(in, Order::backwards);
  EXPECT_EQ(one.gradients, two.gradients);
  EXPECT_EQ(one.dx.values, two.dx.values);
  EXPECT_EQ(one.ticket, 0U);
}

TEST_P(NormDevice, EvaluatesWithTheRunningStatistics) {
  Layer layer(shape());
  NormApplyJob job = layer.apply_job(false);
  job.running = true;
  job.weight = layer.weight.data();
  job.bias = layer.bias.data();
  job.running_mean = layer.running_mean.data();
  job.running_var = layer.running_var.data();
  run(job);
  layer.y.read();
  for (std::size_t i = 0; i < layer.x.values.size(); ++i) {
    const std::size_t c = i % layer.shape.channels;
    const double inverse = 1.0 / std::sqrt(static_cast<double>(layer.running_var[c]) + kEpsilon);
    const double hat = (layer.x.values[i] - static_cast<double>(layer.running_mean[c])) * inverse;
    const double wanted = std::max(
        0.0, hat * static_cast<double>(layer.weight[c]) + static_cast<double>(layer.bias[c]));
    ASSERT_NEAR(layer.y.values[i], wanted, layer.y.step(wanted) + 1e-4);
  }
}

std::string name_of(const ::testing::TestParamInfo<NormDevice::ParamType>& at) {
  const auto& [rows, channels, element] = at.param;
  return std::to_string(rows) + "x" + std::to_string(channels) +
         (element == Element::fp32 ? "fp32" : "bf16");
}

const auto kTypes = ::testing::Values(Element::fp32, Element::bf16);

// One row; fewer than a block's slots; not a multiple of anything.
INSTANTIATE_TEST_SUITE_P(Small, NormDevice,
                         ::testing::Combine(::testing::Values(1, 3, 48, 517),
                                            ::testing::Values(8, 16, 48, 512), kTypes),
                         name_of);
// All blocks have several turns.
INSTANTIATE_TEST_SUITE_P(Large, NormDevice,
                         ::testing::Combine(::testing::Values(40000), ::testing::Values(16),
                                            kTypes),
                         name_of);

TEST(NormDeviceTest, AMeanFarFromZeroCostsNoPrecision) {
  const NormShape shape{5000, 16, Element::fp32};
  Layer layer(shape);
  Activation far(shape, 1e4, 1.0, 11);
  layer.x = far;
  NormStatisticsJob job = layer.statistics_job();
  job.x = layer.x.data();
  run(job);
  double mean = 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < far.values.size(); i += 16) mean += far.values[i] / 5000;
  for (std::size_t i = 0; i < far.values.size(); i += 16) {
    square += (far.values[i] - mean) * (far.values[i] - mean) / 5000;
  }
  EXPECT_NEAR(layer.statistics[16], 1.0 / std::sqrt(square + kEpsilon), 1e-4);
}

TEST(NormDeviceTest, ANaNStaysANaN) {
  Layer layer({16, 8, Element::bf16});
  run(layer.statistics_job());
  layer.x.halves()[3] = 0x7fc1;
  run(layer.apply_job(false));
  layer.y.read();
  EXPECT_TRUE(std::isnan(layer.y.values[3]));
  EXPECT_FALSE(std::isnan(layer.y.values[4]));
}

}  // namespace
}  // namespace smcl::kernels
