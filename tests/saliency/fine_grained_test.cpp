#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "oracle.h"
#include "saliency/fine_grained_compare.h"

namespace smcl::saliency {
namespace {

using ::testing::ElementsAre;

std::string isa_name(const ::testing::TestParamInfo<Isa>& info) {
  return std::string(name(info.param));
}

/// Every claim holds for every implementation that this CPU can run.
class FineGrained : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!cpu_supports(GetParam())) GTEST_SKIP() << "this CPU lacks " << name(GetParam());
  }
};

class FineGrainedSlow : public FineGrained {};

INSTANTIATE_TEST_SUITE_P(Isa, FineGrained, ::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512),
                         isa_name);
INSTANTIATE_TEST_SUITE_P(Isa, FineGrainedSlow,
                         ::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512), isa_name);

Image grey_row(const std::vector<std::uint8_t>& values) {
  Image image(1, static_cast<int>(values.size()), 1);
  std::copy(values.begin(), values.end(), image.row(0));
  return image;
}

// By hand: blurred once 0 40 80, twice 20 40 60; the mean of the others is 50 40 30 at every
// radius, so Off = 180 0 0 and On = 0 0 180.
TEST_P(FineGrained, ThreePixelsByHand) {
  const Image image = grey_row({0, 0, 160});
  EXPECT_THAT(kernel_map(GetParam(), image.view()), ElementsAre(255, 0, 255));
  EXPECT_THAT(kernel_map(GetParam(), image.view(), true), ElementsAre(255, 0, 255));
}

// By hand: twice blurred 30 20 20 30 (40 20 20 40 after one pass); the means of the others are
// 70/3, 80/3: differences 6.67 and -6.67, cut to 6 a radius. The cut-off part is not added up.
TEST_P(FineGrained, CutsFractionsTowardsZeroByHand) {
  const Image image = grey_row({80, 0, 0, 80});
  const Map map = kernel_map(GetParam(), image.view());
  EXPECT_THAT(map, ElementsAre(255, 255, 255, 255));
}

TEST_P(FineGrained, OnePixelIsNotSalient) {
  EXPECT_THAT(kernel_map(GetParam(), flat_image(1, 1, 3, 200).view()), ElementsAre(0));
  EXPECT_THAT(kernel_map(GetParam(), flat_image(1, 1, 1, 7).view(), true), ElementsAre(0));
}

TEST_P(FineGrained, FlatImageIsZero) {
  for (const int value : {0, 1, 128, 255}) {
    const Image image = flat_image(31, 45, 3, static_cast<std::uint8_t>(value));
    EXPECT_EQ(kernel_map(GetParam(), image.view()), Map(31 * 45, 0)) << value;
  }
}

TEST_P(FineGrained, IsOpenCvBitForBitAtManySizes) {
  std::vector<std::pair<int, int>> sizes = {
      {1, 2},   {2, 1},   {1, 17},   {17, 1},   {1, 200},  {200, 1},   {2, 2},
      {3, 5},   {8, 8},   {28, 32},  {32, 28},  {32, 32},  {12, 250},  {25, 24},
      {48, 49}, {56, 57}, {112, 33}, {113, 64}, {225, 97}, {224, 224}, {256, 256}};
  RandomStream random(3, Purpose::test, 0, 0);
  for (int i = 0; i < 60; ++i) {
    sizes.emplace_back(1 + static_cast<int>(random.below(90)),
                       1 + static_cast<int>(random.below(90)));
  }
  std::uint64_t index = 0;
  for (const auto& [height, width] : sizes) {
    for (const int channels : {3, 1}) {
      const Image image = random_image(height, width, channels, index++);
      EXPECT_EQ(mismatches(kernel_map(GetParam(), image.view()), opencv_map(image.view())), 0u)
          << height << "x" << width << "x" << channels;
    }
  }
}

// From a total of 2^23 on, OpenCV's float32 sum of two corners can pass 2^24 and round. The last
// expectation shows that these images meet the case: whole numbers give another map.
TEST_P(FineGrained, IsOpenCvBitForBitOnBrightImages) {
  std::size_t rounded = 0;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const int size = 256 - static_cast<int>(3 * i);
    const Image image = random_image(size, size, 3, 100 + i, 190);
    const Map ours = kernel_map(GetParam(), image.view());
    EXPECT_EQ(mismatches(ours, opencv_map(image.view())), 0u) << size;
    EXPECT_EQ(mismatches(ours, plain_map(image.view(), Sums::float_order)), 0u) << size;
    rounded += mismatches(ours, plain_map(image.view(), Sums::whole_numbers));
  }
  EXPECT_GT(rounded, 0u);
}

TEST_P(FineGrained, IsExactInWholeNumbersBeyondFloat) {
  for (const auto& [height, width] : {std::pair{257, 257}, {300, 280}, {97, 900}, {700, 130}}) {
    const Image image = random_image(height, width, 3, 300, 200);
    const Map ours = kernel_map(GetParam(), image.view());
    EXPECT_EQ(mismatches(ours, plain_map(image.view(), Sums::whole_numbers)), 0u)
        << height << "x" << width;
    EXPECT_GT(mismatches(ours, plain_map(image.view(), Sums::float_order)), 0u)
        << "float32 would do for " << height << "x" << width << ": the case is not met";
  }
}

TEST_P(FineGrained, JointIsTheSumScaledOnce) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const int height = 5 + static_cast<int>(7 * i);
    const int width = 140 - static_cast<int>(6 * i);
    const Image image = random_image(height, width, 3, 400 + i);
    const Map plain = plain_map(image.view(), Sums::whole_numbers, true);
    EXPECT_EQ(mismatches(kernel_map(GetParam(), image.view(), true), plain), 0u) << i;
  }
}

TEST_P(FineGrained, ACropIsItsOwnImage) {
  const Image image = random_image(80, 90, 3, 500);
  const ImageView crop = image.view().crop({3, 7, 36, 78});
  Image copy(33, 71, 3);
  for (int y = 0; y < 33; ++y) std::copy_n(crop.row(y), 3 * 71, copy.row(y));
  EXPECT_EQ(kernel_map(GetParam(), crop), opencv_map(copy.view()));
}

// Memory left from other sizes must not show.
TEST_P(FineGrained, WorkspaceServesChangingSizes) {
  const fine_grained::Kernels& kernels = fine_grained::kernels(GetParam());
  fine_grained::FineGrainedWorkspace workspace;
  RandomStream random(4, Purpose::test, 0, 0);
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::uint32_t bound = i % 3 == 0 ? 240 : 40;
    const Image image = random_image(1 + static_cast<int>(random.below(bound)),
                                     1 + static_cast<int>(random.below(bound)), 3, 600 + i);
    fine_grained::Frame& frame = fine_grained::prepare(image.view(), workspace);
    Map map(pixel_count(image.view()));
    const fine_grained::Maxima maxima = kernels.centre_surround(image.view(), frame);
    kernels.scale_apart(frame, maxima, map.data());
    EXPECT_EQ(map, kernel_map(Isa::scalar, image.view())) << image.height() << "x" << image.width();
  }
}

// What docs/saliency.md says of the quotient (c A - S) / (A - 1), at both ends of every whole
// number: truncated, a float32 division and the product with the reciprocal give it exactly. Both
// are monotonic in the numerator, so nothing between the ends can differ.
TEST(FineGrainedQuotient, TruncatesExactly) {
  std::int64_t wrong = 0;
  const auto check = [&](int others, int numerator, int expected) {
    const auto t = static_cast<float>(numerator);
    wrong += static_cast<int>(t / static_cast<float>(others)) != expected ? 1 : 0;
    if (others >= fine_grained::kMostByProduct) return;
    wrong += static_cast<int>(t * fine_grained::reciprocal_above(others)) != expected ? 1 : 0;
  };
  for (int others = 1; others < 224 * 224; ++others) {
    for (int whole = 1; whole <= 255; ++whole) {
      check(others, whole * others, whole);
      check(others, whole * others - 1, whole - 1);
      check(others, -whole * others, -whole);
      check(others, 1 - whole * others, 1 - whole);
    }
  }
  EXPECT_EQ(wrong, 0);
}

// Step 5 for every sum and maximum that can occur, against the formula in double precision.
TEST_P(FineGrained, ScalesEverySumExactly) {
  const fine_grained::Kernels& kernels = fine_grained::kernels(GetParam());
  std::size_t wrong = 0;
  for (int most = 1; most <= fine_grained::kMaxSum; ++most) {
    const int count = most + 1;
    std::vector<std::uint16_t> sums(static_cast<std::size_t>(count) + 64, 0);
    std::vector<std::uint16_t> zeros(sums.size(), 0);
    for (int v = 0; v < count; ++v)
      sums[static_cast<std::size_t>(v)] = static_cast<std::uint16_t>(v);
    fine_grained::Frame frame;
    frame.height = 1;
    frame.width = count;
    frame.on = sums.data();
    frame.off = zeros.data();
    Map apart(static_cast<std::size_t>(count));
    Map joint(apart.size());
    kernels.scale_apart(frame, {most, 0, most}, apart.data());
    kernels.scale_joint(frame, {most, 0, most}, joint.data());
    for (int v = 0; v < count; ++v) {
      const float quotient = static_cast<float>(v) / static_cast<float>(most);
      const auto expected = static_cast<int>(255.0 * static_cast<double>(quotient));
      const auto i = static_cast<std::size_t>(v);
      wrong += apart[i] != expected || joint[i] != expected ? 1 : 0;
    }
  }
  EXPECT_EQ(wrong, 0u);
}

TEST_P(FineGrained, WrapsWhereBrightAndDarkMeet) {
  const fine_grained::Kernels& kernels = fine_grained::kernels(GetParam());
  std::vector<std::uint16_t> on(65, 10);
  std::vector<std::uint16_t> off(65, 10);
  fine_grained::Frame frame;
  frame.height = frame.width = 1;
  frame.on = on.data();
  frame.off = off.data();
  std::uint8_t out = 0;
  kernels.scale_apart(frame, {10, 10, 20}, &out);
  EXPECT_EQ(out, 254);  // 510 mod 256
  kernels.scale_joint(frame, {10, 10, 20}, &out);
  EXPECT_EQ(out, 255);
}

// The total, 255 * 2^24, needs all of 32 bits without a sign.
TEST_P(FineGrainedSlow, FourThousandPixelsOfWhite) {
  Image image = flat_image(4096, 4096, 1, 255);
  EXPECT_EQ(kernel_map(GetParam(), image.view()), Map(std::size_t{4096} * 4096, 0));
  for (int y = 4000; y < 4010; ++y) std::fill_n(image.at(y, 4050), 20, std::uint8_t{90});
  EXPECT_EQ(mismatches(kernel_map(GetParam(), image.view()),
                       plain_map(image.view(), Sums::whole_numbers)),
            0u);
}

std::vector<std::filesystem::path> photographs(std::size_t most) {
  const char* root = std::getenv("SMCL_DATA_DIR");
  std::vector<std::filesystem::path> files;
  if (root == nullptr) return files;
  const std::filesystem::path folder = std::filesystem::path(root) / "imagenet";
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".JPEG" || extension == ".jpg") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  files.resize(std::min(files.size(), most));
  return files;
}

std::string missing_photographs(const std::string& kind = "") {
  if (std::getenv("SMCL_DATA_DIR") == nullptr) return "SMCL_DATA_DIR is not set";
  return "SMCL_DATA_DIR/imagenet has no photograph" + kind;
}

ImageView view_of(const cv::Mat& rgb) {
  return {rgb.data, rgb.rows, rgb.cols, 3, static_cast<std::ptrdiff_t>(rgb.step[0])};
}

TEST_P(FineGrainedSlow, IsOpenCvBitForBitOnPhotographs) {
  const auto files = photographs(40);
  if (files.empty()) GTEST_SKIP() << missing_photographs();
  for (const auto& file : files) {
    const cv::Mat bgr = cv::imread(file.string(), cv::IMREAD_COLOR);
    ASSERT_FALSE(bgr.empty()) << file;
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    for (const cv::Size size : {cv::Size(32, 32), cv::Size(29, 32), cv::Size(224, 224)}) {
      cv::Mat small;
      cv::resize(rgb, small, size, 0, 0, cv::INTER_AREA);
      EXPECT_EQ(mismatches(kernel_map(GetParam(), view_of(small)), opencv_map(view_of(small))), 0u)
          << file << " at " << size;
    }
    const cv::Rect middle(std::max(rgb.cols / 2 - 128, 0), std::max(rgb.rows / 2 - 128, 0),
                          std::min(rgb.cols, 256), std::min(rgb.rows, 256));
    const cv::Mat crop = rgb(middle);
    EXPECT_EQ(mismatches(kernel_map(GetParam(), view_of(crop)), opencv_map(view_of(crop))), 0u)
        << file << " cropped";
  }
}

TEST_P(FineGrainedSlow, IsExactOnWholePhotographs) {
  std::size_t tested = 0;
  for (const auto& file : photographs(8)) {
    cv::Mat rgb;
    cv::cvtColor(cv::imread(file.string(), cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
    const cv::Mat grown = rgb + cv::Scalar::all(60);  // bright enough to pass 2^24
    const bool beyond_float = grown.total() > 140000;
    if (!beyond_float) continue;
    EXPECT_EQ(mismatches(kernel_map(GetParam(), view_of(grown)),
                         plain_map(view_of(grown), Sums::whole_numbers)),
              0u)
        << file;
    ++tested;
  }
  if (tested == 0) GTEST_SKIP() << missing_photographs(" of more than 140,000 pixels");
}

}  // namespace
}  // namespace smcl::saliency
