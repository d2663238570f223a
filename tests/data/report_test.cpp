#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/cifar.h"
#include "data/files.h"
#include "data/info.h"
#include "data/verify.h"

namespace smcl::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Opened opened_with(const std::vector<int>& counts) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < counts.size(); ++c) names.push_back("c" + std::to_string(c));
  Opened opened;
  opened.train = std::make_shared<ResidentDataset>(1, 1, std::vector<std::uint8_t>{},
                                                   std::vector<std::int32_t>{}, names);
  opened.train_counts = counts;
  opened.hash = "abc";
  return opened;
}

TEST(Describe, GroupsAtTheirBounds) {
  // many > 100, medium 20..100, few < 20 (docs/protocol.md)
  const Info info = describe({}, opened_with({101, 100, 20, 19}));
  EXPECT_THAT(info.class_group, ElementsAre("many", "medium", "medium", "few"));
  EXPECT_EQ(info.groups[1].classes, 2);
  EXPECT_EQ(info.groups[1].images, 120);
  EXPECT_DOUBLE_EQ(info.ratio, 101.0 / 19.0);
}

TEST(Describe, ThirdsAreByRankNotByLabel) {
  const Info info = describe({}, opened_with({1, 9, 5, 7, 3, 8}));
  EXPECT_THAT((std::vector<std::int64_t>{info.thirds[0].images, info.thirds[1].images,
                                         info.thirds[2].images}),
              ElementsAre(9 + 8, 7 + 5, 3 + 1));
  const Info ten = describe({}, opened_with(std::vector<int>(10, 2)));
  EXPECT_EQ(ten.thirds[0].classes, 4);
  EXPECT_EQ(ten.thirds[1].classes, 3);
  EXPECT_EQ(ten.thirds[2].classes, 3);
}

TEST(Describe, EmptyGroupsShowADashAndNull) {
  const Info info = describe({}, opened_with({500, 300}));
  EXPECT_THAT(to_text(info), AllOf(HasSubstr("few            0 classes         -\n"),
                                   HasSubstr("many           2 classes       800 images")));
  const nlohmann::ordered_json json = to_json(info);
  EXPECT_TRUE(json["groups"]["few"]["images"].is_null());
  EXPECT_EQ(json["groups"]["many"]["images"], 800);
  EXPECT_EQ(json["classes"][1]["name"], "c1");
  EXPECT_EQ(json["classes"][1]["train_images"], 300);
}

TEST(Describe, AnEmptyClassHasNoFiniteRatio) {
  const Info info = describe({}, opened_with({500, 0}));
  EXPECT_EQ(info.ratio, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(to_json(info)["ratio"].is_null());
}

TEST(Verify, MissingFolderIsAFailedCheckNotAnException) {
  const Folder folder;
  DataSettings settings;
  settings.name = "cifar10";
  settings.dir = folder.path().string();
  const Report report = verify(settings);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(to_text(report), AllOf(HasSubstr("FAILED"), HasSubstr("NOT in order")));
  EXPECT_EQ(to_json(report)["passed"], false);
  settings.dir.clear();
  EXPECT_THROW(verify(settings), UsageError);
}

TEST(Verify, ReportsEveryBrokenFileAndAWrongArchive) {
  const Folder folder;
  const std::string inside = "cifar-10-batches-bin/";
  folder.write(inside + "data_batch_1.bin", "short");
  const std::vector<char> records(30730000);
  folder.write(inside + "test_batch.bin", {records.begin(), records.end()});
  folder.write(inside + "data_batch_2.bin", {records.begin(), records.end()});
  folder.write("cifar-10-binary.tar.gz", "not the archive");
  DataSettings settings;
  settings.name = "cifar10";
  settings.dir = (folder.path() / inside).string();  // the archive lies above it
  const Report report = verify(settings);
  const std::string text = to_text(report);
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(text, AllOf(HasSubstr("batches.meta.txt is missing"), HasSubstr("got 5 bytes"),
                          HasSubstr("data_batch_5.bin"), HasSubstr("ok      " + settings.dir),
                          HasSubstr("test set: class 0 has 10000 images, expected 1000"),
                          HasSubstr("expected c32a1d4ab5d03f1284b67883e8d87530")));
  EXPECT_TRUE(report.notes.empty()) << "nor of the order, which begins in the file that is short";
}

TEST(VerifySlow, ACopyInAnotherOrderIsInOrderButNoted) {
  const Folder folder;
  std::string names;
  for (int i = 0; i < 100; ++i) names += "name" + std::to_string(i) + "\n";
  folder.write("fine_label_names.txt", names);
  const auto write = [&](const char* name, std::size_t count) {
    std::vector<std::uint8_t> bytes(count * 3074);
    for (std::size_t i = 0; i < count; ++i)
      bytes[i * 3074 + 1] = static_cast<std::uint8_t>(i % 100);
    // the official first labels 19 29 0 11 1, exchanged with others of these classes
    if (std::string(name) == "train.bin") {
      const std::vector<std::uint8_t> official{19, 29, 0, 11, 1};
      for (std::size_t i = 0; i < official.size(); ++i) {
        bytes[i * 3074 + 1] = official[i];
        bytes[(official[i] + 100) * 3074 + 1] = static_cast<std::uint8_t>(i);
      }
    }
    folder.write(name, bytes);
  };
  write("train.bin", 50000);
  write("test.bin", 10000);
  DataSettings settings;
  settings.name = "cifar100";
  settings.dir = folder.path().string();
  const Report official = verify(settings);
  EXPECT_TRUE(official.passed()) << to_text(official);
  EXPECT_THAT(official.notes, ElementsAre(HasSubstr("not at hand, structure only")));
  std::fstream file(folder.path() / "train.bin", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(1).put(29).seekp(3075).put(19);
  file.close();
  const Report copy = verify(settings);
  EXPECT_TRUE(copy.passed()) << to_text(copy);
  EXPECT_THAT(copy.notes, Contains(HasSubstr("not in the order of the official")));
}

TEST(Verify, SmallIdxSet) {
  const Folder folder;
  folder.write("train-images-idx3-ubyte", idx_bytes({3, 1, 1}, {5, 6, 7}));
  folder.write("train-labels-idx1-ubyte", idx_bytes({3}, {0, 1, 0}));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({2, 1, 1}, {9, 9}));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({2}, {1, 0}));
  DataSettings settings;
  settings.name = "idx";
  settings.dir = folder.path().string();
  EXPECT_THAT(to_text(verify(settings)),
              AllOf(HasSubstr("training set: 3 images, 1 to 2 of each of 2 classes"),
                    HasSubstr("idx: in order"), HasSubstr("structure only")));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({2}, {1, 1}));
  EXPECT_THAT(to_text(verify(settings)), HasSubstr("test set: class 0 has no image"));
}

TEST(VerifySlow, RealCifar10) {
  if (real_data().empty()) GTEST_SKIP() << no_real_data();
  DataSettings settings;
  settings.name = "cifar10";
  settings.dir = real_data().string();
  const Report report = verify(settings);
  EXPECT_TRUE(report.passed()) << to_text(report);
  EXPECT_THAT(to_text(report),
              AllOf(HasSubstr("training set: 50000 images, 5000 of each of 10 classes"),
                    HasSubstr("test set: 10000 images, 1000 of each of 10 classes"),
                    Not(HasSubstr("FAILED"))));
}

TEST(VerifySlow, FashionMnistBehindScenes) {
  DataSettings settings;
  if (!std::filesystem::exists(settings.scenes.fashion_dir)) {
    GTEST_SKIP() << "Fashion-MNIST is not installed";
  }
  // 6000 and 1000 of each class (Xiao et al. 2017).
  EXPECT_THAT(to_text(verify(settings)), AllOf(HasSubstr("5000, 1000 and 1000 items of each class"),
                                               HasSubstr("scenes: in order")));
  settings.scenes.fashion_dir = "/nowhere";
  EXPECT_THAT(to_text(verify(settings)), HasSubstr("or set scenes.fashion_dir"));
}

}  // namespace
}  // namespace smcl::data
