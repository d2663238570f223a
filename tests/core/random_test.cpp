#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "core/error.h"

namespace smcl {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Another number is another stream: every run with it would change.
TEST(Purposes, KeepTheirNumbers) {
  const std::vector<std::pair<Purpose, int>> expected{{Purpose::init, 1},
                                                      {Purpose::epoch_order, 2},
                                                      {Purpose::augment, 3},
                                                      {Purpose::target_class, 4},
                                                      {Purpose::target_sample, 5},
                                                      {Purpose::target_augment, 6},
                                                      {Purpose::mask_coin, 7},
                                                      {Purpose::mask_area, 8},
                                                      {Purpose::mask_place, 9},
                                                      {Purpose::mask_fill, 10},
                                                      {Purpose::cutout_coin, 11},
                                                      {Purpose::mix_coin, 12},
                                                      {Purpose::mix_share, 13},
                                                      {Purpose::mix_partner, 14},
                                                      {Purpose::mix_place, 15},
                                                      {Purpose::view_augment, 19},
                                                      {Purpose::resample_class, 16},
                                                      {Purpose::resample_image, 17},
                                                      {Purpose::resample_augment, 18},
                                                      {Purpose::scene_kinds, 20},
                                                      {Purpose::scene_objects, 21},
                                                      {Purpose::scene_pose, 22},
                                                      {Purpose::scene_texture, 23},
                                                      {Purpose::class_order, 30},
                                                      {Purpose::bootstrap, 40},
                                                      {Purpose::stage_init, 50},
                                                      {Purpose::strong_crop, 56},
                                                      {Purpose::strong_policy, 51},
                                                      {Purpose::strong_colour, 52},
                                                      {Purpose::strong_grey, 53},
                                                      {Purpose::strong_blur, 54},
                                                      {Purpose::strong_cutout, 55},
                                                      {Purpose::test, 99}};
  for (const auto& [purpose, number] : expected) EXPECT_EQ(static_cast<int>(purpose), number);
}

// Known answers of Random123 (Salmon et al.), file kat_vectors, philox4x32-10.
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The layout of counter and key is part of the format of a run: seeds of old runs must give the
// same draws for ever.
TEST(RandomStream, IsPhiloxOfItsDocumentedCounter) {
  const std::uint64_t seed = 0x0123456789abcdef;
  RandomStream stream(seed, Purpose::mask_area, 0xabcdef, 0x12'3456789a);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const Words expected = philox4x32({block, 0x3456789a, 0xabcdef12, 8}, {0x89abcdef, 0x01234567});
    for (const std::uint32_t word : expected) EXPECT_EQ(stream.next(), word);
  }
}

TEST(RandomStream, MapsWordsAsDocumented) {
  const auto fresh = [] { return RandomStream(5, Purpose::test, 1, 2); };
  RandomStream words = fresh();
  const std::uint64_t high = words.next();
  const std::uint64_t low = words.next();
  EXPECT_EQ(fresh().next64(), (high << 32) | low);
  EXPECT_EQ(fresh().unit(),
            static_cast<double>(((high << 32) | low) >> 11) / 9007199254740992.0);  // 2^53
  EXPECT_EQ(fresh().below(1000), (high * 1000) >> 32);
  EXPECT_EQ(scale_draw(0xffffffff, 7), 6U);
  EXPECT_EQ(scale_draw(0, 7), 0U);
  EXPECT_EQ(scale_draw(0x80000000, 7), 3U);
}

// From an independent implementation in Python (integers exact, libm to a few last places).
TEST(RandomStream, KeepsItsValues) {
  RandomStream s(2024, Purpose::mask_coin, 3, 41);
  for (const std::uint32_t expected : {0U, 7U, 3U, 6U, 4U, 6U, 7U, 3U, 5U, 5U, 2U, 3U}) {
    EXPECT_EQ(s.below(10), expected);
  }
  EXPECT_EQ(s.below(1U << 31), 517279709U);
  EXPECT_EQ(s.unit(), 0.7659155613158661);
  EXPECT_DOUBLE_EQ(s.normal(), 0.5506720694540667);
  EXPECT_DOUBLE_EQ(s.gamma(2.5), 0.7800544518417263);
  EXPECT_DOUBLE_EQ(s.gamma(0.4), 0.06756033932586723);
  EXPECT_DOUBLE_EQ(s.beta(2.0, 3.0), 0.4790927082785136);
  EXPECT_EQ(s.next(), 0x851e262cU);
}

TEST(RandomStream, RefusesWhatItCannotCount) {
  EXPECT_THROW(RandomStream(1, Purpose::test, 1U << 24, 0), InternalError);
  EXPECT_THROW(RandomStream(1, Purpose::test, 0, std::uint64_t{1} << 40), InternalError);
  EXPECT_NO_THROW(RandomStream(1, Purpose::test, (1U << 24) - 1, (std::uint64_t{1} << 40) - 1));
}

// 99.9 % quantiles of the chi-squared distribution (scipy.stats.chi2.ppf(0.999, k - 1)). The
// draws are fixed, so the tests either always pass or never.
TEST(RandomStream, BelowIsUniform) {
  struct Case {
    std::uint32_t bound;
    double limit;
  };
  for (const auto& [bound, limit] :
       {Case{2, 10.828}, Case{3, 13.816}, Case{10, 27.877}, Case{100, 148.230}}) {
    RandomStream stream(11, Purpose::test, 0, bound);
    const int n = 100000;
    std::vector<int> counts(bound);
    for (int i = 0; i < n; ++i) ++counts.at(stream.below(bound));
    const double expected = static_cast<double>(n) / bound;
    double chi = 0.0;
    for (const int count : counts) chi += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi, limit) << bound;
  }
}

// 2^32 words on 3 * 2^30 values: without rejection every third value would come twice as often.
TEST(RandomStream, BelowRejectsWhatWouldBeBiased) {
  RandomStream stream(12, Purpose::test, 0, 0);
  const std::uint32_t bound = 3U << 30;
  std::array<int, 3> counts{};
  const int n = 90000;
  for (int i = 0; i < n; ++i) ++counts.at(stream.below(bound) % 3);
  double chi = 0.0;
  for (const int count : counts) chi += (count - n / 3.0) * (count - n / 3.0) / (n / 3.0);
  EXPECT_LT(chi, 13.816);
  EXPECT_EQ(RandomStream(1, Purpose::test, 0, 0).below(1), 0U);
}

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

template <class Draw>
Moments moments(int n, Draw draw) {
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  return {mean, squares / n - mean * mean};
}

// Tolerances are about 4 standard errors: sd / sqrt(n) of the mean, and for the variance
// sqrt((kurtosis - 1) / n) * variance.
TEST(RandomStream, DistributionsHaveTheirMoments) {
  const int n = 100000;
  RandomStream s(13, Purpose::test, 0, 0);
  const Moments uniform = moments(n, [&] { return s.unit(); });
  EXPECT_NEAR(uniform.mean, 0.5, 0.0037);
  EXPECT_NEAR(uniform.variance, 1.0 / 12.0, 0.001);
  const Moments normal = moments(n, [&] { return s.normal(); });
  EXPECT_NEAR(normal.mean, 0.0, 0.013);
  EXPECT_NEAR(normal.variance, 1.0, 0.018);
  for (const double shape : {0.3, 1.0, 4.5}) {  // mean and variance of Gamma(k, 1) are k
    const Moments gamma = moments(n, [&] { return s.gamma(shape); });
    EXPECT_NEAR(gamma.mean, shape, 4.0 * std::sqrt(shape / n)) << shape;
    EXPECT_NEAR(gamma.variance, shape, 4.0 * shape * std::sqrt((2.0 + 6.0 / shape) / n)) << shape;
  }
  for (const auto& shapes : {std::pair{0.5, 0.5}, {2.0, 5.0}, {1.0, 1.0}}) {
    const double a = shapes.first;
    const double b = shapes.second;
    const Moments beta = moments(n, [&] { return s.beta(a, b); });
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1.0));
    EXPECT_NEAR(beta.mean, a / (a + b), 4.0 * std::sqrt(variance / n)) << a << ' ' << b;
    EXPECT_NEAR(beta.variance, variance, 0.02 * variance) << a << ' ' << b;
  }
}

TEST(RandomStream, DrawsStayInTheirRange) {
  RandomStream s(14, Purpose::test, 0, 0);
  for (int i = 0; i < 20000; ++i) {
    const double u = s.unit();
    ASSERT_TRUE(u >= 0.0 && u < 1.0);
    const double b = s.beta(0.05, 0.05);
    ASSERT_TRUE(b >= 0.0 && b <= 1.0) << b;
  }
}

// Independent streams: first draws of neighbouring arguments are uncorrelated, and none agree.
TEST(RandomStream, StreamsOfOtherArgumentsAreIndependent) {
  const int n = 20000;
  const auto correlation = [&](auto other) {
    double sum = 0.0;
    for (int i = 0; i < n; ++i) {
      const auto index = static_cast<std::uint64_t>(i);
      RandomStream base(15, Purpose::augment, 3, index);
      RandomStream neighbour = other(index);
      sum += (base.unit() - 0.5) * (neighbour.unit() - 0.5);
    }
    return 12.0 * sum / n;
  };
  const double limit = 4.0 / std::sqrt(n);
  EXPECT_LT(
      std::abs(correlation([](auto i) { return RandomStream(15, Purpose::augment, 3, i + 1); })),
      limit);
  EXPECT_LT(std::abs(correlation([](auto i) { return RandomStream(15, Purpose::augment, 4, i); })),
            limit);
  EXPECT_LT(std::abs(correlation([](auto i) { return RandomStream(16, Purpose::augment, 3, i); })),
            limit);
  EXPECT_LT(
      std::abs(correlation([](auto i) { return RandomStream(15, Purpose::target_augment, 3, i); })),
      limit);
  // The same arguments: correlation 1, so the measure can fail.
  EXPECT_GT(correlation([](auto i) { return RandomStream(15, Purpose::augment, 3, i); }), 0.9);
}

}  // namespace
}  // namespace smcl
