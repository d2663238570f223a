#include "plan/step_plan.h"

#include <gtest/gtest.h>

namespace smcl::plan {
namespace {

TEST(Resolve, SpreadsDrawsOverAllPlaces) {
  // 9 places of 2^32 / 9 draws each.
  EXPECT_EQ(resolve({0, 0, 0xFFFFFFFF, true}, 4).top, 0);
  EXPECT_EQ(resolve({0, 0, 0xFFFFFFFF, true}, 4).left, 8);
  EXPECT_TRUE(resolve({0, 0, 0xFFFFFFFF, true}, 4).flip);
  EXPECT_EQ(resolve({0, 0x80000000, 0, false}, 4).top, 4);
  EXPECT_EQ(resolve({0, 477218588, 477218589, false}, 4).top, 0);  // ceil(2^32 / 9) - 1
  EXPECT_EQ(resolve({0, 477218588, 477218589, false}, 4).left, 1);
  EXPECT_EQ(resolve({0, 0xFFFFFFFF, 0xFFFFFFFF, false}, 0).top, 0);
}

TEST(Visible, HandComputed) {
  // Top 1 of padding 4: rows 0..2 are padding. Left 6: columns 2.. of the original, 2 of padding.
  EXPECT_EQ((Crop{1, 6, false}.visible(32, 32, 4)), (Box{3, 0, 32, 30}));
  EXPECT_EQ((Crop{4, 4, false}.visible(32, 32, 4)), (Box{0, 0, 32, 32}));
  EXPECT_EQ((Crop{0, 8, true}.visible(10, 20, 4)), (Box{4, 0, 10, 16}));
  EXPECT_EQ((Crop{0, 0, false}.visible(5, 7, 0)), (Box{0, 0, 5, 7}));
  EXPECT_EQ((Crop{8, 0, false}.visible(4, 4, 4)), Box{});
}

}  // namespace
}  // namespace smcl::plan
