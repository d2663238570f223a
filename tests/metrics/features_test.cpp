#include "metrics/features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

// Expected values are worked out by hand.
namespace smcl::metrics {
namespace {

TEST(Features, RowsAreDividedByTheirLength) {
  const Features unit = unit_rows({2, {3, 4, 0, 0, -5, 0}}, "images");
  EXPECT_EQ(unit.values, (std::vector<float>{0.6F, 0.8F, 0, 0, -1, 0}));
}

TEST(Features, OfValuesThatAreNotFiniteNameTheRow) {
  for (const float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    try {
      unit_rows({2, {1, 2, value, 3}}, "test images");
      FAIL();
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("test images"), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("row 1"), std::string::npos);
    }
  }
  EXPECT_THROW(unit_rows({2, {1, 2, 3}}, "images"), InternalError);
  EXPECT_THROW(unit_rows({0, {}}, "images"), InternalError);
}

/// Classes 0: (1, 0) and (0, 1); 1: (-1, 0); 2 has none.
struct Means {
  Features unit{2, {1, 0, 0, 1, -1, 0}};
  std::vector<std::int32_t> labels{0, 0, 1};
  ClassMeans means{unit, labels, 3};
};

TEST(ClassMeans, CosineIsWithTheMeanOfUnitRows) {
  const Means m;
  const std::vector<float> right{1, 0};
  EXPECT_NEAR(m.means.cosine(right, 0), std::sqrt(0.5), 1e-12);
  EXPECT_EQ(m.means.cosine(right, 1), -1.0);
  EXPECT_EQ(m.means.cosine(right, 2), 0.0);
  EXPECT_TRUE(m.means.has(0));
  EXPECT_FALSE(m.means.has(2));
  EXPECT_NEAR(m.means.mean_cosine(right), (std::sqrt(0.5) - 1.0) / 2, 1e-12) << "two have rows";
  EXPECT_EQ(m.means.mean_cosine(right, -1, 0), -1.0) << "class 1 alone";
  EXPECT_EQ(m.means.mean_cosine(right, 2, 0), 0.0) << "no class is left";
  EXPECT_EQ(m.means.cosine(std::vector<float>{0, 0}, 0), 0.0);
}

TEST(ClassMeans, TheRowItselfIsLeftOutOfItsClassAlone) {
  const Means m;
  const std::vector<float> right{1, 0};
  EXPECT_EQ(m.means.cosine(right, 0, 0), 0.0) << "(0, 1) is left";
  EXPECT_EQ(m.means.cosine(right, 1, 0), -1.0);
  EXPECT_FALSE(m.means.has(1, 2));
  EXPECT_TRUE(m.means.has(0, 2));
  EXPECT_NEAR(m.means.mean_cosine(right, 2), std::sqrt(0.5), 1e-12) << "class 1 has none left";
}

TEST(ClassMeans, LabelsMustFit) {
  const Features unit{1, {1, 1}};
  const std::vector<std::int32_t> one{0};
  const std::vector<std::int32_t> high{0, 2};
  EXPECT_THROW((ClassMeans{unit, one, 2}), InternalError);
  EXPECT_THROW((ClassMeans{unit, high, 2}), InternalError);
}

}  // namespace
}  // namespace smcl::metrics
