#include "plan/treatment.h"

#include <gtest/gtest.h>

namespace smcl::plan {
namespace {

TEST(Treatment, TranslationsMoveWhatIsVisible) {
  StrongDraw draw;
  draw.policy_count = 2;
  draw.policy[0] = {PolicyOp::translate_y, 9, 10, false};
  draw.policy[1] = {PolicyOp::rotate, 9, 10, false};
  // 150 / 331 of 32 pixels are 14.5. Of padding 4 nothing shows at top = left = 4.
  const ImageDraw image{0, 0x80000000, 0x80000000, false};
  EXPECT_EQ(resolve(image, nullptr, 4, 32, 32).visible, (Box{0, 0, 32, 32}));
  EXPECT_EQ(resolve(image, &draw, 4, 32, 32).visible, (Box{14, 0, 32, 32}));
  draw.policy[1] = {PolicyOp::translate_x, 9, 10, true};
  EXPECT_EQ(resolve(image, &draw, 4, 32, 32).visible, (Box{14, 0, 32, 18}));
  draw.policy_count = 4;
  draw.policy[2] = draw.policy[3] = draw.policy[0];
  EXPECT_EQ(resolve(image, &draw, 4, 32, 32).visible, (Box{0, 0, 32, 32}));  // nothing is left
}

TEST(Treatment, CutoutIsASquareCutOffAtTheBorder) {
  StrongDraw draw;
  draw.cut = 9;  // from four pixels before the place on
  draw.cut_y = 0;
  draw.cut_x = 0x80000000;
  const Treatment treatment = resolve({}, &draw, 0, 20, 30);
  ASSERT_EQ(treatment.op_count, 1);
  EXPECT_EQ(treatment.ops[0].box, (Box{0, 11, 5, 20}));
}

}  // namespace
}  // namespace smcl::plan
