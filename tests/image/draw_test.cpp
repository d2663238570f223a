#include "image/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "core/error.h"
#include "image/font.h"

namespace smcl::draw {
namespace {

using ::testing::ElementsAre;

constexpr Colour kRed{255, 0, 0};

// Pixels of the colour as '#', one row a line.
std::string shape(const Image& image, Colour colour) {
  std::string out;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      const std::uint8_t* at = image.at(y, x);
      out += std::equal(at, at + 3, colour.begin()) ? '#' : '.';
    }
    out += '\n';
  }
  return out;
}

TEST(Fill, ClipsAtTheCanvas) {
  Image canvas(3, 4, 3);
  fill(canvas, {1, 2, 99, 99}, kRed);
  EXPECT_EQ(shape(canvas, kRed), "....\n..##\n..##\n");
  fill(canvas, {-5, -5, 0, 99}, kRed);
  EXPECT_EQ(shape(canvas, kRed), "....\n..##\n..##\n");
}

TEST(Blit, EnlargesPixelsToSquares) {
  Image picture(1, 2, 3);
  picture.at(0, 1)[0] = 255;
  Image canvas(4, 6, 3);
  blit(canvas, picture.view(), {1, 1}, 2);
  EXPECT_EQ(shape(canvas, kRed), "......\n...##.\n...##.\n......\n");
}

TEST(Blit, ClipsOnAllSidesAndRepeatsGrey) {
  Image picture(2, 2, 1);
  picture.at(0, 0)[0] = 1;
  picture.at(0, 1)[0] = 2;
  picture.at(1, 0)[0] = 3;
  picture.at(1, 1)[0] = 4;
  Image canvas(3, 3, 3);
  blit(canvas, picture.view(), {-1, -1}, 2);  // of 4 x 4 the middle and the lower right
  const auto grey = [&](int y, int x) {
    EXPECT_EQ(canvas.at(y, x)[0], canvas.at(y, x)[2]);
    return int{canvas.at(y, x)[1]};
  };
  EXPECT_THAT((std::vector<int>{grey(0, 0), grey(0, 1), grey(0, 2)}), ElementsAre(1, 2, 2));
  EXPECT_THAT((std::vector<int>{grey(2, 0), grey(2, 1), grey(2, 2)}), ElementsAre(3, 4, 4));
  blit(canvas, picture.view(), {2, 2}, 2);
  EXPECT_EQ(grey(2, 2), 1);
}

TEST(Outline, LiesInsideTheBox) {
  Image canvas(5, 6, 3);
  outline(canvas, {0, 1, 4, 6}, kRed);
  EXPECT_EQ(shape(canvas, kRed), ".#####\n.#...#\n.#...#\n.#####\n......\n");
}

TEST(Outline, ThickFramesOfSmallBoxesStayInside) {
  Image canvas(4, 5, 3);
  outline(canvas, {1, 1, 3, 3}, kRed, 9);
  EXPECT_EQ(shape(canvas, kRed), ".....\n.##..\n.##..\n.....\n");
  Image other(3, 3, 3);
  outline(other, {1, 1, 1, 1}, kRed);  // an empty box has no frame
  EXPECT_EQ(shape(other, kRed), "...\n...\n...\n");
}

TEST(Cross, IsAPlusSignAndClips) {
  Image canvas(4, 4, 3);
  cross(canvas, {1, 1}, 1, kRed);
  EXPECT_EQ(shape(canvas, kRed), ".#..\n###.\n.#..\n....\n");
  Image corner(2, 2, 3);
  cross(corner, {0, 0}, 9, kRed);
  EXPECT_EQ(shape(corner, kRed), "##\n#.\n");
}

TEST(Text, DrawsALetter) {
  Image canvas(7, 5, 3);
  text(canvas, {0, 0}, "T", kRed);
  EXPECT_EQ(shape(canvas, kRed), "#####\n..#..\n..#..\n..#..\n..#..\n..#..\n..#..\n");
}

TEST(Text, AdvancesScalesAndMeasures) {
  EXPECT_EQ(text_width(""), 0);
  EXPECT_EQ(text_width("a"), 5);
  EXPECT_EQ(text_width("ab"), 11);
  EXPECT_EQ(text_width("ab", 3), 33);
  Image canvas(14, 22, 3);
  text(canvas, {0, 0}, "LL", kRed, 2);
  const std::string rows = shape(canvas, kRed);
  EXPECT_EQ(rows.substr(0, 23), "##..........##........\n");
  EXPECT_EQ(rows.substr(23 * 13), "##########..##########\n");
}

TEST(Text, ClipsAndShowsOtherBytesAsBoxes) {
  Image canvas(7, 5, 3);
  text(canvas, {0, 0}, "\xff", kRed);
  EXPECT_EQ(shape(canvas, kRed), "#####\n#...#\n#...#\n#...#\n#...#\n#...#\n#####\n");
  text(canvas, {-3, -100}, "clipped on all sides of the canvas", kRed, 3);
}

TEST(Glyph, AllPrintableLettersDifferAndOnlySpaceIsEmpty) {
  std::set<std::array<std::uint8_t, 7>> seen;
  for (unsigned char c = 32; c < 127; ++c) {
    EXPECT_TRUE(seen.insert(glyph(c)).second) << c;
    const bool empty = glyph(c) == std::array<std::uint8_t, 7>{};
    EXPECT_EQ(empty, c == ' ') << c;
  }
  EXPECT_TRUE(seen.insert(glyph(127)).second);
  EXPECT_EQ(glyph(31), glyph(127));
}

TEST(Blend, MixesAndRounds) {
  Image canvas(1, 1, 3);
  Image over(1, 1, 3);
  std::fill_n(over.row(0), 3, std::uint8_t{101});
  blend(canvas, over, 50);
  EXPECT_EQ(canvas.at(0, 0)[0], 51);  // 50.5
  blend(canvas, over, 0);
  EXPECT_EQ(canvas.at(0, 0)[0], 51);
  blend(canvas, over, 100);
  EXPECT_EQ(canvas.at(0, 0)[0], 101);
  EXPECT_THROW(blend(canvas, over, 101), InternalError);
  EXPECT_THROW(blend(canvas, Image(1, 2, 3), 50), InternalError);
}

// CIE L* of an sRGB colour (IEC 61966-2-1, CIE 15): lightness by another definition than the one
// that the colours were made with.
double lightness(Colour colour) {
  const auto linear = [](double byte) {
    const double v = byte / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double y =
      0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
  return y > 216.0 / 24389.0 ? 116.0 * std::cbrt(y) - 16.0 : y * 24389.0 / 27.0;
}

TEST(Heat, LightnessRisesEvenly) {
  EXPECT_LT(lightness(heat(0)), 8);
  EXPECT_GT(lightness(heat(255)), 92);
  for (int i = 16; i < 256; i += 16) {
    const double rise = lightness(heat(static_cast<std::uint8_t>(i))) -
                        lightness(heat(static_cast<std::uint8_t>(i - 16)));
    EXPECT_GT(rise, 2.5) << i;
    EXPECT_LT(rise, 9.0) << i;
  }
}

TEST(Heat, GoesFromVioletOverRedToYellow) {
  EXPECT_GT(heat(40)[2], heat(40)[1]);    // violet: blue and red over green
  EXPECT_GT(heat(128)[0], heat(128)[2]);  // red
  EXPECT_GT(heat(128)[0], heat(128)[1]);
  EXPECT_GT(heat(240)[1], heat(240)[2]);  // yellow: red and green over blue
}

TEST(HeatMap, SpansLeastToLargest) {
  const Image map = heat_map(std::vector<float>{-1.0F, 0.0F, 1.0F, 1.0F}, 2, 2);
  const auto colour = [&](int y, int x) {
    return Colour{map.at(y, x)[0], map.at(y, x)[1], map.at(y, x)[2]};
  };
  EXPECT_EQ(colour(0, 0), heat(0));
  EXPECT_EQ(colour(0, 1), heat(128));  // 127.5 rounds up
  EXPECT_EQ(colour(1, 1), heat(255));
}

TEST(HeatMap, FlatHugeAndNotFinite) {
  const auto first = [](const std::vector<float>& map) {
    const Image image = heat_map(map, 1, static_cast<int>(map.size()));
    return Colour{image.at(0, 0)[0], image.at(0, 0)[1], image.at(0, 0)[2]};
  };
  EXPECT_EQ(first({3.0F, 3.0F}), heat(0));
  const float huge = std::numeric_limits<float>::max();
  EXPECT_EQ(first({huge, -huge}), heat(255));
  EXPECT_EQ(first({std::nanf(""), 1.0F}), (Colour{128, 128, 128}));
  EXPECT_EQ(first({std::numeric_limits<float>::infinity()}), (Colour{128, 128, 128}));
  EXPECT_EQ(heat_map({}, 0, 0).bytes().size(), 0U);
  EXPECT_THROW(heat_map(std::vector<float>{1.0F}, 1, 2), InternalError);
}

TEST(Draw, NeedsColourAndAPositiveScale) {
  Image grey(2, 2, 1);
  EXPECT_THROW(fill(grey, {0, 0, 1, 1}, kRed), InternalError);
  EXPECT_THROW(text(grey, {0, 0}, "", kRed), InternalError);
  Image canvas(2, 2, 3);
  EXPECT_THROW(blit(canvas, grey.view(), {0, 0}, 0), InternalError);
  EXPECT_THROW(text(canvas, {0, 0}, "a", kRed, 0), InternalError);
}

}  // namespace
}  // namespace smcl::draw
