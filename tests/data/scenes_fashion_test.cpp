#include "data/scenes_fashion.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/scenes.h"
#include "data/scenes_files.h"

namespace smcl::data {
namespace {

const std::vector<int> kCounts{40, 20, 10, 8, 6, 5, 4, 3, 2, 1};

TEST(ScenesErrors, MissingFilesNameThePackage) {
  ScenesSettings settings;
  settings.fashion_dir = "/no/such/folder";
  try {
    make_scenes(settings, kCounts);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("dataset-fashion-mnist"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("/no/such/folder"), std::string::npos);
  }
}

TEST(ScenesErrors, RefusesSettingsOutOfRange) {
  EXPECT_THROW(make_scenes({}, std::vector<int>{1, 2}), UsageError);
  auto counts = kCounts;
  counts[1] = -1;
  EXPECT_THROW(make_scenes({}, counts), UsageError);
  const auto refused = [](auto change) {
    ScenesSettings settings;
    change(settings);
    EXPECT_THROW(make_scenes(settings, kCounts), UsageError);
  };
  refused([](auto& s) { s.scale_min = 0.9; });
  refused([](auto& s) { s.scale_max = 1.5; });
  refused([](auto& s) { s.scale_min = 0.0; });
  refused([](auto& s) { s.texture_amplitude = 1.1; });
  refused([](auto& s) { s.test_objects = 0; });
  refused([](auto& s) { s.val_objects = -1; });
  refused([](auto& s) { s.support.name = "none"; });
}

TEST(ScenesErrors, BindReadsTheKeys) {
  const auto document = config::Document::parse(
      "[scenes]\nseed = 5\nsupport = \"scarce(3)\"\nscale_min = 0.5\nscale_max = 0.8\n", "here");
  config::Binder binder(document);
  ScenesSettings settings;
  bind(binder, settings);
  binder.finish();
  EXPECT_EQ(settings.seed, 5U);
  EXPECT_EQ(settings.support, (config::Call{"scarce", {3.0}}));
  EXPECT_EQ(settings.scale_max, 0.8);
  EXPECT_EQ(settings.texture_amplitude, 0.1);
}

TEST_F(FashionFiles, PoolsAreFixedAndDisjoint) {
  write("train", 1, 10030);
  write("t10k", 2, 50);
  const FashionItems items(dir_);
  const auto position = [&](ScenePart part, int label, std::size_t n) {
    const auto item = items.item(part, label, n);
    return std::pair{int{item[0]}, item[1] * 256 + item[2]};
  };
  for (int label = 0; label < 10; ++label) {
    ASSERT_EQ(items.count(ScenePart::train, label), 3U);
    ASSERT_EQ(items.count(ScenePart::validation, label), 1000U);
    ASSERT_EQ(items.count(ScenePart::test, label), 5U);
    // Class c holds positions c, c + 10, c + 20 of the file, then the thousand for validation.
    EXPECT_EQ(position(ScenePart::train, label, 2), std::pair(1, label + 20));
    EXPECT_EQ(position(ScenePart::validation, label, 0), std::pair(1, label + 30));
    EXPECT_EQ(position(ScenePart::validation, label, 999), std::pair(1, label + 10020));
    EXPECT_EQ(position(ScenePart::test, label, 4), std::pair(2, label + 40));
  }
}

TEST_F(FashionFiles, RefusesFilesThatDoNotFit) {
  write("train", 1, 10000);  // nothing left for training
  write("t10k", 2, 50);
  EXPECT_THROW(FashionItems{dir_}, DataError);
  write("train", 1, 10010);
  EXPECT_NO_THROW(FashionItems{dir_});
  put("t10k-labels-idx1-ubyte", {0, 0, 8, 1, 0, 0, 0, 2, 0, 1});  // two labels for 50 images
  EXPECT_THROW(FashionItems{dir_}, DataError);
  Bytes labels{0, 0, 8, 1, 0, 0, 0, 50};
  labels.resize(58, 10);  // class 10
  put("t10k-labels-idx1-ubyte", labels);
  EXPECT_THROW(FashionItems{dir_}, DataError);
  put("t10k-images-idx3-ubyte", {0, 0, 8, 1, 0, 0, 0, 1, 0});  // labels in place of images
  EXPECT_THROW(FashionItems{dir_}, DataError);
  std::filesystem::remove(dir_ / "t10k-images-idx3-ubyte");
  EXPECT_THROW(FashionItems{dir_}, DataError);
}

}  // namespace
}  // namespace smcl::data
