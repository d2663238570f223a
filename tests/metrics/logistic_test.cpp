#include "metrics/logistic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "metrics/lbfgs.h"
#include "metrics/sklearn.h"

namespace smcl::metrics {
namespace {

Features part(const Features& all, std::size_t begin, std::size_t end) {
  const auto dim = static_cast<std::size_t>(all.dim);
  return {all.dim,
          {all.values.begin() + static_cast<std::ptrdiff_t>(begin * dim),
           all.values.begin() + static_cast<std::ptrdiff_t>(end * dim)}};
}

// One of its values is constant, one a hundred times as large as the others.
TEST(Probe, IsThatOfScikitLearn) {
  const auto reference = sklearn("probe");
  const Features rows = table(reference.at("rows"));
  const auto labels = reference.at("labels").get<std::vector<std::int32_t>>();
  const auto train = reference.at("train").get<std::size_t>();
  for (const auto& [name, c] : {std::pair{"probabilities_0.1", 0.1}, {"probabilities_1.0", 1.0}}) {
    const Probe probe(part(rows, 0, train), std::span(labels).first(train),
                      reference.at("classes").get<int>(), {c, 1e-9, 10000});
    const auto found = probe.probabilities(part(rows, train, rows.size()));
    std::size_t i = 0;
    for (const auto& row : reference.at(name)) {
      for (const auto& value : row) EXPECT_NEAR(found.at(i++), value.get<double>(), 1e-6) << name;
    }
    EXPECT_EQ(i, found.size());
  }
}

/// Features that are the label, ten rows of each of three.
struct OneHot {
  Features rows{3, {}};
  std::vector<std::int32_t> labels;
  OneHot() {
    for (int i = 0; i < 30; ++i) {
      labels.push_back(i % 3);
      for (int d = 0; d < 3; ++d) rows.values.push_back(d == i % 3 ? 1.0F : 0.0F);
    }
  }
};

TEST(Probe, FindsLabelsThatTheFeaturesAre) {
  const OneHot data;
  const Probe probe(data.rows, data.labels, 3, {});
  EXPECT_EQ(probe.predict(data.rows), data.labels);
  EXPECT_GT(probe.iterations(), 0);
}

TEST(Probe, DoesNotSeeTheScaleOfAFeature) {
  OneHot data;
  const auto before = Probe(data.rows, data.labels, 3, {}).probabilities(data.rows);
  for (std::size_t i = 0; i < data.rows.values.size(); i += 3) data.rows.values[i] *= 1024.0F;
  EXPECT_EQ(Probe(data.rows, data.labels, 3, {}).probabilities(data.rows), before);
}

// Constant features leave the offsets: the shares of the labels, here 2/3 and 1/3.
TEST(Probe, OfFeaturesThatTellNothingGivesTheShares) {
  const Features rows{2, {1, 2, 1, 2, 1, 2}};
  const std::vector<std::int32_t> labels{0, 1, 0};
  const auto found = Probe(rows, labels, 2, {1.0, 1e-12, 1000}).probabilities({2, {1, 2}});
  EXPECT_NEAR(found[0], 2.0 / 3, 1e-9);
  EXPECT_NEAR(found[1], 1.0 / 3, 1e-9);
}

TEST(Probe, RefusesWhatDoesNotFit) {
  const std::vector<std::int32_t> two{0, 1};
  const std::vector<std::int32_t> high{0, 2};
  EXPECT_THROW(Probe({1, {}}, {}, 2, {}), UsageError);
  EXPECT_THROW(Probe({1, {1}}, two, 2, {}), InternalError);
  EXPECT_THROW(Probe({1, {1, 2}}, high, 2, {}), InternalError);
  EXPECT_THROW(Probe({1, {1, std::nanf("")}}, two, 2, {}), DataError);
  const Probe probe({1, {1, 2}}, two, 2, {});
  EXPECT_THROW(probe.predict({2, {1, 2}}), InternalError);
}

// x^2 + 100 (y - 1)^2 + 3 has its minimum at (0, 1).
TEST(Lbfgs, FindsTheMinimumOfAQuadraticForm) {
  const Objective form = [](const std::vector<double>& x, std::vector<double>& gradient) {
    gradient = {2.0 * x[0], 200.0 * (x[1] - 1.0)};
    return x[0] * x[0] + 100.0 * (x[1] - 1.0) * (x[1] - 1.0) + 3.0;
  };
  std::vector<double> x{5.0, -7.0};
  EXPECT_LT(minimise(form, x, 1e-10, 100), 30);
  EXPECT_NEAR(x[0], 0.0, 1e-9);
  EXPECT_NEAR(x[1], 1.0, 1e-9);
  EXPECT_EQ(minimise(form, x, 1e-6, 100), 0) << "it is there";
  std::vector<double> far{5.0, -7.0};
  EXPECT_EQ(minimise(form, far, 1e-10, 2), 2);
}

}  // namespace
}  // namespace smcl::metrics
