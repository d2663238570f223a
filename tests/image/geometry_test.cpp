#include "image/geometry.h"

#include <gtest/gtest.h>

#include "image/image.h"

namespace smcl {
namespace {

TEST(Box, SizesAndContains) {
  const Box box{1, 2, 4, 7};
  EXPECT_EQ(box.height(), 3);
  EXPECT_EQ(box.width(), 5);
  EXPECT_EQ(box.area(), 15);
  EXPECT_TRUE(box.contains({1, 2}));
  EXPECT_TRUE(box.contains({3, 6}));
  EXPECT_FALSE(box.contains({4, 6}));
  EXPECT_FALSE(box.contains({3, 7}));
  EXPECT_FALSE(box.contains({0, 2}));
}

TEST(Intersect, MeetsInsideAndIsZeroOutside) {
  EXPECT_EQ(intersect({0, 0, 4, 4}, {2, 1, 9, 3}), (Box{2, 1, 4, 3}));
  EXPECT_EQ(intersect({0, 0, 4, 4}, {4, 0, 5, 4}), Box{});  // touching is not meeting
  EXPECT_EQ(intersect({-3, -3, -1, -1}, {0, 0, 5, 5}), Box{});
  EXPECT_EQ(intersect({2, 2, 2, 5}, {0, 0, 9, 9}), Box{});  // empty
}

TEST(ImageView, CropKeepsStrideAndChannels) {
  Image image(3, 4, 3);
  image.at(1, 2)[1] = 77;
  const ImageView crop = image.view().crop({1, 2, 3, 4});
  EXPECT_EQ(crop.height, 2);
  EXPECT_EQ(crop.width, 2);
  EXPECT_EQ(crop.stride, 12);
  EXPECT_EQ(crop.row(0)[1], 77);
}

}  // namespace
}  // namespace smcl
