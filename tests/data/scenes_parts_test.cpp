#include "data/scenes_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "core/error.h"
#include "data/scenes_object.h"
#include "data/scenes_support.h"
#include "data/scenes_texture.h"

namespace smcl::data {
namespace {

constexpr std::size_t kItemPixels = kItemSize * kItemSize;

RandomStream stream(std::uint64_t index) {
  return {7, Purpose::test, 0, index};
}

TEST(SceneTexture, EveryKindHasContrastAndStaysInRange) {
  for (int kind = 0; kind < kSceneKinds; ++kind) {
    for (std::uint64_t image = 0; image < 20; ++image) {
      auto random = stream(image);
      Texture texture;
      draw_texture(kind, random, texture);
      const auto [low, high] = std::minmax_element(texture.begin(), texture.end());
      EXPECT_GE(*low, -127) << scene_kind_name(kind);
      EXPECT_GE(*high - *low, 100) << scene_kind_name(kind) << " image " << image;
    }
  }
}

TEST(SceneTexture, IsAPureFunctionOfItsStreamAndVaries) {
  for (int kind = 0; kind < kSceneKinds; ++kind) {
    std::array<Texture, 3> textures;
    for (const std::size_t i : {0U, 1U, 2U}) {
      auto random = stream(i / 2);  // the first two from the same stream
      draw_texture(kind, random, textures[i]);
    }
    EXPECT_EQ(textures[0], textures[1]) << scene_kind_name(kind);
    EXPECT_NE(textures[0], textures[2]) << scene_kind_name(kind);
  }
}

// Horizontal stripes vary down a column, vertical ones along a row.
TEST(SceneTexture, StripesRunTheirWay) {
  const auto change = [](const Texture& t, std::size_t step) {
    long sum = 0;
    for (std::size_t y = 0; y + 1 < kSceneSize; ++y) {
      for (std::size_t x = 0; x + 1 < kSceneSize; ++x) {
        const std::size_t at = y * kSceneSize + x;
        sum += std::abs(t[at + step] - t[at]);
      }
    }
    return sum;
  };
  for (std::uint64_t image = 0; image < 20; ++image) {
    auto random = stream(image);
    Texture texture;
    draw_texture(0, random, texture);
    EXPECT_GT(change(texture, kSceneSize), 3 * change(texture, 1));
    draw_texture(1, random, texture);
    EXPECT_GT(change(texture, 1), 3 * change(texture, kSceneSize));
  }
}

TEST(SceneTexture, NamesAndColoursAreDistinct) {
  std::set<std::string> names;
  for (int a = 0; a < kSceneKinds; ++a) {
    names.insert(scene_kind_name(a));
    for (int b = 0; b < a; ++b) {
      int distance = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        distance += std::abs(scene_colour(a)[c] - scene_colour(b)[c]);
      }
      EXPECT_GE(distance, 30) << scene_kind_name(a) << " and " << scene_kind_name(b);
    }
  }
  EXPECT_EQ(names.size(), kSceneKinds);
}

// At full size nothing is averaged: levels 0, 6 are clear, 40 and up opaque, 23 half; light is
// 85 + level * 170 / 255 of 255.
TEST(SceneObject, FullSizeKeepsEveryPixel) {
  std::vector<std::uint8_t> item(kItemPixels, 0);
  const std::array<std::uint8_t, 5> levels{6, 23, 40, 120, 255};
  std::copy(levels.begin(), levels.end(), item.begin());
  auto random = stream(3);
  const Sprite sprite = make_sprite(item, {kItemSize, kItemSize}, random);
  const auto first =
      std::find_if(sprite.alpha.begin(), sprite.alpha.end(), [](std::uint8_t a) { return a != 0; });
  const auto at = static_cast<std::size_t>(first - sprite.alpha.begin());
  EXPECT_EQ(sprite.alpha[at], 127);  // (23 - 6) * 255 / 34 = 127.5, down
  EXPECT_EQ(sprite.alpha[at + 1], 255);
  EXPECT_EQ(sprite.alpha[at + 2], 255);
  EXPECT_EQ(sprite.light[at + 1], 111);
  EXPECT_EQ(sprite.light[at + 2], 165);
  EXPECT_EQ(sprite.light[at + 3], 255);
  EXPECT_EQ(std::accumulate(sprite.alpha.begin(), sprite.alpha.end(), 0), 127 + 3 * 255);
}

// Another way to the same areas: repeat every pixel `side` times both ways, then average blocks of
// 28 x 28.
TEST(SceneObject, ShrinkingAveragesAreas) {
  std::vector<std::uint8_t> item(kItemPixels);
  auto random = stream(4);
  for (auto& level : item) level = random.below(2) ? 255 : 0;
  for (const int side : {4, 11, 14, 18, 27, 32}) {
    auto pose = stream(5);
    const Sprite sprite = make_sprite(item, {side, side}, pose);
    std::vector<int> expected;
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        long sum = 0;
        for (int v = 28 * y; v < 28 * (y + 1); ++v) {
          for (int u = 28 * x; u < 28 * (x + 1); ++u) {
            sum += item[static_cast<std::size_t>(v / side * kItemSize + u / side)];
          }
        }
        expected.push_back(static_cast<int>(std::floor(static_cast<double>(sum) / 784 + 0.5)));
      }
    }
    // The sum and the sum of squares do not depend on the place.
    long alpha_sum = 0, alpha_squares = 0, sum = 0, squares = 0;
    for (const int a : sprite.alpha) alpha_sum += a, alpha_squares += long{a} * a;
    for (const int a : expected) sum += a, squares += long{a} * a;
    EXPECT_EQ(alpha_sum, sum) << side;
    EXPECT_EQ(alpha_squares, squares) << side;
  }
}

TEST(SceneObject, LiesAnywhereInsideWithATightBox) {
  const std::vector<std::uint8_t> item(kItemPixels, 200);
  std::set<int> sides, tops, lefts;
  for (std::uint64_t image = 0; image < 2000; ++image) {
    auto random = stream(image);
    const Box box = make_sprite(item, {11, 18}, random).box().value();
    ASSERT_EQ(box.height(), box.width());
    sides.insert(box.height());
    if (box.height() == 18) tops.insert(box.y0), lefts.insert(box.x0);
  }
  EXPECT_EQ(*sides.begin(), 11);
  EXPECT_EQ(*sides.rbegin(), 18);
  EXPECT_EQ(sides.size(), 8U);
  EXPECT_EQ(tops.size(), 15U);  // 0 to 32 - 18
  EXPECT_EQ(lefts.size(), 15U);
}

TEST(SceneObject, NoOpaquePixelMeansNoBox) {
  const std::vector<std::uint8_t> item(kItemPixels, 10);  // opacity 30
  auto random = stream(0);
  EXPECT_FALSE(make_sprite(item, {11, 18}, random).box().has_value());
}

TEST(SceneObject, CompositeIsTintOnTheObjectAndBackgroundAround) {
  const std::vector<std::uint8_t> item(kItemPixels, 255);
  auto pose = stream(1);
  const Sprite sprite = make_sprite(item, {14, 14}, pose);
  std::vector<std::uint8_t> with(kSceneSize * kSceneSize * 3), without(with.size());
  auto texture = stream(2);
  render_scene(4, texture, 13107, &sprite, with.data());
  texture = stream(2);
  render_scene(4, texture, 13107, nullptr, without.data());
  const auto mask = sprite.mask();
  EXPECT_EQ(std::count(mask.begin(), mask.end(), 1), 14 * 14);
  for (std::size_t i = 0; i < with.size(); ++i) {
    ASSERT_EQ(with[i], mask[i / 3] ? sprite.tint[i % 3] : without[i]);
  }
}

TEST(SceneObject, AmplitudeZeroLeavesTheBaseColour) {
  std::vector<std::uint8_t> pixels(kSceneSize * kSceneSize * 3);
  auto texture = stream(2);
  render_scene(22, texture, 0, nullptr, pixels.data());
  for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_EQ(pixels[i], scene_colour(22)[i % 3]);
}

ScenesSettings with_support(const std::string& name, std::vector<double> args = {}) {
  ScenesSettings settings;
  settings.support = {name, std::move(args)};
  return settings;
}

std::array<double, kSceneKinds> frequencies(const KindRule& rule, int label, int draws) {
  std::array<double, kSceneKinds> result{};
  for (int i = 0; i < draws; ++i) {
    auto random = stream(static_cast<std::uint64_t>(i));
    result[static_cast<std::size_t>(rule.draw(label, random))] += 1.0 / draws;
  }
  return result;
}

TEST(SceneSupport, PreferredKindsAreSharedOutEvenly) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const int count : {1, 4, 5, 23, 24}) {
      ScenesSettings settings = with_support("context", {0.5, static_cast<double>(count)});
      settings.seed = seed;
      const KindRule rule(settings);
      std::array<int, kSceneKinds> used{};
      ASSERT_EQ(rule.preferred().size(), 10U);
      for (const auto& kinds : rule.preferred()) {
        ASSERT_EQ(std::set<int>(kinds.begin(), kinds.end()).size(),
                  static_cast<std::size_t>(count));
        ASSERT_TRUE(std::is_sorted(kinds.begin(), kinds.end()));
        for (const int kind : kinds) ++used[static_cast<std::size_t>(kind)];
      }
      const auto [low, high] = std::minmax_element(used.begin(), used.end());
      ASSERT_LE(*high - *low, 1) << "seed " << seed << ", " << count << " kinds";
    }
  }
}

// context(0.5, 4): a preferred kind has 0.5 / 4 + 0.5 / 24, any other 0.5 / 24. Bounds are about
// five standard deviations of 40,000 draws.
TEST(SceneSupport, ContextMixesPreferredAndAnyKind) {
  const KindRule rule(with_support("context", {0.5, 4}));
  const auto share = frequencies(rule, 3, 40000);
  const auto& mine = rule.preferred()[3];
  for (int kind = 0; kind < kSceneKinds; ++kind) {
    const bool preferred = std::find(mine.begin(), mine.end(), kind) != mine.end();
    EXPECT_NEAR(share[static_cast<std::size_t>(kind)], preferred ? 0.125 + 1.0 / 48 : 1.0 / 48,
                preferred ? 0.009 : 0.004);
  }
}

TEST(SceneSupport, IndependentAndResampledDrawAnyKindAndKeepTheSameLists) {
  const KindRule context(with_support("context", {0.5, 4}));
  for (const std::string name : {"independent", "resampled"}) {
    const KindRule rule(with_support(name));
    EXPECT_EQ(rule.preferred(), context.preferred());
    EXPECT_EQ(rule.resampled(), name == "resampled");
    for (const double share : frequencies(rule, 3, 40000)) EXPECT_NEAR(share, 1.0 / 24, 0.005);
  }
}

TEST(SceneSupport, ScarceShowsItsKindsOnly) {
  const KindRule rule(with_support("scarce", {3}));
  for (int label = 0; label < kSceneClasses; ++label) {
    const auto share = frequencies(rule, label, 1000);
    double sum = 0.0;
    for (const int kind : rule.preferred()[static_cast<std::size_t>(label)]) {
      EXPECT_NEAR(share[static_cast<std::size_t>(kind)], 1.0 / 3, 0.08);
      sum += share[static_cast<std::size_t>(kind)];
    }
    EXPECT_NEAR(sum, 1.0, 1e-9);
  }
}

// Exponent 1: the sorted shares are 1/r over the 24th harmonic number, 3.77596.
TEST(SceneSupport, ZipfMakesSomeKindsRare) {
  ScenesSettings settings = with_support("independent");
  settings.kind_zipf = 1.0;
  auto share = frequencies(KindRule(settings), 0, 40000);
  std::sort(share.rbegin(), share.rend());
  EXPECT_NEAR(share[0], 1.0 / 3.77596, 0.011);
  EXPECT_NEAR(share[1], 1.0 / 2 / 3.77596, 0.009);
  EXPECT_NEAR(share[23], 1.0 / 24 / 3.77596, 0.003);
}

TEST(SceneSupport, RefusesUnknownFormsAndRanges) {
  EXPECT_THROW(KindRule(with_support("sometimes")), UsageError);
  EXPECT_THROW(KindRule(with_support("context", {1.5, 4})), UsageError);
  EXPECT_THROW(KindRule(with_support("context", {std::nan(""), 4})), UsageError);
  EXPECT_THROW(KindRule(with_support("context", {0.5, 0})), UsageError);
  EXPECT_THROW(KindRule(with_support("context", {0.5, 25})), UsageError);
  EXPECT_THROW(KindRule(with_support("scarce", {2.5})), UsageError);
  ScenesSettings settings;
  settings.kind_zipf = -1.0;
  EXPECT_THROW(KindRule{settings}, UsageError);
}

}  // namespace
}  // namespace smcl::data
