#include "batch/geometry.h"

#include <gtest/gtest.h>

#include "batch/augment.h"
#include "batch/batch.h"
#include "batch/fake_dataset.h"

namespace smcl::batch {
namespace {

using plan::Border;
using plan::Crop;

TEST(MaskBox, HandComputed) {
  // keep 0.75: sides int(32 * 0.5) = 16, halves 8.
  EXPECT_EQ(mask_box({16, 16}, 0.75, 32, 32, Border::clip), (Box{8, 8, 24, 24}));
  EXPECT_EQ(mask_box({0, 31}, 0.75, 32, 32, Border::clip), (Box{0, 23, 8, 32}));
  EXPECT_EQ(mask_box({0, 31}, 0.75, 32, 32, Border::shift), (Box{0, 16, 16, 32}));
  // keep 0.8: int(32 * 0.4472) = 14, int(20 * 0.4472) = 8.
  EXPECT_EQ(mask_box({10, 10}, 0.8, 32, 20, Border::clip), (Box{3, 6, 17, 14}));
  // keep 0.87: int(32 * 0.3606) = 11, halves 5: an odd side loses a pixel.
  EXPECT_EQ(mask_box({15, 15}, 0.87, 32, 32, Border::clip), (Box{10, 10, 20, 20}));
}

TEST(MaskBox, Limits) {
  EXPECT_EQ(mask_box({5, 5}, 1.0, 32, 32, Border::clip), Box{});
  EXPECT_EQ(mask_box({5, 5}, 1.0, 32, 32, Border::shift), Box{});
  EXPECT_EQ(mask_box({16, 16}, 0.0, 32, 32, Border::clip), (Box{0, 0, 32, 32}));
  EXPECT_EQ(mask_box({31, 0}, 0.0, 32, 32, Border::shift), (Box{0, 0, 32, 32}));
  EXPECT_EQ(mask_box({31, 0}, 0.0, 32, 32, Border::clip), (Box{15, 0, 32, 16}));
  EXPECT_EQ(mask_box({0, 0}, 0.0, 1, 1, Border::clip), Box{});  // half of one pixel is none
}

TEST(MaskBox, ShiftKeepsTheAreaEverywhere) {
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 24; ++x) {
      const Box box = mask_box({y, x}, 0.6, 32, 24, Border::shift);
      // int(32 * 0.6325) = 20, int(24 * 0.6325) = 15 and so 14
      ASSERT_EQ(box.height(), 20);
      ASSERT_EQ(box.width(), 14);
      ASSERT_EQ(intersect(box, {0, 0, 32, 24}), box);
    }
  }
}

TEST(Geometry, BoxesMoveThroughCropAndFlip) {
  // Padding 4, top 1: down by 3; left 6: left by 2.
  const Crop crop{1, 6, false};
  const Crop mirror{1, 6, true};
  EXPECT_EQ(visible_part(crop, 32, 32, 4), (Box{3, 0, 32, 30}));
  EXPECT_EQ(visible_part(mirror, 32, 32, 4), (Box{3, 2, 32, 32}));
  EXPECT_EQ(to_original(crop, 32, 32, 4), (Box{0, 2, 29, 32}));
  EXPECT_EQ(to_original(mirror, 32, 32, 4), (Box{0, 2, 29, 32}));
  EXPECT_EQ(to_augmented({10, 10, 20, 15}, crop, 32, 32, 4), (Box{13, 8, 23, 13}));
  EXPECT_EQ(to_augmented({10, 10, 20, 15}, mirror, 32, 32, 4), (Box{13, 19, 23, 24}));
  EXPECT_EQ(to_augmented({28, 0, 32, 5}, crop, 32, 32, 4), (Box{31, 0, 32, 3}));
  EXPECT_EQ(to_augmented({29, 0, 32, 32}, crop, 32, 32, 4), Box{});
  EXPECT_EQ(to_augmented({29, 0, 32, 32}, mirror, 32, 32, 4), Box{});
}

TEST(Geometry, Reflect101) {
  // dcb|abcd|cba
  const int expected[] = {3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1};
  for (int i = -3; i <= 7; ++i) EXPECT_EQ(reflect_101(i, 4), expected[i + 3]) << i;
  EXPECT_EQ(reflect_101(-9, 1), 0);
  EXPECT_EQ(reflect_101(-5, 2), 1);
}

/// Pads, crops and flips as three separate steps over whole images.
std::vector<std::uint8_t> naive(const testing::FakeDataset& set, int height, int width,
                                const Crop& crop, int padding, bool reflect) {
  std::vector<std::uint8_t> out;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int column = crop.flip ? width - 1 - x : x;
      int sy = y + crop.top - padding;
      int sx = column + crop.left - padding;
      const bool outside = sy < 0 || sx < 0 || sy >= height || sx >= width;
      if (reflect) {
        sy = sy < 0 ? -sy : sy >= height ? 2 * height - 2 - sy : sy;
        sx = sx < 0 ? -sx : sx >= width ? 2 * width - 2 - sx : sx;
      }
      for (int c = 0; c < 3; ++c) {
        out.push_back(outside && !reflect ? std::uint8_t{0} : set.byte(0, sy, sx, c));
      }
    }
  }
  return out;
}

TEST(Augment, MatchesTheNaiveStepsAtEveryPlace) {
  const int height = 7, width = 9, padding = 3;
  const testing::FakeDataset set(1, height, width);
  std::vector<std::uint8_t> scratch;
  const ImageView image = set.image(0, 0, scratch);
  for (int top = 0; top <= 2 * padding; ++top) {
    for (int left = 0; left <= 2 * padding; ++left) {
      for (const bool flip : {false, true}) {
        const Crop crop{top, left, flip};
        std::vector<std::uint8_t> out(scratch.size(), 99);
        augment(image, crop, padding, out.data());
        ASSERT_EQ(out, naive(set, height, width, crop, padding, false)) << top << ' ' << left;
        augment_reflected(image, crop, padding, out.data());
        ASSERT_EQ(out, naive(set, height, width, crop, padding, true)) << top << ' ' << left;
      }
    }
  }
}

}  // namespace
}  // namespace smcl::batch
