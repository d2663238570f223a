#include "data/dataset.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace smcl::data {
namespace {

TEST(ResidentDataset, ViewsPointAtTheRightImage) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 2 * 2 * 1 * 3; ++i) pixels.push_back(static_cast<std::uint8_t>(i));
  const ResidentDataset set(1, 2, pixels, {1, 0}, {"a", "b"});
  EXPECT_EQ(set.size(), 2U);
  EXPECT_EQ(set.classes(), 2);
  EXPECT_EQ(set.label(0), 1);
  std::vector<std::uint8_t> scratch;
  const ImageView view = set.image(1, 7, scratch);
  EXPECT_EQ(view.height, 1);
  EXPECT_EQ(view.width, 2);
  EXPECT_EQ(view.channels, 3);
  EXPECT_EQ(view.stride, 6);
  EXPECT_EQ(view.row(0)[0], 6);
  EXPECT_EQ(view.row(0)[5], 11);
  EXPECT_FALSE(set.object_box(0, 0).has_value());
  EXPECT_TRUE(set.object_mask(0, 0).empty());
}

TEST(ResidentDataset, EmptyIsAllowedAndMisfitsAreNot) {
  EXPECT_EQ(ResidentDataset(4, 4, {}, {}, {"a"}).size(), 0U);
  const std::vector<std::uint8_t> one(3);
  EXPECT_NO_THROW(ResidentDataset(1, 1, one, {0}, {"a"}));
  EXPECT_THROW(ResidentDataset(1, 1, one, {0, 0}, {"a"}), DataError);
  EXPECT_THROW(ResidentDataset(1, 1, {1, 2}, {0}, {"a"}), DataError);
  EXPECT_THROW(ResidentDataset(1, 1, one, {1}, {"a"}), DataError);
  EXPECT_THROW(ResidentDataset(1, 1, one, {-1}, {"a"}), DataError);
  EXPECT_THROW(ResidentDataset(0, 1, {}, {}, {"a"}), DataError);
}

}  // namespace
}  // namespace smcl::data
