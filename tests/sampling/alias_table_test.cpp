#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/random.h"
#include "sampling/class_distribution.h"

namespace smcl::sampling {
namespace {

/// The probability of each result, read off the table through draw() alone: for each place the
/// coin below which the place itself comes.
std::vector<double> exact_probabilities(const AliasTable& table) {
  const std::uint64_t size = table.size();
  std::vector<double> p(size, 0.0);
  for (std::uint64_t k = 0; k < size; ++k) {
    const auto place = static_cast<std::uint32_t>((k * 0x100000000ULL + size - 1) / size);
    const std::uint32_t last = table.draw(place, 0xFFFFFFFF);
    const std::uint32_t first = table.draw(place, 0);
    std::uint64_t low = 0, high = 0x100000000ULL;  // the first coin that gives `last`
    while (first != last && low + 1 < high) {
      const std::uint64_t middle = (low + high) / 2;
      (table.draw(place, static_cast<std::uint32_t>(middle)) == last ? high : low) = middle;
    }
    const double share = first == last ? 1.0 : static_cast<double>(high) * 0x1p-32;
    p[first] += share / static_cast<double>(size);
    if (first != last) p[last] += (1.0 - share) / static_cast<double>(size);
  }
  return p;
}

/// int(n_max * (1/ratio)^(i/(C-1))), Cui et al. 2019.
std::vector<int> long_tail(int classes, int n_max, double ratio) {
  std::vector<int> counts;
  for (int i = 0; i < classes; ++i) {
    counts.push_back(
        static_cast<int>(n_max * std::pow(1.0 / ratio, i / static_cast<double>(classes - 1))));
  }
  return counts;
}

struct Case {
  int classes;
  int n_max;
  double chi_999;  ///< 99.9 % point of chi-squared with classes - 1 degrees of freedom, tables
};

class AliasTableOverRatios : public ::testing::TestWithParam<std::tuple<Case, double, Unit>> {};

TEST_P(AliasTableOverRatios, DrawsByTheProbabilities) {
  const auto& [data, ratio, unit] = GetParam();
  const auto p = class_probabilities(long_tail(data.classes, data.n_max, ratio), Kind::effective,
                                     unit, 0.9999);
  const AliasTable table(p);
  const auto exact = exact_probabilities(table);
  for (std::size_t k = 0; k < p.size(); ++k) ASSERT_NEAR(exact[k], p[k], 1e-9) << "class " << k;

  constexpr int kDraws = 200000;
  std::vector<int> seen(p.size());
  RandomStream random(11, Purpose::test, static_cast<std::uint32_t>(ratio), p.size());
  for (int i = 0; i < kDraws; ++i) {
    const std::uint32_t place = random.next();
    ++seen[table.draw(place, random.next())];
  }
  double chi = 0.0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double expected = kDraws * p[k];
    ASSERT_GT(expected, 5.0);
    chi += (seen[k] - expected) * (seen[k] - expected) / expected;
  }
  EXPECT_LT(chi, data.chi_999);
}

/// classes10_ratio50_by_sample
std::string case_name(const ::testing::TestParamInfo<std::tuple<Case, double, Unit>>& info) {
  const auto& [data, ratio, unit] = info.param;
  return "classes" + std::to_string(data.classes) + "_ratio" +
         std::to_string(static_cast<int>(ratio)) +
         (unit == Unit::class_ ? "_by_class" : "_by_sample");
}

INSTANTIATE_TEST_SUITE_P(Cifar, AliasTableOverRatios,
                         ::testing::Combine(::testing::Values(Case{10, 5000, 27.88},
                                                              Case{100, 500, 148.23}),
                                            ::testing::Values(1.0, 10.0, 50.0, 100.0, 256.0),
                                            ::testing::Values(Unit::class_, Unit::sample)),
                         case_name);

TEST(AliasTable, HandComputed) {
  // 1/4 and 3/4: place 0 keeps half of its coins, the other half and place 1 give 1.
  const AliasTable table(std::vector<double>{1.0, 3.0});
  EXPECT_EQ(table.draw(0, 0x7FFFFFFF), 0U);
  EXPECT_EQ(table.draw(0, 0x80000000), 1U);
  EXPECT_EQ(table.draw(0x80000000, 0), 1U);
  EXPECT_EQ(table.draw(0xFFFFFFFF, 0xFFFFFFFF), 1U);
}

TEST(AliasTable, NeverDrawsProbabilityZero) {
  RandomStream random(5, Purpose::test, 0, 0);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> p(1 + random.below(40));
    for (double& v : p) v = random.below(3) == 0 ? 0.0 : std::exp(8.0 * random.normal());
    p[random.below(static_cast<std::uint32_t>(p.size()))] = 1e-3;
    const auto exact = exact_probabilities(AliasTable(p));
    double sum = 0.0;
    for (const double v : p) sum += v;
    for (std::size_t k = 0; k < p.size(); ++k) {
      ASSERT_NEAR(exact[k], p[k] / sum, 1e-9);
      if (p[k] == 0.0) {
        ASSERT_EQ(exact[k], 0.0);
      }
    }
  }
}

TEST(AliasTable, OnePlace) {
  const AliasTable table(std::vector<double>{0.3});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.draw(0xFFFFFFFF, 0xFFFFFFFF), 0U);
}

TEST(AliasTable, RefusesWhatIsNoDistribution) {
  EXPECT_THROW(AliasTable(std::vector<double>{}), UsageError);
  EXPECT_THROW(AliasTable(std::vector<double>{0.0, 0.0}), UsageError);
  EXPECT_THROW(AliasTable(std::vector<double>{0.5, -0.1}), UsageError);
  EXPECT_THROW(AliasTable(std::vector<double>{0.5, std::nan("")}), UsageError);
  EXPECT_THROW(AliasTable(std::vector<double>{std::numeric_limits<double>::infinity()}),
               UsageError);
}

}  // namespace
}  // namespace smcl::sampling
