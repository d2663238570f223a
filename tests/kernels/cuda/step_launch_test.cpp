#include "kernels/step_launch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "core/random.h"
#include "kernels/cuda/gpu_case.h"
#include "kernels/gpu.h"
#include "kernels/launch_on_host.h"

/// Launches against the same functions on the host, bit for bit.
namespace smcl::kernels {
namespace {

constexpr std::size_t kImages = 6;
constexpr std::size_t kOfImage = 1024;

/// `count` values in device memory and beside them on the host.
template <class T>
class Twin {
 public:
  Twin(std::size_t count, const Stream& stream)
      : host(count), device_(count, "a test"), stream_(stream) {}
  void upload() {
    device_.upload(host.data(), 0, host.size(), stream_.get());
    stream_.wait();
  }
  std::vector<T> download() const {
    std::vector<T> out(host.size());
    device_.download(out.data(), out.size(), stream_.get());
    stream_.wait();
    return out;
  }
  T* device() { return device_.get(); }

  std::vector<T> host;

 private:
  DeviceMemory<T> device_;
  const Stream& stream_;
};

void fill(std::vector<float>& values, double mean, double spread, std::uint64_t index) {
  RandomStream random(31, Purpose::test, 0, index);
  for (float& value : values) value = static_cast<float>(mean + spread * random.normal());
}

/// Activations, one after the other, as bytes.
struct Bytes : Twin<SixteenBytes> {
  Bytes(const NormShape& shape, const Stream& stream, std::uint64_t index)
      : Twin(norm_vectors(shape), stream) {
    std::vector<float> values(4 * host.size());
    fill(values, 0.3, 1.5, index);
    for (std::size_t i = 0; i < host.size(); ++i) {
      for (std::size_t k = 0; k < 4; ++k) {
        // In bf16 the low half is another value of about the same size.
        const std::uint32_t bits = bits_of(values[4 * i + k]);
        host[i].words[k] = shape.element == Element::fp32
                               ? bits
                               : (bits & 0xffff0000U) | bits_of(values[4 * i + 3 - k]) >> 16;
      }
    }
    upload();
  }
};

bool same_bits(const Bytes& bytes) {
  const std::vector<SixteenBytes> got = bytes.download();
  return std::memcmp(got.data(), bytes.host.data(), got.size() * sizeof got[0]) == 0;
}

struct StepLaunchTest : testing::GpuCase, ::testing::WithParamInterface<Element> {};

TEST_P(StepLaunchTest, ABatchNormHasTheHostsBits) {
  const Stream stream;
  for (const std::size_t channels : {16, 48, 64, 512}) {
    const NormShape shape{kImages * kOfImage, channels, GetParam()};
    Bytes x(shape, stream, 1);
    Bytes residual(shape, stream, 2);
    Bytes y(shape, stream, 3);
    Bytes dy(shape, stream, 4);
    Bytes dx(shape, stream, 5);
    Bytes masked(shape, stream, 6);
    Bytes judged(shape, stream, 9);
    Twin<float> floats(11 * channels,
                       stream);  // weight, bias, running x2, statistics x4, factors x3
    Twin<float> gradients(2 * channels, stream);
    Twin<float> pooled(kImages * channels, stream);
    Twin<float> partial(kNormBlocks * 2 * channels, stream);
    Twin<std::uint32_t> ticket(1, stream);
    fill(floats.host, 1.0, 0.1, 7);
    fill(pooled.host, 0.0, 1.0, 8);
    for (Twin<float>* twin : {&floats, &gradients, &pooled, &partial}) twin->upload();
    ticket.upload();

    const auto everything = [&](bool device, const auto& launch_one) {
      float* f = device ? floats.device() : floats.host.data();
      const auto at = [&](Bytes& bytes) {
        return static_cast<void*>(device ? bytes.device() : bytes.host.data());
      };
      const NormWorkspace workspace{device ? partial.device() : partial.host.data(),
                                    device ? ticket.device() : ticket.host.data()};
      NormStatisticsJob statistics;
      statistics.x = at(x);
      statistics.shape = shape;
      statistics.weight = f;
      statistics.bias = f + channels;
      statistics.running_mean = f + 2 * channels;
      statistics.running_var = f + 3 * channels;
      statistics.mean = f + 4 * channels;
      statistics.inverse = f + 5 * channels;
      statistics.scale = f + 6 * channels;
      statistics.shift = f + 7 * channels;
      statistics.workspace = workspace;
      launch_one(statistics);
      NormApplyJob apply;
      apply.x = at(x);
      apply.residual = at(residual);
      apply.y = at(y);
      apply.shape = shape;
      apply.scale = statistics.scale;
      apply.shift = statistics.shift;
      launch_one(apply);
      apply.y = at(judged);  // by running statistics
      apply.running = true;
      apply.weight = statistics.weight;
      apply.bias = statistics.bias;
      apply.running_mean = statistics.running_mean;
      apply.running_var = statistics.running_var;
      launch_one(apply);
      for (const bool from_pool : {false, true}) {
        NormBackwardSumsJob sums;
        if (from_pool) {
          sums.in.pooled = device ? pooled.device() : pooled.host.data();
          sums.in.rows_of_image = kOfImage;
        } else {
          sums.in.dy = at(dy);
          sums.in.other = at(residual);
        }
        sums.y = at(y);
        sums.x = at(x);
        sums.shape = shape;
        sums.weight = f;
        sums.mean = statistics.mean;
        sums.inverse = statistics.inverse;
        sums.weight_gradient = device ? gradients.device() : gradients.host.data();
        sums.bias_gradient = sums.weight_gradient + channels;
        sums.factors = f + 8 * channels;
        sums.workspace = workspace;
        launch_one(sums);
        NormBackwardApplyJob backward;
        backward.in = sums.in;
        backward.y = sums.y;
        backward.x = sums.x;
        backward.shape = shape;
        backward.factors = sums.factors;
        backward.dx = at(dx);
        backward.masked = at(masked);
        launch_one(backward);
      }
    };
    everything(true, [&](const auto& job) { launch(job, stream.get()); });
    everything(false, [](const auto& job) { testing::run(job); });
    EXPECT_EQ(floats.download(), floats.host) << channels;
    EXPECT_EQ(gradients.download(), gradients.host) << channels;
    EXPECT_EQ(ticket.download(), ticket.host);
    EXPECT_TRUE(same_bits(y)) << channels;
    EXPECT_TRUE(same_bits(dx)) << channels;
    EXPECT_TRUE(same_bits(masked)) << channels;
    EXPECT_TRUE(same_bits(judged)) << channels;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, StepLaunchTest, ::testing::Values(Element::fp32, Element::bf16),
                         [](const auto& at) {
                           return at.param == Element::fp32 ? "fp32" : "bf16";
                         });

struct OptimiserLaunchTest : testing::GpuCase {};

TEST_F(OptimiserLaunchTest, HasTheHostsBitsAndStopsAtWhatIsNotFinite) {
  constexpr std::size_t kCount = 470000;
  const Stream stream;
  Twin<float> parameters(kCount, stream);
  Twin<float> gradients(kCount, stream);
  Twin<float> momentum(kCount, stream);
  Twin<float> loss(1, stream);
  Twin<std::uint16_t> shadow(kCount, stream);
  Twin<OptimiserState> state(1, stream);
  fill(parameters.host, 0.0, 1.0, 1);
  fill(gradients.host, 0.0, 1.0, 2);
  fill(momentum.host, 0.0, 1.0, 3);
  state.host[0].rates = {0.1F, 0.9F, 2e-4F};
  const auto step = [&] {
    gradients.upload();
    launch(OptimiserJob{{parameters.device(), gradients.device(), momentum.device(),
                         shadow.device(), kCount},
                        loss.device(),
                        state.device()},
           stream.get());
    testing::run(OptimiserJob{{parameters.host.data(), gradients.host.data(), momentum.host.data(),
                               shadow.host.data(), kCount},
                              loss.host.data(),
                              state.host.data()});
  };
  for (Twin<float>* twin : {&parameters, &momentum, &loss}) twin->upload();
  shadow.upload();
  state.upload();
  step();
  step();
  gradients.host[kCount - 1] = std::numeric_limits<float>::quiet_NaN();
  step();
  gradients.host[kCount - 1] = 0.0F;
  step();
  EXPECT_EQ(parameters.download(), parameters.host);
  EXPECT_EQ(momentum.download(), momentum.host);
  EXPECT_EQ(shadow.download(), shadow.host);
  const OptimiserState got = state.download()[0];
  EXPECT_EQ(got.steps, 2U);
  EXPECT_EQ(got.bad, static_cast<std::uint32_t>(Bad::gradient));
  EXPECT_EQ(got.frozen, 1U);
}

}  // namespace
}  // namespace smcl::kernels
