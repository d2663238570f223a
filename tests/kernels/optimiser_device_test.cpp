#include "kernels/optimiser_device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"
#include "kernels/launch_on_host.h"

namespace smcl::kernels {
namespace {

using testing::run;

constexpr std::size_t kCount = 1000;

std::vector<float> values(std::uint64_t index) {
  RandomStream random(23, Purpose::test, 0, index);
  std::vector<float> out(kCount);
  for (float& value : out) value = static_cast<float>(random.normal());
  return out;
}

TEST(OptimiserDevice, HasTheBitsOfTheCpu) {
  std::vector<float> parameters = values(1);
  const std::vector<float> gradients = values(2);
  std::vector<float> momentum = values(3);
  std::vector<std::uint16_t> shadow(kCount);
  std::vector<float> want_parameters = parameters;
  std::vector<float> want_momentum = momentum;
  std::vector<std::uint16_t> want_shadow(kCount);
  OptimiserState state;
  state.rates = {0.1F, 0.9F, 2e-4F};
  const float loss = 1.0F;
  run(OptimiserJob{{parameters.data(), gradients.data(), momentum.data(), shadow.data(), kCount},
                   &loss,
                   &state});
  sgd({want_parameters.data(), gradients.data(), want_momentum.data(), want_shadow.data(), kCount},
      state.rates);
  EXPECT_EQ(parameters, want_parameters);
  EXPECT_EQ(momentum, want_momentum);
  EXPECT_EQ(shadow, want_shadow);
  EXPECT_EQ(state.steps, 1U);
}

/// A step whose loss or gradient is not finite changes nothing, and no step after it does.
TEST(OptimiserDevice, StopsForGoodAtWhatIsNotFinite) {
  for (const Bad bad : {Bad::loss, Bad::gradient}) {
    std::vector<float> parameters{1.0F, 2.0F};
    std::vector<float> gradients{0.5F, 0.5F};
    std::vector<float> momentum{0.0F, 0.0F};
    OptimiserState state;
    state.rates = {1.0F, 0.0F, 0.0F};
    float loss = 1.0F;
    const auto step = [&] {
      run(OptimiserJob{
          {parameters.data(), gradients.data(), momentum.data(), nullptr, 2}, &loss, &state});
    };
    step();
    const std::vector<float> before = parameters;
    const std::vector<float> momentum_before = momentum;
    (bad == Bad::loss ? loss : gradients[1]) = std::numeric_limits<float>::infinity();
    step();
    loss = 1.0F;
    gradients = {0.5F, bad == Bad::loss ? std::nanf("") : 0.5F};
    step();
    EXPECT_EQ(parameters, before);
    EXPECT_EQ(momentum, momentum_before);
    EXPECT_EQ(state.steps, 1U);
    EXPECT_EQ(state.bad, static_cast<std::uint32_t>(bad)) << "the first problem is reported";
  }
}

}  // namespace
}  // namespace smcl::kernels
