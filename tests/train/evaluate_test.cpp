#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"

namespace smcl::train {
namespace {

// Six black 32 x 32 images of three classes.
data::ResidentDataset black_set() {
  return {32, 32, std::vector<std::uint8_t>(6 * 3072), {0, 1, 2, 0, 1, 2}, {"a", "b", "c"}};
}

nn::Network small_network() {
  return {nn::NetworkSettings{"resnet20", 0.25, 8}, 3, 1, batch::Precision::fp32, at::kCPU};
}

TEST(Evaluate, GivesLabelsAndLogitsInTheOrderOfTheSamples) {
  nn::Network network = small_network();
  const metrics::Predictions found = evaluate(network, black_set(), {5, 0, 1}, {}, 2);
  EXPECT_EQ(found.classes, 3);
  EXPECT_EQ(found.labels, (std::vector<std::int32_t>{2, 0, 1}));
  ASSERT_EQ(found.logits.size(), 9U);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(found.logits[c], found.logits[6 + c], 1e-5) << "the images are alike";
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
