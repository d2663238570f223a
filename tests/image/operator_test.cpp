#include "image/operator.h"

#include <gtest/gtest.h>

#include "image/pixel_math.h"

/// Single steps by hand; tests/batch/augmenter_test.cpp holds whole images to Pillow's bytes.
namespace smcl {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes applied(const PixelOp& op, int height, int width, Bytes image) {
  Operator(height, width).apply(op, image);
  return image;
}

/// One grey level a pixel.
Bytes greys(const Bytes& levels) {
  Bytes out;
  for (const std::uint8_t level : levels) out.insert(out.end(), 3, level);
  return out;
}

PixelOp op_of(OpKind kind, float factor = 1.0F) {
  PixelOp op;
  op.kind = kind;
  op.factor = factor;
  return op;
}

TEST(Operator, TranslationMovesByWholePixelsAndLeavesBlack) {
  const Bytes image = greys({1, 2, 3, 4, 5, 6});
  EXPECT_EQ(applied(translation(0, 0), 2, 3, image), image);
  EXPECT_EQ(applied(translation(1, 0), 2, 3, image), greys({0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(applied(translation(0, -2), 2, 3, image), greys({3, 0, 0, 6, 0, 0}));
  EXPECT_EQ(applied(translation(2, 3), 2, 3, image), greys({0, 0, 0, 0, 0, 0}));
}

TEST(Operator, AQuarterTurnIsCounterClockwise) {
  const Bytes image = greys({1, 2, 3, 4});
  EXPECT_EQ(applied(rotation(90.0, 2, 2), 2, 2, image), greys({2, 4, 1, 3}));
  EXPECT_EQ(applied(rotation(-270.0, 2, 2), 2, 2, image), greys({2, 4, 1, 3}));
  EXPECT_EQ(applied(rotation(0.0, 2, 2), 2, 2, image), image);
}

TEST(Operator, ShearMovesRowsByTheirNumber) {
  // Row y shows x + y at its middle: y + 1/2 pixels to the left, rounded down to y at x = 0.
  const Bytes image = greys({1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(applied(shear(1.0, false), 3, 3, image), greys({2, 3, 0, 6, 0, 0, 0, 0, 0}));
  EXPECT_EQ(applied(shear(1.0, true), 3, 3, image), greys({4, 8, 0, 7, 0, 0, 0, 0, 0}));
}

TEST(Operator, FactorsBlendAndClip) {
  const Bytes image = greys({0, 100, 200, 255});
  EXPECT_EQ(applied(op_of(OpKind::brightness, 0.0F), 1, 4, image), greys({0, 0, 0, 0}));
  EXPECT_EQ(applied(op_of(OpKind::brightness, 0.5F), 1, 4, image), greys({0, 50, 100, 127}));
  EXPECT_EQ(applied(op_of(OpKind::brightness, 1.5F), 1, 4, image), greys({0, 150, 255, 255}));
  // The mean is 138.75, so 139.
  EXPECT_EQ(applied(op_of(OpKind::contrast, 0.0F), 1, 4, image), greys({139, 139, 139, 139}));
  EXPECT_EQ(applied(op_of(OpKind::contrast, 2.0F), 1, 4, image), greys({0, 61, 255, 255}));
  EXPECT_EQ(applied(op_of(OpKind::saturation, 1.7F), 1, 4, image), image);
  EXPECT_EQ(applied(op_of(OpKind::saturation, 0.0F), 1, 1, {255, 0, 0}), greys({76}));  // 0.299
}

TEST(Operator, CutoutIsBlackInItsBoxAlone) {
  PixelOp op = op_of(OpKind::cutout);
  op.box = {0, 1, 1, 3};
  EXPECT_EQ(applied(op, 2, 3, greys({1, 2, 3, 4, 5, 6})), greys({1, 0, 0, 4, 5, 6}));
  op.box = {};
  EXPECT_EQ(applied(op, 2, 3, greys({1, 2, 3, 4, 5, 6})), greys({1, 2, 3, 4, 5, 6}));
}

TEST(Operator, BlurKeepsFlatImagesAndSpreadsADot) {
  const Bytes flat = greys(Bytes(35, 77));
  for (const float sigma : {0.1F, 1.0F, 2.0F, 40.0F}) {
    EXPECT_EQ(applied(gaussian_blur(sigma), 5, 7, flat), flat) << sigma;
  }
  Bytes dot(9 * 9, 0);
  dot[40] = 255;
  const Bytes spread = applied(gaussian_blur(1.0F), 9, 9, greys(dot));
  const auto at = [&](int y, int x) { return spread[static_cast<std::size_t>(3 * (9 * y + x))]; };
  EXPECT_GT(at(4, 4), at(4, 5));
  EXPECT_GT(at(4, 5), at(4, 6));
  EXPECT_EQ(at(4, 5), at(4, 3));
  EXPECT_EQ(at(3, 4), at(5, 4));
  EXPECT_NEAR(at(4, 4), 255 / (2 * 3.14159), 4);  // a Gaussian's peak
}

TEST(Operator, BoxesHaveTheVarianceOfTheGaussian) {
  // Three boxes of 2 r + 1 whole pixels, and two of the rest, have sigma^2 in all.
  for (const float sigma : {0.1F, 0.5F, 1.0F, 1.7F, 2.0F, 5.0F}) {
    const PixelOp op = gaussian_blur(sigma);
    const double inner = op.inner / 16777216.0;
    const double outer = op.outer / 16777216.0;
    double variance = 2.0 * outer * (op.value + 1.0) * (op.value + 1.0);
    double sum = 2.0 * outer + inner;
    for (int i = 1; i <= op.value; ++i) {
      variance += 2.0 * inner * i * i;
      sum += 2.0 * inner;
    }
    EXPECT_NEAR(sum, 1.0, 1e-6) << sigma;
    EXPECT_NEAR(3.0 * variance, sigma * sigma, 1e-4 * sigma * sigma + 1e-5) << sigma;
  }
}

TEST(Operator, StretchOfTheWholeIsTheImage) {
  const Bytes image = greys({1, 20, 3, 40, 5, 60});
  Operator ops(2, 3);
  Bytes out(18);
  const ImageView view{image.data(), 2, 3, 3, 9};
  ops.stretch(view, {0, 0, 2, 3}, false, out);
  EXPECT_EQ(out, image);
  ops.stretch(view, {0, 0, 2, 3}, true, out);
  EXPECT_EQ(out, greys({3, 20, 1, 60, 5, 40}));
  ops.stretch(view, {1, 2, 2, 3}, false, out);  // one pixel
  EXPECT_EQ(out, greys(Bytes(6, 60)));
}

TEST(PixelMath, TablesOfFlatAndTwoLevelChannels) {
  std::uint32_t histogram[256] = {};
  std::uint8_t table[256];
  histogram[9] = 50;
  autocontrast_table(histogram, table);
  EXPECT_EQ(table[9], 9);
  equalize_table(histogram, table);
  EXPECT_EQ(table[9], 9);
  histogram[109] = 1000;
  autocontrast_table(histogram, table);
  EXPECT_EQ(table[9], 0);
  EXPECT_EQ(table[59], 127);  // 255 * 50 / 100 = 127.5, cut off
  EXPECT_EQ(table[109], 255);
  EXPECT_EQ(table[200], 255);
}

}  // namespace
}  // namespace smcl
