#include "experiment/masked_images.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/error.h"
#include "experiment/analysis_pictures.h"
#include "experiment/tiny.h"

namespace smcl::experiment {
namespace {

// By hand.
TEST(Quotas, FollowWeightsAndAddUp) {
  EXPECT_EQ(quotas({1, 1, 1}, 7), (std::vector<int>{3, 2, 2}));
  EXPECT_EQ(quotas({2, 1, 1}, 4), (std::vector<int>{2, 1, 1}));
  EXPECT_EQ(quotas({0, 1, 0, 3}, 2), (std::vector<int>{0, 1, 0, 1})) << "0.5 and 1.5";
  EXPECT_EQ(quotas({1, 3}, 0), (std::vector<int>{0, 0}));
  EXPECT_THROW(quotas({0, 0}, 5), DataError);
}

TEST(EvenRanks, RunFromFirstToLast) {
  EXPECT_EQ(even_ranks(3, 10), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(even_ranks(10, 10), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(even_ranks(100, 4), (std::vector<int>{0, 33, 66, 99}));
  EXPECT_EQ(even_ranks(5, 1), (std::vector<int>{0}));
  EXPECT_TRUE(even_ranks(0, 10).empty());
}

class MaskedImagesOfScenes : public ::testing::Test {
 protected:
  void SetUp() override { log::set_console_level(log::Level::error); }
  static MaskedImages draw(const Recipe& recipe, const data::Opened& data, const MaskedDraw& how) {
    return draw_masked(recipe, data, *data.train, data.train_samples, true, how);
  }
  static std::vector<std::byte> pixels(const MaskedImages& images) {
    batch::Batch batch;
    images.make(0, images.size(), batch::Precision::fp32, batch);
    return batch.pixels;
  }
  const data::Opened data_ = data::open_data(tiny("").data);
};

TEST_F(MaskedImagesOfScenes, AreTheSameWhateverTheMethodAndItsSeed) {
  const MaskedDraw how{60, Spread::balanced, 3};
  const MaskedImages smcl = draw(tiny(""), data_, how);
  const MaskedImages ce = draw(
      tiny(
          "method.name = \"ce\"\nmask.prob = 0.2\nmask.start = 0.8\ntrain.seed = 9\ntrain.epochs = "
          "5\ntrain.batch_size = 7"),
      data_, how);
  EXPECT_EQ(pixels(smcl), pixels(ce));
  EXPECT_EQ(smcl.targets, ce.targets);
  EXPECT_NE(pixels(draw(tiny(""), data_, {60, Spread::balanced, 4})), pixels(smcl));
}

TEST_F(MaskedImagesOfScenes, AreBalancedWithRepeatsThatDiffer) {
  const MaskedImages images = draw(tiny(""), data_, {100, Spread::balanced, 0});
  std::map<std::int32_t, int> of_class;
  std::map<std::uint32_t, std::set<std::pair<std::uint32_t, double>>> draws;
  for (std::size_t i = 0; i < images.size(); ++i) {
    ++of_class[data_.train->label(images.images[i].index)];
    EXPECT_TRUE(images.masks[i].on);
    draws[images.images[i].index].emplace(images.images[i].crop_y, images.masks[i].keep);
  }
  ASSERT_EQ(of_class.size(), 10U);
  for (const auto& [label, count] : of_class) EXPECT_EQ(count, 10) << label;
  std::size_t different = 0;
  for (const auto& [sample, each] : draws) different += each.size();
  EXPECT_EQ(different, 100U) << "no two of an image have one crop and area";
}

TEST_F(MaskedImagesOfScenes, FollowTheTrainingCounts) {
  const int all = static_cast<int>(data_.train_samples.size());
  const MaskedImages images = draw(tiny(""), data_, {all, Spread::training, 0});
  std::set<std::uint32_t> samples;
  for (const auto& image : images.images) samples.insert(image.index);
  EXPECT_EQ(samples.size(), data_.train_samples.size()) << "each image once";
}

// With b near 1, effective numbers are counts: the rarest class has by far the largest share.
TEST_F(MaskedImagesOfScenes, FollowTheTargetDistribution) {
  const MaskedImages images =
      draw(tiny("target.distribution = \"inverse\""), data_, {200, Spread::target, 0});
  double inverse = 0.0;
  for (const int count : data_.train_counts) inverse += 1.0 / count;
  std::vector<int> found(data_.train_counts.size());
  for (const auto& image : images.images) {
    ++found[static_cast<std::size_t>(data_.train->label(image.index))];
  }
  for (std::size_t c = 0; c < found.size(); ++c) {
    EXPECT_NEAR(found[c], 200.0 / data_.train_counts[c] / inverse, 1.0) << c;
  }
}

TEST_F(MaskedImagesOfScenes, OfATestSetAreNotCroppedAndPlainOnesAreTheImages) {
  const MaskedImages images = draw_masked(tiny(""), data_, *data_.test, data_.test_samples, false,
                                          {20, Spread::balanced, 0});
  batch::Batch batch;
  images.make(0, 20, batch::Precision::fp32, batch);
  ASSERT_TRUE(batch.has_plain);
  std::vector<std::byte> expected(batch.pixels.size() / 2);
  batch::evaluation_pixels(*data_.test, batch.samples, 0, 20, data_.normalisation,
                           batch::Precision::fp32, expected.data());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                         batch.pixels.begin() + static_cast<std::ptrdiff_t>(expected.size())));
  EXPECT_FALSE(std::equal(expected.begin(), expected.end(), batch.pixels.begin()));
}

TEST_F(MaskedImagesOfScenes, NeedAMask) {
  EXPECT_THROW(draw(tiny("mask.kind = \"none\""), data_, {}), UsageError);
}

}  // namespace
}  // namespace smcl::experiment
