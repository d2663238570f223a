#include "data/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "data/files.h"
#include "data/split.h"

namespace smcl::data {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// 30 images of 1 x 1 pixel of each of 3 classes, in turn; the pixel is the number of the image.
class OpenIdxSet : public ::testing::Test {
 protected:
  OpenIdxSet() {
    write(30);
    settings_.name = "idx";
    settings_.dir = folder_.path().string();
    settings_.ratio = 9;
  }

  void write(std::uint8_t a_class, std::uint8_t changed_pixel = 0) {
    std::vector<std::uint8_t> pixels(std::size_t{a_class} * 3);
    std::vector<std::uint8_t> labels(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(i);
      labels[i] = static_cast<std::uint8_t>(i % 3);
    }
    pixels[0] = changed_pixel;
    const auto count = static_cast<std::uint32_t>(pixels.size());
    folder_.write("train-images-idx3-ubyte", idx_bytes({count, 1, 1}, pixels));
    folder_.write("train-labels-idx1-ubyte", idx_bytes({count}, labels));
    folder_.write("t10k-images-idx3-ubyte", idx_bytes({3, 1, 1}, {1, 2, 3}));
    folder_.write("t10k-labels-idx1-ubyte", idx_bytes({3}, {0, 1, 2}));
  }

  std::string usage_error() {
    return error_of<UsageError>([&] { open_data(settings_); });
  }

  Folder folder_;
  DataSettings settings_;
};

TEST_F(OpenIdxSet, ExponentialProfile) {
  const Opened opened = open_data(settings_);
  EXPECT_THAT(opened.train_counts, ElementsAre(30, 10, 3));  // 30 / 9^(i / 2), by hand
  EXPECT_EQ(opened.train_samples.size(), 43U);
  EXPECT_EQ(std::set(opened.train_samples.begin(), opened.train_samples.end()).size(), 43U);
  EXPECT_THAT(opened.test_samples, ElementsAre(0, 1, 2));
  EXPECT_EQ(opened.validation, nullptr);
  EXPECT_TRUE(opened.validation_samples.empty());
  EXPECT_EQ(opened.classes(), 3);
  EXPECT_EQ(opened.height, 32);
  EXPECT_EQ(opened.hash.size(), 64U);
  const std::vector<std::int32_t> labels = opened.train_labels();
  EXPECT_TRUE(std::is_sorted(labels.begin(), labels.end()));
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 10);
}

TEST_F(OpenIdxSet, ImagesAreTheFirstOfTheLegacyShuffle) {
  const Opened opened = open_data(settings_);
  const std::vector<std::uint32_t> order = LegacyShuffle(0).permutation(30);
  for (std::size_t k = 0; k < 30; ++k) EXPECT_EQ(opened.train_samples[k], 3 * order[k]);
}

TEST_F(OpenIdxSet, ValidationTakesTheFrontAndLowersTheLargest) {
  const Opened all = open_data(settings_);
  settings_.val_per_class = 3;
  const Opened opened = open_data(settings_);
  EXPECT_THAT(opened.train_counts, ElementsAre(27, 9, 3));  // 27 / 9^(i / 2)
  EXPECT_EQ(opened.validation, opened.train);
  ASSERT_EQ(opened.validation_samples.size(), 9U);
  EXPECT_TRUE(std::equal(opened.validation_samples.begin(), opened.validation_samples.begin() + 3,
                         all.train_samples.begin()));
  EXPECT_TRUE(std::equal(opened.train_samples.begin(), opened.train_samples.begin() + 27,
                         all.train_samples.begin() + 3));
  settings_.n_max = 12;  // falls too
  settings_.profile = "balanced";
  settings_.ratio = 1;
  EXPECT_THAT(open_data(settings_).train_counts, Each(9));
  settings_.val_per_class = 12;
  EXPECT_THAT(usage_error(), AllOf(HasSubstr("val_per_class = 12"), HasSubstr("starts with 12")));
}

TEST_F(OpenIdxSet, StepAndBalancedProfiles) {
  settings_.profile = "step";
  EXPECT_THAT(open_data(settings_).train_counts, ElementsAre(30, 3, 3));
  settings_.profile = "balanced";
  settings_.ratio = 100;
  EXPECT_THAT(open_data(settings_).train_counts, ElementsAre(30, 30, 30));
}

TEST_F(OpenIdxSet, ClassOrderPermutesTheCounts) {
  std::set<std::vector<int>> seen;
  for (int seed = 0; seed < 40; ++seed) {
    settings_.class_order_seed = seed;
    const Opened opened = open_data(settings_);
    const std::vector<int> order = class_order(3, seed);
    EXPECT_EQ(opened.train_counts[static_cast<std::size_t>(order[0])], 30);
    EXPECT_EQ(opened.train_counts[static_cast<std::size_t>(order[2])], 3);
    seen.insert(opened.train_counts);
  }
  EXPECT_EQ(seen.size(), 6U);
}

TEST_F(OpenIdxSet, SplitSeedChoosesOtherImagesOfTheSameCounts) {
  const Opened zero = open_data(settings_);
  settings_.split_seed = 1;
  const Opened one = open_data(settings_);
  EXPECT_EQ(zero.train_counts, one.train_counts);
  EXPECT_NE(zero.train_samples, one.train_samples);
  EXPECT_NE(zero.hash, one.hash);
}

TEST_F(OpenIdxSet, CountsFromAFile) {
  settings_.profile = "counts";
  settings_.ratio = DataSettings{}.ratio;
  settings_.counts_file = folder_.write("counts.txt", "2\n0\n30\n");
  EXPECT_THAT(open_data(settings_).train_counts, ElementsAre(2, 0, 30));
  folder_.write("counts.txt", "2\n0\n31\n");
  EXPECT_THAT(error_of<DataError>([&] { open_data(settings_); }),
              AllOf(HasSubstr("class 2 has 30 images"), HasSubstr("31")));
  folder_.write("counts.txt", "0\n0\n0\n");
  EXPECT_THAT(error_of<DataError>([&] { open_data(settings_); }), HasSubstr("no training image"));
}

TEST_F(OpenIdxSet, IndicesFromAFile) {
  settings_.profile = "indices";
  settings_.ratio = DataSettings{}.ratio;
  settings_.indices_file = folder_.write("indices.txt", "5\n3\n0\n");
  const Opened opened = open_data(settings_);
  EXPECT_THAT(opened.train_samples, ElementsAre(5, 3, 0));
  EXPECT_THAT(opened.train_counts, ElementsAre(2, 0, 1));
  settings_.val_per_class = 1;
  EXPECT_THAT(usage_error(), HasSubstr("val_per_class"));
}

TEST_F(OpenIdxSet, HashIsOfTheDataAndNotOfThePath) {
  const std::string hash = open_data(settings_).hash;
  EXPECT_EQ(open_data(settings_).hash, hash);
  std::filesystem::create_directory_symlink(folder_.path(), folder_.path() / "other");
  settings_.dir = (folder_.path() / "other").string();
  EXPECT_EQ(open_data(settings_).hash, hash);
  write(30, 77);  // image 0 is in: all of class 0 are
  EXPECT_NE(open_data(settings_).hash, hash);
  write(30);
  EXPECT_EQ(open_data(settings_).hash, hash);
  folder_.write("t10k-images-idx3-ubyte", idx_bytes({3, 1, 1}, {1, 2, 4}));
  EXPECT_NE(open_data(settings_).hash, hash);
}

TEST_F(OpenIdxSet, RatioThatEmptiesTheTail) {
  settings_.ratio = 31;
  EXPECT_THAT(usage_error(), AllOf(HasSubstr("data.ratio = 31"), HasSubstr("no image")));
}

// It would end a run after its last epoch.
TEST_F(OpenIdxSet, ATestSetWithoutImagesIsRefused) {
  folder_.write("t10k-images-idx3-ubyte", idx_bytes({0, 1, 1}, {}));
  folder_.write("t10k-labels-idx1-ubyte", idx_bytes({0}, {}));
  EXPECT_THAT(error_of<DataError>([&] { open_data(settings_); }),
              AllOf(HasSubstr("the test set of idx"), HasSubstr("has no image")));
}

TEST_F(OpenIdxSet, MoreThanThereIs) {
  settings_.n_max = 31;
  EXPECT_THAT(error_of<DataError>([&] { open_data(settings_); }), HasSubstr("data.n_max"));
}

struct Contradiction {
  const char* what;
  void (*set)(DataSettings&);
  const char* expected;
};
class Contradictions : public ::testing::TestWithParam<Contradiction> {};

TEST_P(Contradictions, AreUsageErrors) {
  DataSettings settings;
  settings.name = "cifar10";
  ASSERT_NO_THROW(check(settings));
  GetParam().set(settings);
  EXPECT_THAT(error_of<UsageError>([&] { check(settings); }), HasSubstr(GetParam().expected));
  EXPECT_THROW(open_data(settings), UsageError);
}

void counts(DataSettings& s) {
  s.profile = "counts";
  s.counts_file = "file";
}
void indices(DataSettings& s) {
  s.profile = "indices";
  s.indices_file = "file";
}
INSTANTIATE_TEST_SUITE_P(
    All, Contradictions,
    ::testing::Values(
        Contradiction{"name", [](DataSettings& s) { s.name = "cifar11"; }, "did you mean cifar1"},
        Contradiction{"profile", [](DataSettings& s) { s.profile = "expo"; },
                      "exp, step, balanced, all, counts, indices"},
        Contradiction{"ratio", [](DataSettings& s) { s.ratio = 0.5; }, "data.ratio = 0.5"},
        Contradiction{"n_max", [](DataSettings& s) { s.n_max = -1; }, "data.n_max = -1"},
        Contradiction{"val", [](DataSettings& s) { s.val_per_class = -1; }, "val_per_class"},
        Contradiction{"seed", [](DataSettings& s) { s.split_seed = 1ULL << 32; }, "4294967295"},
        Contradiction{"order", [](DataSettings& s) { s.class_order_seed = -2; },
                      "-1 (label order)"},
        Contradiction{"counts_without_file", [](DataSettings& s) { s.profile = "counts"; },
                      "needs data.counts_file"},
        Contradiction{"indices_without_file", [](DataSettings& s) { s.profile = "indices"; },
                      "needs data.indices_file"},
        Contradiction{"file_without_counts", [](DataSettings& s) { s.counts_file = "f"; },
                      "data.counts_file is set"},
        Contradiction{"file_without_indices", [](DataSettings& s) { s.indices_file = "f"; },
                      "data.indices_file is set"},
        Contradiction{"ratio_balanced",
                      [](DataSettings& s) {
                        s.profile = "balanced";
                        s.ratio = 10;
                      },
                      "no use for data.ratio = 10"},
        Contradiction{"order_balanced",
                      [](DataSettings& s) {
                        s.profile = "balanced";
                        s.class_order_seed = 0;
                      },
                      "class_order_seed = 0 has no effect"},
        Contradiction{"ratio_counts",
                      [](DataSettings& s) {
                        counts(s);
                        s.ratio = 1;
                      },
                      "no use for data.ratio = 1"},
        Contradiction{"n_max_counts",
                      [](DataSettings& s) {
                        counts(s);
                        s.n_max = 5;
                      },
                      "remove data.n_max"},
        Contradiction{"order_counts",
                      [](DataSettings& s) {
                        counts(s);
                        s.class_order_seed = 0;
                      },
                      "remove data.class_order_seed"},
        Contradiction{"val_indices",
                      [](DataSettings& s) {
                        indices(s);
                        s.val_per_class = 5;
                      },
                      "data.val_per_class = 5"},
        Contradiction{"seed_indices",
                      [](DataSettings& s) {
                        indices(s);
                        s.split_seed = 5;
                      },
                      "data.split_seed = 5"},
        Contradiction{"scenes_dir",
                      [](DataSettings& s) {
                        s.name = "scenes";
                        s.dir = "x";
                      },
                      "scenes.fashion_dir"},
        Contradiction{"scenes_indices",
                      [](DataSettings& s) {
                        s.name = "scenes";
                        indices(s);
                      },
                      "does not go with scenes"},
        Contradiction{"scenes_val",
                      [](DataSettings& s) {
                        s.name = "scenes";
                        s.val_per_class = 5;
                      },
                      "scenes.val_objects"},
        Contradiction{"scenes_seed",
                      [](DataSettings& s) {
                        s.name = "scenes";
                        s.split_seed = 5;
                      },
                      "scenes.seed"}),
    [](const auto& parameter) { return std::string(parameter.param.what); });

TEST(BindData, ReadsKeysAndRefusesOthers) {
  const config::Document document = config::Document::parse(
      "[data]\nname = \"cifar100\"\ndir = \"/d\"\nprofile = \"step\"\nratio = 50\nn_max = 400\n"
      "val_per_class = 10\nsplit_seed = 3\nclass_order_seed = 4\n",
      "test");
  config::Binder binder(document);
  DataSettings settings;
  bind(binder, settings);
  EXPECT_NO_THROW(binder.finish());
  EXPECT_EQ(settings.name, "cifar100");
  EXPECT_EQ(settings.dir, "/d");
  EXPECT_EQ(settings.profile, "step");
  EXPECT_EQ(settings.ratio, 50.0);
  EXPECT_EQ(settings.n_max, 400);
  EXPECT_EQ(settings.val_per_class, 10);
  EXPECT_EQ(settings.split_seed, 3U);
  EXPECT_EQ(settings.class_order_seed, 4);
  EXPECT_NO_THROW(check(settings));

  const auto refused = [](const char* toml) {
    return error_of<UsageError>([&] {
      const config::Document other = config::Document::parse(toml, "test");
      config::Binder binds(other);
      DataSettings unused;
      bind(binds, unused);
      binds.finish();
    });
  };
  EXPECT_THAT(refused("data.name = \"cifar\""), HasSubstr("data.name"));
  EXPECT_THAT(refused("data.ratio = 0"), HasSubstr("data.ratio"));
  EXPECT_THAT(refused("data.folder = \"x\""), HasSubstr("data.folder"));
  EXPECT_THAT(refused("data.split_seed = 4294967296"), HasSubstr("data.split_seed"));
}

TEST(RealCifar10LongTailSlow, CountsAndImagesOfTheProtocol) {
  if (real_data().empty()) GTEST_SKIP() << no_real_data();
  DataSettings settings;
  settings.name = "cifar10";
  settings.dir = real_data().string();
  const Opened opened = open_data(settings);
  EXPECT_THAT(opened.train_counts, ElementsAre(5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50));
  EXPECT_EQ(opened.train_samples.size(), 12406U);  // docs/protocol.md
  EXPECT_EQ(opened.test_samples.size(), 10000U);
  // The first image taken is the 399th airplane: place 398 of the shuffle (docs/protocol.md).
  std::size_t airplanes = 0;
  for (std::uint32_t i = 0; i < opened.train_samples[0]; ++i) {
    airplanes += opened.train->label(i) == 0 ? 1 : 0;
  }
  EXPECT_EQ(opened.train->label(opened.train_samples[0]), 0);
  EXPECT_EQ(airplanes, 398U);
  EXPECT_EQ(open_data(settings).hash, opened.hash);
}

TEST(OpenScenesSlow, CountsArePermutedByTheClassOrder) {
  DataSettings settings;
  settings.scenes.test_objects = 1;
  settings.scenes.val_objects = 1;
  settings.n_max = 100;
  settings.ratio = 10;
  settings.class_order_seed = 3;
  if (!std::filesystem::exists(settings.scenes.fashion_dir)) {
    GTEST_SKIP() << "Fashion-MNIST is not installed";
  }
  const Opened opened = open_data(settings);
  EXPECT_EQ(opened.train_counts,
            counts_by_label(exponential_counts(10, 100, 10), class_order(10, 3)));
  EXPECT_EQ(opened.train_samples.size(), opened.train->size());
  EXPECT_EQ(opened.validation_samples.size(), 240U);  // 10 classes x 1 object x 24 kinds
  EXPECT_EQ(opened.test_samples.size(), 240U);
  EXPECT_TRUE(opened.scenes.has_value());
  EXPECT_EQ(opened.hash, open_data(settings).hash);
  settings.scenes.seed = 1;
  EXPECT_NE(opened.hash, open_data(settings).hash);
}

TEST(OpenScenesSlow, DefaultIsTheDocumentedSet) {
  const DataSettings settings;
  if (!std::filesystem::exists(settings.scenes.fashion_dir)) {
    GTEST_SKIP() << "Fashion-MNIST is not installed";
  }
  const Opened opened = open_data(settings);
  EXPECT_EQ(opened.train_samples.size(), 2478U);  // docs/scenes.md
  EXPECT_EQ(opened.test_samples.size(), 9600U);
}

}  // namespace
}  // namespace smcl::data
