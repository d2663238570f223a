#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace smcl::train {
namespace {

// Six black 32 x 32 images of three classes.
data::ResidentDataset black_set() {
  return {32, 32, std::vector<std::uint8_t>(6 * 3072), {0, 1, 2, 0, 1, 2}, {"a", "b", "c"}};
}

/// The same six, image i of grey value 40 i.
data::ResidentDataset grey_set() {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 6; ++i) pixels.insert(pixels.end(), 3072, static_cast<std::uint8_t>(40 * i));
  return {32, 32, std::move(pixels), {0, 1, 2, 0, 1, 2}, {"a", "b", "c"}};
}

nn::Network small_network() {
  return {nn::NetworkSettings{"resnet20", 0.25, 8}, 3, 1, batch::Precision::fp32, at::kCPU};
}

TEST(Evaluate, GivesLabelsAndLogitsInTheOrderOfTheSamples) {
  nn::Network network = small_network();
  const metrics::Predictions found = evaluate(network, grey_set(), {5, 0, 1}, {}, 2);
  EXPECT_EQ(found.classes, 3);
  EXPECT_EQ(found.labels, (std::vector<std::int32_t>{2, 0, 1}));
  ASSERT_EQ(found.logits.size(), 9U);
  EXPECT_GT(std::abs(found.logits[0] - found.logits[6]), 1e-3) << "the images differ";
  const std::vector<std::uint32_t> samples{5, 0, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    const metrics::Predictions alone = evaluate(network, grey_set(), {samples[i]}, {});
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(found.logits[3 * i + c], alone.logits[c], 1e-5) << i;
    }
  }
  EXPECT_TRUE(evaluate(network, black_set(), {}, {}).logits.empty());
}

TEST(Evaluate, OutputThatIsNotFiniteMeansTheTrainingDiverged) {
  for (const float broken :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    nn::Network network = small_network();
    {
      const at::NoGradGuard guard;
      network.store().view("fc.bias")[1].fill_(broken);
    }
    try {
      evaluate(network, black_set(), {4, 0}, {});
      FAIL() << "no error";
    } catch (const DivergedError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("class 1 for image 4"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace smcl::train
