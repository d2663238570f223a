#include "experiment/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "core/error.h"
#include "data/open.h"
#include "experiment/explain_mixes.h"
#include "experiment/tiny.h"

namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;

bool same(const Image& a, const Image& b) {
  for (int y = 0; y < a.height(); ++y) {
    if (!std::equal(a.row(y), a.row(y) + std::ptrdiff_t{3} * a.width(), b.row(y))) return false;
  }
  return a.height() == b.height() && a.width() == b.width();
}

/// Scenes of the tiny runs, 20 images of the first class to 2 of the last.
class Explain : public ::testing::Test {
 protected:
  static std::vector<ExplainedMix> mixes(const std::string& toml, int count = 20) {
    const Recipe recipe = tiny("mask.prob = 0.0\n" + toml);
    return explain_mixes(recipe, *data_, count);
  }
  static int images_of(std::uint32_t sample) {
    return data_->train_counts[static_cast<std::size_t>(data_->train->label(sample))];
  }
  static double area(const Box& box) { return static_cast<double>(box.area()) / (32.0 * 32.0); }

  static void SetUpTestSuite() {
    data_ = std::make_unique<const data::Opened>(data::open_data(tiny("").data));
  }
  static void TearDownTestSuite() { data_.reset(); }
  static std::unique_ptr<const data::Opened> data_;
};
std::unique_ptr<const data::Opened> Explain::data_;

// CutMix (Yun et al. 2019), SaliencyMix (Uddin et al. 2021) and CMO (Park et al. 2022): the partner
// inside the box, the image outside of it, labels by area.
TEST_F(Explain, PastedImagesAreTheirPartsWithLabelsByArea) {
  for (const char* method : {"'cutmix'", "'saliencymix'", "'cmo'"}) {
    double least = 1.0;
    for (const ExplainedMix& one :
         mixes(concat("mix.prob = 0.5\nmix.start = 1\nmethod.name = ", method))) {
      least = std::min(least, one.own);
      EXPECT_NEAR(one.own, 1.0 - area(one.box), 1e-6) << method;
      EXPECT_EQ(one.map.empty(), std::string(method) != "'saliencymix'");
      if (!one.map.empty()) {
        const auto centre = static_cast<std::size_t>(one.centre.y * 32 + one.centre.x);
        EXPECT_EQ(one.map[centre], *std::max_element(one.map.begin(), one.map.end()));
      }
      Image expected = one.image;
      for (int y = one.box.y0; y < one.box.y1; ++y) {
        const std::ptrdiff_t from = 3 * std::ptrdiff_t{one.box.x0};
        std::copy(one.other.row(y) + from, one.other.row(y) + std::ptrdiff_t{3} * one.box.x1,
                  expected.row(y) + from);
      }
      EXPECT_TRUE(same(one.mixed, expected)) << method;
    }
    EXPECT_LT(least, 0.7) << "something is pasted";
  }
}

// Zhang et al. 2018: pixels and labels by one share. Bytes are rounded once.
TEST_F(Explain, BlendedImagesAreSharesOfBoth) {
  const auto blended = mixes("method.name = 'mixup'");
  ASSERT_FALSE(blended.empty());
  double least = 1.0;
  for (const ExplainedMix& one : blended) {
    least = std::min(least, one.own);
    EXPECT_EQ(one.box, Box{});
    EXPECT_TRUE(one.map.empty());
    for (int y = 0; y < 32; ++y) {
      for (int v = 0; v < 3 * 32; ++v) {
        const double expected = one.own * one.image.row(y)[v] + (1 - one.own) * one.other.row(y)[v];
        ASSERT_NEAR(one.mixed.row(y)[v], expected, 0.51);
      }
    }
  }
  EXPECT_LT(least, 0.9) << "something is blended";
}

// Chou et al. 2020 with kappa 3, tau 0.5: shares may go to one label only where one class has three
// times as many images in the whole set, which the picture's few images do not show.
TEST_F(Explain, RemixKnowsTheCountsOfTheWholeSet) {
  int whole = 0;
  for (const ExplainedMix& one : mixes("method.name = 'remix'", 40)) {
    const double ratio = static_cast<double>(images_of(one.sample)) / images_of(one.partner);
    if (one.own == 0.0) {
      EXPECT_GE(ratio, 3.0);
    } else if (one.own == 1.0) {
      EXPECT_LE(ratio, 1.0 / 3.0);
    } else {
      continue;
    }
    ++whole;
  }
  EXPECT_GT(whole, 0);
}

TEST_F(Explain, RowsGoFromManyToFewAndShowEveryClass) {
  const auto rows = mixes("method.name = 'cutmix'", 10);
  ASSERT_EQ(rows.size(), 10U);
  std::set<int> classes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    classes.insert(data_->train->label(rows[i].sample));
    EXPECT_LE(images_of(rows[i].sample), images_of(rows[i > 0 ? i - 1 : 0].sample));
  }
  EXPECT_EQ(classes.size(), 10U);
  EXPECT_EQ(mixes("method.name = 'cutmix'", 1).size(), 1U);
  EXPECT_EQ(mixes("method.name = 'cutmix'", 100000).size(), data_->train_samples.size());
  // Three pictures of 128 a row, with gaps of 6; of SaliencyMix a map too.
  EXPECT_EQ(mixes_grid(rows, *data_).width(), 6 + 3 * 134);
  EXPECT_EQ(mixes_grid(mixes("method.name = 'saliencymix'", 2), *data_).width(), 6 + 4 * 134);
  EXPECT_EQ(mixes_grid(mixes("method.name = 'mixup'", 2), *data_).width(), 6 + 3 * 134);
}

// Which images come how often is not what these pictures show.
TEST_F(Explain, ReSampledRecipesAreShownLikeOthers) {
  const auto masked = [&](const std::string& toml) {
    return explain_images(tiny(toml), *data_, 12);
  };
  const auto plain = masked("");
  for (const char* rule : {"'resample'", "'drs'"}) {
    const std::string rules = concat("rule.start = 0\nrule.name = ", rule, "\n");
    const auto resampled = masked(rules);
    ASSERT_EQ(resampled.size(), plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      EXPECT_EQ(resampled[i].sample, plain[i].sample);
      EXPECT_TRUE(same(resampled[i].masked, plain[i].masked));
    }
    const auto mixed = mixes(rules + "method.name = 'cutmix'", 12);
    const auto without = mixes("method.name = 'cutmix'", 12);
    ASSERT_EQ(mixed.size(), 12U);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      EXPECT_TRUE(same(mixed.at(i).mixed, without.at(i).mixed));
    }
  }
  EXPECT_EQ(explain_grid(plain, *data_).width(), 6 + 5 * 134);
  EXPECT_EQ(explain_grid(plain, *data_, false).width(), 6 + 2 * 134);
}

TEST_F(Explain, MasksAreShownWhereARecipeHasAny) {
  EXPECT_TRUE(masks_images(tiny("")));
  EXPECT_TRUE(masks_images(tiny("mask.prob = 0.0\nmethod.name = 'ce'\nplain.cutout = 0.5")));
  EXPECT_FALSE(masks_images(tiny("mask.prob = 0.0\nmethod.name = 'ce'")));
  EXPECT_FALSE(masks_images(tiny("mask.prob = 0.0\nmethod.name = 'supcon'")));
}

TEST_F(Explain, RefusesWhatItCannotShow) {
  EXPECT_TRUE(mixes_images(tiny("mask.prob = 0.0\nmethod.name = 'cmo'")));
  EXPECT_FALSE(mixes_images(tiny("")));
  EXPECT_THAT(error_of<UsageError>([&] { mixes("method.name = 'ce'"); }),
              HasSubstr("method.name = ce mixes no images"));
  EXPECT_THROW(mixes("method.name = 'cutmix'", 0), UsageError);
  EXPECT_THROW(explain_images(tiny(""), *data_, 0), UsageError);
}

}  // namespace
}  // namespace smcl::experiment
