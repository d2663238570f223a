#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/files.h"
#include "data/open.h"

// Sets that are long-tailed themselves, counted by hand.
namespace smcl::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OpenLongTailed : public ::testing::Test {
 protected:
  OpenLongTailed() {
    settings_.name = "idx";
    settings_.dir = folder_.path().string();
    settings_.profile = "all";
    write("train", {6, 20, 2});
    write("t10k", {1, 1, 1});
  }

  /// As many images of each class, of 1 x 1 pixel.
  void write(const std::string& set, const std::vector<int>& counts) const {
    std::vector<std::uint8_t> labels;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      labels.insert(labels.end(), static_cast<std::size_t>(counts[c]),
                    static_cast<std::uint8_t>(c));
    }
    const auto count = static_cast<std::uint32_t>(labels.size());
    folder_.write(set + "-images-idx3-ubyte",
                  idx_bytes({count, 1, 1}, std::vector<std::uint8_t>(labels.size(), 7)));
    folder_.write(set + "-labels-idx1-ubyte", idx_bytes({count}, labels));
  }

  std::string warning() const {
    ::testing::internal::CaptureStderr();
    open_data(settings_);
    return ::testing::internal::GetCapturedStderr();
  }
  std::string usage_error() const {
    return error_of<UsageError>([&] { open_data(settings_); });
  }

  Folder folder_;
  DataSettings settings_;
};

TEST_F(OpenLongTailed, AreTakenAsTheyAre) {
  EXPECT_THAT(open_data(settings_).train_counts, ElementsAre(6, 20, 2));
  EXPECT_THAT(warning(), IsEmpty());
  settings_.val_per_class = 1;
  const Opened held_out = open_data(settings_);
  EXPECT_THAT(held_out.train_counts, ElementsAre(5, 19, 1));
  EXPECT_EQ(held_out.validation_samples.size(), 3U);
  settings_.val_per_class = 2;
  EXPECT_EQ(usage_error(), "data.val_per_class = 2 leaves class 2 no image to train on: it has 2");
}

TEST_F(OpenLongTailed, WhatAnotherProfileCutsOffIsTold) {
  settings_.profile = "exp";
  settings_.ratio = 2;
  EXPECT_THAT(open_data(settings_).train_counts, ElementsAre(2, 1, 1));
  EXPECT_THAT(warning(), AllOf(HasSubstr("long-tailed itself, 2 to 20 images a class"),
                               HasSubstr("data.profile = \"all\"")));
  write("train", {4, 5, 4});
  EXPECT_THAT(warning(), IsEmpty()) << "as MNIST is";
}

TEST_F(OpenLongTailed, SettingsThatWouldChangeThemAreRefused) {
  settings_.n_max = 5;
  EXPECT_THAT(usage_error(), HasSubstr("takes every image: remove data.n_max = 5"));
  settings_.n_max = 0;
  settings_.ratio = 10;
  EXPECT_THAT(usage_error(), HasSubstr("no use for data.ratio = 10"));
  settings_ = {};
  settings_.name = "scenes";
  settings_.profile = "all";
  EXPECT_THAT(usage_error(), HasSubstr("\"all\" does not go with scenes"));
}

TEST_F(OpenLongTailed, ClassesWithoutTestImagesAreTold) {
  write("t10k", {0, 3, 0});
  EXPECT_THAT(warning(), HasSubstr("2 of 3 classes have no test image, the first of them '0'"));
}

}  // namespace
}  // namespace smcl::data
