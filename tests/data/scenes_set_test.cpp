#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "data/open.h"
#include "data/scenes.h"
#include "data/scenes_files.h"
#include "data/scenes_texture.h"
#include "format/file.h"

namespace smcl::data {
namespace {

const std::vector<int> kCounts{40, 20, 10, 8, 6, 5, 4, 3, 2, 1};

std::string digest(const Scenes& set) {
  std::string text;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const Bytes image = pixels_of(set, i);
    text.append(image.begin(), image.end());
    text += concat(set.label(i), " ", set.kind(i, 0), " ", set.object(i), "\n");
  }
  return format::sha256(text);
}

ScenesSettings settings_of(std::uint64_t seed) {
  ScenesSettings settings;
  settings.seed = seed;
  settings.test_objects = 2;
  settings.val_objects = 1;
  return settings;
}

class ScenesSet : public FashionFiles {
 protected:
  void SetUp() override {
    FashionFiles::SetUp();
    write("train", 1, 10500);  // 50 of a class for training
    write("t10k", 2, 50);
  }
  ScenesSettings small() const {
    ScenesSettings settings = settings_of(1);
    settings.fashion_dir = dir_.string();
    return settings;
  }
};

TEST_F(ScenesSet, LayoutOfAllParts) {
  const SceneSets sets = make_scenes(small(), kCounts);
  ASSERT_EQ(sets.train->size(), 99U);
  std::size_t at = 0;
  for (int label = 0; label < 10; ++label) {
    for (int i = 0; i < kCounts[static_cast<std::size_t>(label)]; ++i, ++at) {
      ASSERT_EQ(sets.train->label(at), label);
      ASSERT_EQ(sets.train->object(at), static_cast<int>(at));
    }
  }
  ASSERT_EQ(sets.test->size(), 480U);
  for (std::size_t i = 0; i < 480; ++i) {
    ASSERT_EQ(sets.test->label(i), static_cast<int>(i / 48));
    ASSERT_EQ(sets.test->object(i), static_cast<int>(i / 24));
    ASSERT_EQ(sets.test->kind(i, 0), static_cast<int>(i % 24));
  }
  EXPECT_EQ(sets.validation->size(), 240U);
  ASSERT_EQ(sets.backgrounds->size(), 192U);
  EXPECT_EQ(sets.backgrounds->kind(191, 0), 23);
  EXPECT_EQ(sets.backgrounds->object(0), -1);
  EXPECT_FALSE(sets.backgrounds->object_box(0, 0).has_value());
  EXPECT_EQ(sets.backgrounds->object_mask(0, 0), Bytes(1024, 0));
  EXPECT_EQ(sets.train->class_names().size(), 10U);
}

TEST_F(ScenesSet, NoValidationObjectsMeanNoValidationSet) {
  DataSettings settings;
  settings.scenes = small();
  settings.scenes.val_objects = 0;
  settings.n_max = 40;
  settings.ratio = 10;
  const Opened opened = open_data(settings);
  EXPECT_EQ(opened.validation, nullptr);
  EXPECT_TRUE(opened.validation_samples.empty());
  EXPECT_EQ(opened.scenes->validation, nullptr);
  EXPECT_EQ(opened.test_samples.size(), 480U);  // 10 classes x 2 objects x 24 kinds
  const std::string hash = opened.hash;
  settings.scenes.val_objects = 1;
  EXPECT_EQ(open_data(settings).validation_samples.size(), 240U);
  EXPECT_NE(open_data(settings).hash, hash);
}

TEST_F(ScenesSet, TruthCountsTheKindsOfTraining) {
  const SceneSets sets = make_scenes(small(), kCounts);
  for (std::size_t label = 0; label < 10; ++label) {
    int sum = 0;
    for (const int count : sets.truth.seen[label]) sum += count;
    EXPECT_EQ(sum, kCounts[label]);
    EXPECT_EQ(sets.truth.preferred[label].size(), 4U);
  }
  // The one image of the last class.
  EXPECT_EQ(sets.truth.seen[9][static_cast<std::size_t>(sets.train->kind(98, 0))], 1);
}

// Where all 24 images of an object agree there is the object; the kinds have different colours, so
// no background pixel agrees.
TEST_F(ScenesSet, TestObjectsKeepPoseAndTintOverAllKinds) {
  const SceneSets sets = make_scenes(small(), kCounts);
  for (std::size_t object = 0; object < 20; ++object) {
    const auto mask = sets.test->object_mask(object * 24, 0);
    const Bytes first = pixels_of(*sets.test, object * 24);
    std::vector<bool> same(1024, true);
    for (std::size_t kind = 1; kind < 24; ++kind) {
      ASSERT_EQ(sets.test->object_mask(object * 24 + kind, 0), mask);
      const Bytes other = pixels_of(*sets.test, object * 24 + kind);
      for (std::size_t i = 0; i < other.size(); ++i) {
        if (other[i] != first[i]) same[i / 3] = false;
      }
    }
    int agreeing = 0;
    for (std::size_t i = 0; i < 1024; ++i) {
      if (!same[i]) continue;
      ++agreeing;
      ASSERT_EQ(mask[i], 1) << "object " << object << " pixel " << i;
    }
    EXPECT_GT(agreeing, 0) << "object " << object;
  }
}

TEST_F(ScenesSet, BoxIsTightAroundTheMask) {
  const SceneSets sets = make_scenes(small(), kCounts);
  for (std::size_t i = 0; i < sets.train->size(); ++i) {
    const auto mask = sets.train->object_mask(i, 0);
    const Box box = sets.train->object_box(i, 0).value();
    std::set<int> rows, columns;
    for (int p = 0; p < 1024; ++p) {
      if (mask[static_cast<std::size_t>(p)]) rows.insert(p / 32), columns.insert(p % 32);
    }
    EXPECT_EQ(box,
              (Box{*rows.begin(), *columns.begin(), *rows.rbegin() + 1, *columns.rbegin() + 1}));
  }
}

TEST_F(ScenesSet, BackgroundsHaveTheColourOfTheirKind) {
  const SceneSets sets = make_scenes(small(), kCounts);
  for (std::size_t i = 0; i < sets.backgrounds->size(); ++i) {
    const Bytes image = pixels_of(*sets.backgrounds, i);
    std::array<double, 3> mean{};
    for (std::size_t k = 0; k < image.size(); ++k) mean[k % 3] += image[k] / 1024.0;
    int nearest = -1;
    double best = 1e9;
    for (int kind = 0; kind < kSceneKinds; ++kind) {
      double distance = 0.0;
      for (std::size_t c = 0; c < 3; ++c) {
        distance += (mean[c] - scene_colour(kind)[c]) * (mean[c] - scene_colour(kind)[c]);
      }
      if (distance < best) best = distance, nearest = kind;
    }
    EXPECT_EQ(nearest, sets.backgrounds->kind(i, 0));
  }
}

TEST_F(ScenesSet, SettingsOfOnePartMoveNothingElse) {
  const SceneSets base = make_scenes(small(), kCounts);
  ScenesSettings more = small();
  more.test_objects = 3;
  more.val_objects = 2;
  auto counts = kCounts;
  counts[0] = 41;
  const SceneSets other = make_scenes(more, counts);
  for (std::size_t i = 0; i < 40; ++i) {
    ASSERT_EQ(pixels_of(*base.train, i), pixels_of(*other.train, i));
  }
  for (std::size_t i = 40; i < 99; ++i) {
    ASSERT_EQ(pixels_of(*base.train, i), pixels_of(*other.train, i + 1));
  }
  // Class 1: two objects became three.
  for (std::size_t i = 0; i < 48; ++i) {
    ASSERT_EQ(pixels_of(*base.test, 48 + i), pixels_of(*other.test, 72 + i));
  }
  EXPECT_EQ(digest(*base.backgrounds), digest(*other.backgrounds));
  EXPECT_EQ(base.truth.preferred, other.truth.preferred);
}

TEST_F(ScenesSet, IsAPureFunctionOfItsSettings) {
  const SceneSets sets = make_scenes(small(), kCounts);
  const SceneSets again = make_scenes(small(), kCounts);
  EXPECT_EQ(digest(*again.train), digest(*sets.train));
  EXPECT_EQ(digest(*again.test), digest(*sets.test));
  ScenesSettings other = small();
  other.seed = 2;
  EXPECT_NE(digest(*make_scenes(other, kCounts).train), digest(*sets.train));
  EXPECT_NE(digest(*make_scenes(other, kCounts).test), digest(*sets.test));
}

TEST_F(ScenesSet, ResampledShowsAnotherKindEachEpochAndTheSameObject) {
  ScenesSettings settings = small();
  settings.support = {"resampled", {}};
  const SceneSets sets = make_scenes(settings, kCounts);
  const Scenes& train = *sets.train;
  int same_kind = 0;
  for (std::size_t i = 0; i < train.size(); ++i) {
    same_kind += train.kind(i, 1) == train.kind(i, 2) ? 1 : 0;
    const Bytes first = pixels_of(train, i, 1);
    EXPECT_EQ(first, pixels_of(train, i, 1));
    EXPECT_NE(first, pixels_of(train, i, 2));
    EXPECT_EQ(train.object_mask(i, 1), train.object_mask(i, 2));
  }
  EXPECT_LT(same_kind, 15);  // 99 / 24 = 4 expected
  EXPECT_EQ(sets.truth.seen[9][static_cast<std::size_t>(train.kind(98, 0))], 1);
  // Objects, pose and tint are those of the other forms: only the backgrounds differ.
  const SceneSets context = make_scenes(small(), kCounts);
  EXPECT_EQ(train.object_mask(5, 3), context.train->object_mask(5, 0));
  EXPECT_EQ(digest(*sets.test), digest(*context.test));
}

TEST_F(ScenesSet, ResampledRendersTheSameFromManyThreads) {
  ScenesSettings settings = small();
  settings.support = {"resampled", {}};
  const SceneSets sets = make_scenes(settings, kCounts);
  std::vector<Bytes> expected;
  for (std::size_t i = 0; i < 99; ++i) expected.push_back(pixels_of(*sets.train, i, 7));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 99; ++i) {
        if (pixels_of(*sets.train, (i * 7 + t) % 99, 7) != expected[(i * 7 + t) % 99]) ++wrong[t];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_F(ScenesSet, RefusesMoreObjectsThanThereAre) {
  auto counts = kCounts;
  counts[2] = 51;
  EXPECT_THROW(make_scenes(small(), counts), DataError);
  ScenesSettings settings = small();
  settings.test_objects = 6;
  EXPECT_THROW(make_scenes(settings, kCounts), DataError);
}

// Made by this code once: any change of a single bit of the set must be meant, since results on
// scenes are comparable only on the same scenes.
TEST(ScenesSlow, AreTheScenesTheyWere) {
  if (!std::filesystem::exists(ScenesSettings{}.fashion_dir + "/t10k-labels-idx1-ubyte.gz")) {
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  }
  const SceneSets sets = make_scenes(settings_of(1), kCounts);
  EXPECT_EQ(digest(*sets.train),
            "b3e625e92413e8393be6f866f90b0bd4ab95f2f0dd8a2397b1050e193ee4b9ca");
  EXPECT_EQ(digest(*sets.validation),
            "65d969ec7cf5744e95871afa452854ad3dbf88c702297387184eaabda14f1bfa");
  EXPECT_EQ(digest(*sets.test), "e37976a209c536afb1a9e7de045a1cdb21c2f80a4ec7b2215bf9fddb49b198e3");
  EXPECT_EQ(digest(*sets.backgrounds),
            "583e2ff95815c6566026c41ccb454ac593bc5b9a993b3a05231a383564ee246c");
  const auto shown = [](const Scenes& set) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (!set.object_box(i, 0)) return false;
    }
    return true;
  };
  EXPECT_TRUE(shown(*sets.train) && shown(*sets.validation) && shown(*sets.test));
}

}  // namespace
}  // namespace smcl::data
