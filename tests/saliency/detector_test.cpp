#include "saliency/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "oracle.h"

namespace smcl::saliency {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Map map_of(std::string_view name, const ImageView& image, const Draws& draws = {}) {
  const auto detector = make_detector(name);
  const auto workspace = detector->workspace();
  Map map(pixel_count(image), 1);
  detector->map(image, draws, *workspace, map.data());
  return map;
}

template <class Error, class Work>
std::string message_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Detectors, AreListedAndMadeByName) {
  EXPECT_THAT(detector_names(), ElementsAre("fine_grained", "joint", "random", "centre"));
  for (const std::string& name : detector_names()) {
    EXPECT_EQ(make_detector(name)->name(), name);
    EXPECT_FALSE(make_detector(name)->needs_network());
  }
}

TEST(Detectors, UnknownNameListsTheValidOnes) {
  const std::string text = message_of<UsageError>([] { make_detector("fine-grained"); });
  EXPECT_THAT(text, HasSubstr("'fine-grained'"));
  EXPECT_THAT(text, HasSubstr("fine_grained, joint, random, centre"));
}

TEST(Detectors, RefuseImagesThatAreNone) {
  const Image image(4, 4, 3);
  for (const char* name : {"fine_grained", "joint"}) {
    ImageView view = image.view();
    view.channels = 2;
    EXPECT_THAT(message_of<UsageError>([&] { map_of(name, view); }), HasSubstr("4x4 with 2"));
    view = image.view();
    view.height = 0;
    EXPECT_THAT(message_of<UsageError>([&] { map_of(name, view); }), HasSubstr("0x4"));
  }
}

TEST(Detectors, RefuseAForeignWorkspace) {
  const Image image(4, 4, 3);
  Workspace foreign;
  Map map(16);
  EXPECT_THROW(make_detector("joint")->map(image.view(), {}, foreign, map.data()), UsageError);
}

TEST(Detectors, FineGrainedIsOpenCvsAndJointIsItsOwn) {
  const Image image = random_image(32, 32, 3, 1);
  EXPECT_EQ(map_of("fine_grained", image.view()), opencv_map(image.view()));
  EXPECT_EQ(map_of("joint", image.view()), plain_map(image.view(), Sums::whole_numbers, true));
}

// Scaling bright and dark apart gives every image two pixels of at least 255; joint does not.
TEST(Detectors, ApartTiesWhereJointDecides) {
  Image image = flat_image(32, 32, 3, 100);
  for (int y = 4; y < 8; ++y) std::fill_n(image.at(y, 4), 12, std::uint8_t{110});
  for (int y = 20; y < 24; ++y) std::fill_n(image.at(y, 20), 12, std::uint8_t{0});
  const Point apart = peak(map_of("fine_grained", image.view()).data(), 32, 32);
  const Point joint = peak(map_of("joint", image.view()).data(), 32, 32);
  EXPECT_TRUE((Box{4, 4, 8, 8}.contains(apart))) << apart.y << "," << apart.x;
  EXPECT_TRUE((Box{20, 20, 24, 24}.contains(joint))) << joint.y << "," << joint.x;
}

TEST(Random, PeakIsAtThePlannedDraw) {
  const Image image(10, 20, 3);
  // floor(10 * 0.75) and floor(20 * (1 - 2^-32))
  const Map map = map_of("random", image.view(), {0xC0000000u, 0xFFFFFFFFu});
  EXPECT_EQ(peak(map.data(), 10, 20), (Point{7, 19}));
  EXPECT_EQ(std::count(map.begin(), map.end(), 0), 199);
  EXPECT_EQ(map[7 * 20 + 19], 255);
}

TEST(Centre, PeakIsTheMiddleAndNoOtherPixelReachesIt) {
  for (const auto& [height, width] :
       {std::pair{1, 1}, {1, 2}, {2, 1}, {5, 4}, {32, 32}, {31, 224}, {600, 500}}) {
    const Map map = map_of("centre", Image(height, width, 3).view());
    EXPECT_EQ(peak(map.data(), height, width), (Point{height / 2, width / 2}));
    EXPECT_EQ(std::count(map.begin(), map.end(), 255), 1);
  }
}

// By hand for 5x5: cy = cx = 2, so d = (dy^2 + dx^2) / 8 and the map is 254 - floor(254 * d).
TEST(Centre, FallsWithTheSquareOfTheDistance) {
  const Map map = map_of("centre", Image(5, 5, 1).view());
  const Map middle_row(map.begin() + 10, map.begin() + 15);
  EXPECT_THAT(middle_row, ElementsAre(127, 223, 255, 223, 127));
  EXPECT_EQ(map[0], 0);
  EXPECT_EQ(map[24], 0);
}

TEST(Peak, IsTheFirstMaximumInRasterOrder) {
  const Map map = {1, 9, 3, 9, 2, 9};
  EXPECT_EQ(peak(map.data(), 2, 3), (Point{0, 1}));
  EXPECT_EQ(peak(map.data(), 3, 2), (Point{0, 1}));
  const Map last = {0, 0, 0, 0, 0, 1};
  EXPECT_EQ(peak(last.data(), 2, 3), (Point{1, 2}));
  const Map none = {0, 0, 0, 0};
  EXPECT_EQ(peak(none.data(), 2, 2), (Point{0, 0}));
}

TEST(ShareInBox, IsThePartOfTheSum) {
  const Map map = {1, 2, 3, 4, 5, 5};
  EXPECT_DOUBLE_EQ(share_in_box(map.data(), 2, 3, {0, 1, 2, 3}), 15.0 / 20.0);
  EXPECT_DOUBLE_EQ(share_in_box(map.data(), 2, 3, {-5, -5, 9, 9}), 1.0);
  EXPECT_DOUBLE_EQ(share_in_box(map.data(), 2, 3, {0, 0, 0, 0}), 0.0);
  EXPECT_DOUBLE_EQ(share_in_box(map.data(), 2, 3, {2, 0, 4, 3}), 0.0);
  const Map dark(6, 0);
  EXPECT_DOUBLE_EQ(share_in_box(dark.data(), 2, 3, {0, 0, 2, 3}), 0.0);
}

}  // namespace
}  // namespace smcl::saliency
