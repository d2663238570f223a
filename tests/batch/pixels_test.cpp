#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "batch/batch.h"
#include "batch/fake_dataset.h"
#include "batch/fill.h"
#include "batch/normalise.h"
#include "core/error.h"
#include "core/random.h"

namespace smcl::batch {
namespace {

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0F), 0x3F80);
  EXPECT_EQ(to_bf16(1.0F + 0x1p-8F), 0x3F80);             // tie, down to even
  EXPECT_EQ(to_bf16(1.0F + 0x1p-8F + 0x1p-20F), 0x3F81);  // above the tie
  EXPECT_EQ(to_bf16(1.0F + 3 * 0x1p-8F), 0x3F82);         // tie, up to even
  EXPECT_EQ(to_bf16(-1.0F - 3 * 0x1p-8F), 0xBF82);
  EXPECT_EQ(to_bf16(0.0F), 0x0000);
  EXPECT_EQ(to_bf16(1.99999F), 0x4000);  // carries into the exponent
}

TEST(Normaliser, MatchesPythonsDoubles) {
  // (v/255 - mean)/std in Python, packed to float32; v = 0, 1, 128, 255 of channels 0, 1, 2.
  const std::uint8_t bytes[] = {0, 0, 0, 1, 1, 1, 128, 128, 128, 255, 255, 255};
  const std::uint32_t expected[] = {0xc01b75d0, 0xc01ac4b0, 0xc00e2b4e, 0xc01a3836,
                                    0xc0198277, 0xc00ceba6, 0x3d55d36c, 0x3dcaf595,
                                    0x3e8d45f3, 0x4020e6d1, 0x402631d0, 0x40303d22};
  float out[12];
  Normaliser({}, Precision::fp32).write(bytes, 4, reinterpret_cast<std::byte*>(out));
  std::uint16_t half[12];
  Normaliser({}, Precision::bf16).write(bytes, 4, reinterpret_cast<std::byte*>(half));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]), expected[i]) << i;
    EXPECT_EQ(half[i], to_bf16(out[i])) << i;
  }
}

TEST(Normaliser, ZeroesABoxAlone) {
  std::vector<float> values(4 * 5 * 3, 1.0F);
  Normaliser({}, Precision::fp32)
      .zero({1, 2, 3, 4}, 5, reinterpret_cast<std::byte*>(values.data()));
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 5; ++x) {
      const bool inside = y >= 1 && y < 3 && x >= 2 && x < 4;
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(values[static_cast<std::size_t>((y * 5 + x) * 3 + c)], inside ? 0.0F : 1.0F);
      }
    }
  }
}

TEST(Normaliser, RefusesAStdOfZero) {
  data::Normalisation norm;
  norm.std[1] = 0.0;
  EXPECT_THROW(Normaliser(norm, Precision::fp32), UsageError);
}

TEST(EvaluationPixels, AreThoseOfTheSamplesAsked) {
  const testing::FakeDataset set(6, 4, 5);
  const data::Normalisation plain{{0.0, 0.0, 0.0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}};
  std::vector<float> out(2 * 4 * 5 * 3);
  evaluation_pixels(set, {5, 3, 1}, 1, 2, plain, Precision::fp32,
                    reinterpret_cast<std::byte*>(out.data()));
  std::size_t i = 0;
  for (const std::size_t index : {3U, 1U}) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 5; ++x) {
        for (int c = 0; c < 3; ++c) ASSERT_NEAR(out[i++], set.byte(index, y, x, c), 1e-4);
      }
    }
  }
  EXPECT_THROW(evaluation_pixels(set, {5, 3, 1}, 2, 2, plain, Precision::fp32, nullptr),
               InternalError);
  EXPECT_NO_THROW(evaluation_pixels(set, {5, 3, 1}, 3, 0, plain, Precision::fp32, nullptr));
}

TEST(EvaluationPixels, AnImageOfAnotherSizeIsRefused) {
  testing::FakeDataset set(6, 4, 5);
  set.odd_size = 3;
  std::vector<float> out(2 * 4 * 5 * 3);
  const auto ask = [&](std::size_t first, std::size_t count) {
    evaluation_pixels(set, {5, 1, 3}, first, count, {}, Precision::fp32,
                      reinterpret_cast<std::byte*>(out.data()));
  };
  EXPECT_NO_THROW(ask(0, 2));
  EXPECT_THROW(ask(1, 2), DataError);
  EXPECT_THROW(ask(2, 1), DataError) << "callers have the size of the first of all";
}

TEST(FillNoise, TakesItsBytesFromPhiloxByPlace) {
  const int width = 7;
  std::vector<std::uint8_t> pixels(6 * width * 3, 77);
  const Box box{1, 2, 5, 7};
  fill_noise(pixels.data(), width, box, 0x0123456789ABCDEFULL);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto p = static_cast<std::uint32_t>(y * width + x);
      const std::uint32_t word = philox4x32({p / 4, 0, 0, 0}, {0x89ABCDEF, 0x01234567})[p % 4];
      for (std::uint32_t c = 0; c < 3; ++c) {
        const auto expected =
            box.contains({y, x}) ? static_cast<std::uint8_t>(word >> (8 * c)) : std::uint8_t{77};
        ASSERT_EQ(pixels[p * 3 + c], expected);
      }
    }
  }
}

/// The definition in fill.h, literally: one window a pixel.
std::vector<std::uint8_t> naive_blur(std::vector<std::uint8_t> image, int height, int width,
                                     int radius) {
  const auto pass = [&](bool rows) {
    std::vector<std::uint8_t> out(image.size());
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) {
          int sum = 0, count = 0;
          for (int d = -radius; d <= radius; ++d) {
            const int yy = rows ? y : y + d, xx = rows ? x + d : x;
            if (yy < 0 || xx < 0 || yy >= height || xx >= width) continue;
            sum += image[static_cast<std::size_t>((yy * width + xx) * 3 + c)];
            ++count;
          }
          out[static_cast<std::size_t>((y * width + x) * 3 + c)] =
              static_cast<std::uint8_t>((sum + count / 2) / count);
        }
      }
    }
    image = out;
  };
  for (int i = 0; i < 3; ++i) {
    pass(true);
    pass(false);
  }
  return image;
}

TEST(Blur, MatchesItsDefinition) {
  const int height = 20, width = 26;  // radius 3
  const testing::FakeDataset set(1, height, width);
  std::vector<std::uint8_t> image;
  set.image(0, 0, image);
  const auto at = [&](int y, int x) { return static_cast<std::size_t>((y * width + x) * 3); };
  const Box frame{0, 0, height, width};
  for (const Box& visible : {frame, Box{2, 0, 20, 23}, Box{18, 24, 20, 26}}) {
    std::vector<std::uint8_t> part;
    for (int y = visible.y0; y < visible.y1; ++y) {
      part.insert(
          part.end(), image.begin() + static_cast<std::ptrdiff_t>(at(y, visible.x0)),
          image.begin() + static_cast<std::ptrdiff_t>(at(y, visible.x0)) + visible.width() * 3);
    }
    const auto blurred = naive_blur(part, visible.height(), visible.width(), 3);
    for (const Box& box : {frame, Box{1, 3, 9, 26}, Box{0, 0, 1, 1}}) {
      auto filled = image;
      Blur(height, width).fill(filled.data(), visible, box);
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const bool touched = visible.contains({y, x}) && box.contains({y, x});
          const auto from =
              static_cast<std::size_t>(((y - visible.y0) * visible.width() + x - visible.x0) * 3);
          for (std::size_t c = 0; c < 3; ++c) {
            ASSERT_EQ(filled[at(y, x) + c], touched ? blurred[from + c] : image[at(y, x) + c]);
          }
        }
      }
    }
  }
}

TEST(Blur, LeavesAFlatImageAlone) {
  std::vector<std::uint8_t> image(32 * 32 * 3, 255);
  Blur(32, 32).fill(image.data(), {0, 0, 32, 32}, {0, 0, 32, 32});
  EXPECT_EQ(image, std::vector<std::uint8_t>(32 * 32 * 3, 255));
}

}  // namespace
}  // namespace smcl::batch
