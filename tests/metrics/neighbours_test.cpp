#include "metrics/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "metrics/sklearn.h"

namespace smcl::metrics {
namespace {

Neighbours nearest(const Features& queries, const Features& gallery, int k,
                   const std::vector<std::int64_t>& own = {}) {
  const Features unit = unit_rows(queries, "queries");
  const NeighbourSearch search(unit_rows(gallery, "gallery"), k, own.empty() ? 0 : 1);
  Neighbours found = search.prepare(unit.size());
  search.search(unit, own, 0, unit.size(), found);
  return found;
}

std::vector<std::int64_t> itself(std::size_t rows) {
  std::vector<std::int64_t> own(rows);
  std::iota(own.begin(), own.end(), 0);
  return own;
}

Features random_rows(std::size_t rows, int dim, std::uint64_t seed) {
  Features features{dim, {}};
  RandomStream random(seed, Purpose::test, 0, 0);
  for (std::size_t i = 0; i < rows * static_cast<std::size_t>(dim); ++i) {
    features.values.push_back(static_cast<float>(random.normal()));
  }
  return features;
}

// By hand: directions at 0, 45, 90 and 180 degrees; the query lies at 0.
TEST(Neighbours, AreSortedByCosine) {
  const Features gallery{2, {-1, 0, 0, 3, 5, 5, 2, 0}};
  const Neighbours found = nearest({2, {7, 0}}, gallery, 4);
  EXPECT_EQ(found.rows, (std::vector<std::uint32_t>{3, 2, 1, 0}));
  EXPECT_EQ(found.cosines[0], 1.0F);
  EXPECT_NEAR(found.cosines[1], 0.70710678, 1e-7);
  EXPECT_EQ(found.cosines[2], 0.0F);
  EXPECT_EQ(found.cosines[3], -1.0F);
}

TEST(Neighbours, OfEqualCosinesTheEarlierComesFirstAndZerosAreInTheMiddle) {
  const Features gallery{2, {-1, 0, 1, 0, 2, 0, 0, 0, 4, 0}};
  EXPECT_EQ(nearest({2, {1, 0}}, gallery, 5).rows, (std::vector<std::uint32_t>{1, 2, 4, 3, 0}));
}

TEST(Neighbours, LeaveTheImageItselfOut) {
  const Features gallery{2, {1, 0, 1, 0.1F, 0, 1}};
  EXPECT_EQ(nearest(gallery, gallery, 2, itself(3)).rows,
            (std::vector<std::uint32_t>{1, 2, 0, 2, 1, 0}));
}

TEST(Neighbours, AreThoseOfScikitLearn) {
  const auto reference = sklearn("neighbours");
  const Features gallery = table(reference.at("gallery"));
  const Neighbours found = nearest(table(reference.at("queries")), gallery, 5);
  const Neighbours own = nearest(gallery, gallery, 5, itself(gallery.size()));
  ASSERT_EQ(found.rows.size(), 12U * 5U);
  ASSERT_EQ(own.rows.size(), 70U * 5U);
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    EXPECT_EQ(found.rows[i], reference.at("rows")[i / 5][i % 5]) << i;
    EXPECT_NEAR(found.cosines[i], reference.at("cosines")[i / 5][i % 5].get<double>(), 1e-6) << i;
  }
  for (std::size_t i = 0; i < own.rows.size(); ++i) {
    EXPECT_EQ(own.rows[i], reference.at("own_rows")[i / 5][i % 5]) << i;
  }
}

TEST(Neighbours, DoNotDependOnTheOrderAndTheScaleOfRows) {
  const Features gallery = random_rows(75, 9, 1);
  const Features queries = random_rows(20, 9, 2);
  const Neighbours found = nearest(queries, gallery, 6);
  Features turned{9, {}};  // row i of it is row 74 - i, four times as long
  for (std::size_t i = 0; i < 75; ++i) {
    for (const float value : gallery.row(74 - i)) turned.values.push_back(4.0F * value);
  }
  const Neighbours again = nearest(queries, turned, 6);
  EXPECT_EQ(again.cosines, found.cosines);
  for (std::size_t i = 0; i < found.rows.size(); ++i) EXPECT_EQ(again.rows[i], 74 - found.rows[i]);
}

TEST(Neighbours, InPartsAreTheSame) {
  const Features gallery = unit_rows(random_rows(70, 5, 3), "gallery");
  const Features queries = unit_rows(random_rows(11, 5, 4), "queries");
  const NeighbourSearch search(gallery, 3, 0);
  Neighbours whole = search.prepare(11);
  search.search(queries, {}, 0, 11, whole);
  Neighbours parts = search.prepare(11);
  for (std::size_t begin : {8U, 0U, 4U}) {
    search.search(queries, {}, begin, std::min(begin + 4, std::size_t{11}), parts);
  }
  EXPECT_EQ(parts.rows, whole.rows);
  EXPECT_EQ(parts.cosines, whole.cosines);
}

TEST(Neighbours, KMustFit) {
  const Features gallery{1, {1, 2, 3}};
  EXPECT_THROW(nearest({1, {1}}, gallery, 0), UsageError);
  EXPECT_NO_THROW(nearest({1, {1}}, gallery, 3));
  try {
    nearest(gallery, gallery, 3, itself(3));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("k = 3 nearest of 3 images"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("expected 1 to 2"), std::string::npos);
  }
  EXPECT_THROW(nearest({2, {1, 1}}, gallery, 1), InternalError) << "another width";
}

// Gallery of categories 0 0 0 1 2; the first query is row 0 itself.
TEST(Agreement, CountsNeighboursAndWhatChanceGives) {
  const Neighbours neighbours{2, {1, 3, 4, 3}, {0, 0, 0, 0}};
  const Categories categories{{0, 0, 0, 1, 2}, {{1, 0, 0}, {0, 1, 1}}};
  const std::vector<std::int32_t> sets{0, 1};
  const std::vector<std::int64_t> own{0, -1};
  const Agreement found = agreement(neighbours, categories, sets, own);
  EXPECT_EQ(found.share, (std::vector<double>{0.5, 1.0}));
  EXPECT_EQ(found.chance, (std::vector<double>{2.0 / 4, 2.0 / 5}));
  EXPECT_EQ(agreement(neighbours, categories, sets, {}).chance,
            (std::vector<double>{3.0 / 5, 2.0 / 5}));
  const std::vector<std::int32_t> one{0};
  EXPECT_THROW(agreement(neighbours, categories, one, {}), InternalError);
}

// Features that are their kind: every neighbour is of the kind, as long as there are enough.
TEST(Agreement, IsOneWhereFeaturesAreTheKind) {
  Features one_hot{4, {}};
  Categories kinds;
  for (int i = 0; i < 40; ++i) {
    kinds.of_row.push_back(i % 4);
    for (int d = 0; d < 4; ++d) one_hot.values.push_back(d == i % 4 ? 1.0F : 0.0F);
  }
  for (int kind = 0; kind < 4; ++kind) {
    kinds.sets.emplace_back(4);
    kinds.sets.back()[static_cast<std::size_t>(kind)] = 1;
  }
  const auto own = itself(40);
  const Agreement found = agreement(nearest(one_hot, one_hot, 9, own), kinds, kinds.of_row, own);
  for (const double share : found.share) EXPECT_EQ(share, 1.0);
  for (const double chance : found.chance) EXPECT_EQ(chance, 9.0 / 39);
}

}  // namespace
}  // namespace smcl::metrics
