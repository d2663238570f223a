#include <gtest/gtest.h>

#include "kernels/batch_cases.h"
#include "kernels/saliency_job.h"
#include "saliency/detector.h"

/// Maps as the GPU makes them, on the CPU, against the detectors.
namespace smcl::kernels {
namespace {

using namespace testing;

struct Maps {
  std::vector<std::uint8_t> values;
  std::vector<Point> peaks;
};

Maps made(const std::vector<std::uint8_t>& pixels, int count, int height, int width, Map map,
          std::size_t block_memory) {
  const auto values = static_cast<std::size_t>(count * height * width);
  Maps maps{std::vector<std::uint8_t>(values), std::vector<Point>(static_cast<std::size_t>(count))};
  SaliencyJob job;
  job.pixels = pixels.data();
  job.count = count;
  job.height = height;
  job.width = width;
  job.map = map;
  job.memory = plan_memory(height, width, block_memory);
  std::vector<std::uint64_t> workspace(job.memory.global() / 8 + 1);
  std::vector<std::uint64_t> shared(job.memory.shared() / 8);
  job.workspace = reinterpret_cast<std::byte*>(workspace.data());
  job.maps = maps.values.data();
  job.peaks = maps.peaks.data();
  map_images(job, Block(128), 0, 1, reinterpret_cast<std::byte*>(shared.data()));
  return maps;
}

void expect_detectors_bits(int height, int width, std::size_t block_memory) {
  constexpr int kCount = 7;
  const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::vector<std::uint8_t> own = picture(i, height, width);
    pixels.insert(pixels.end(), own.begin(), own.end());
  }
  const std::array<std::pair<Map, const char*>, 4> detectors{{{Map::fine_grained, "fine_grained"},
                                                              {Map::joint, "joint"},
                                                              {Map::random, "random"},
                                                              {Map::centre, "centre"}}};
  for (const auto& [map, name] : detectors) {
    const auto detector = saliency::make_detector(name);
    const auto workspace = detector->workspace();
    const Maps got = made(pixels, kCount, height, width, map, block_memory);
    std::vector<std::uint8_t> expected(size);
    for (std::size_t i = 0; i < kCount; ++i) {
      SCOPED_TRACE(std::string(name) + ", picture " + std::to_string(i));
      detector->map({pixels.data() + i * size * 3, height, width, 3, std::ptrdiff_t{3} * width}, {},
                    *workspace, expected.data());
      EXPECT_EQ(0, std::memcmp(expected.data(), got.values.data() + i * size, size));
      EXPECT_TRUE(saliency::peak(expected.data(), height, width) == got.peaks[i]);
    }
  }
}

TEST(BlockSaliency, HasTheDetectorsBitsAtManySizes) {
  const std::array<std::array<int, 2>, 14> sizes{{{1, 1},
                                                  {1, 2},
                                                  {2, 1},
                                                  {1, 50},
                                                  {200, 1},
                                                  {3, 5},
                                                  {28, 32},
                                                  {32, 32},
                                                  {12, 120},
                                                  {25, 24},
                                                  {48, 49},
                                                  {56, 57},
                                                  {113, 64},
                                                  {256, 256}}};
  for (const auto& [height, width] : sizes) {
    SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
    expect_detectors_bits(height, width, 227 * 1024);
  }
}

// Above 256x256 the sums are exact whole numbers, and nothing fits into shared memory.
TEST(BlockSaliency, HasThemForLargeImages) {
  expect_detectors_bits(300, 260, 227 * 1024);
}

TEST(BlockSaliency, KeysOrderByValueThenByPlace) {
  EXPECT_GT(peak_key(2, 9), peak_key(1, 0));
  EXPECT_GT(peak_key(2, 8), peak_key(2, 9));
  EXPECT_EQ(key_value(peak_key(255, 77)), 255U);
  EXPECT_EQ(key_place(peak_key(255, 77)), 77U);
  EXPECT_EQ(key_place(peak_key(0, (1U << 24) - 1)), (1U << 24) - 1);
}

}  // namespace
}  // namespace smcl::kernels
