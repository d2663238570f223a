#include "kernels/map_maker.h"

#include "kernels/batch_cases.h"
#include "kernels/cuda/gpu_case.h"
#include "saliency/detector.h"

/// Maps made on the GPU against the detectors', bit for bit.
namespace smcl::kernels {
namespace {

using namespace testing;

class MapMakerTest : public GpuCase {};
class MapMakerSlow : public GpuCase {};

void expect_detectors_bits(int height, int width, std::size_t count) {
  SCOPED_TRACE(std::to_string(height) + "x" + std::to_string(width));
  const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::uint8_t> own = picture(i, height, width);
    pixels.insert(pixels.end(), own.begin(), own.end());
  }
  DeviceMemory<std::uint8_t> device_pixels(pixels.size(), "pictures");
  DeviceMemory<std::uint8_t> device_maps(count * size, "maps");
  DeviceMemory<Point> device_peaks(count, "peaks");
  const Stream stream;
  device_pixels.upload(pixels.data(), 0, pixels.size(), stream.get());
  const std::array<std::pair<Map, const char*>, 2> detectors{
      {{Map::fine_grained, "fine_grained"}, {Map::joint, "joint"}}};
  for (const auto& [map, name] : detectors) {
    MapMaker maker(height, width, map);
    maker.make(device_pixels.get(), static_cast<int>(count), device_maps.get(), device_peaks.get(),
               stream.get());
    std::vector<std::uint8_t> maps(count * size);
    std::vector<Point> peaks(count);
    device_maps.download(maps.data(), maps.size(), stream.get());
    device_peaks.download(peaks.data(), count, stream.get());
    stream.wait();
    const auto detector = saliency::make_detector(name);
    const auto workspace = detector->workspace();
    std::vector<std::uint8_t> expected(size);
    for (std::size_t i = 0; i < count; ++i) {
      detector->map({pixels.data() + i * size * 3, height, width, 3, std::ptrdiff_t{3} * width}, {},
                    *workspace, expected.data());
      ASSERT_EQ(0, std::memcmp(expected.data(), maps.data() + i * size, size))
          << name << ", picture " << i;
      ASSERT_TRUE(saliency::peak(expected.data(), height, width) == peaks[i])
          << name << ", picture " << i;
    }
  }
}

TEST_F(MapMakerTest, HasTheDetectorsBits) {
  expect_detectors_bits(32, 32, 14);
  expect_detectors_bits(29, 31, 7);
}

TEST_F(MapMakerSlow, HasThemAtManySizes) {
  expect_detectors_bits(32, 32, 7000);
  RandomStream random(11, Purpose::test, 0, 0);
  for (int i = 0; i < 60; ++i) {
    const int height = 1 + static_cast<int>(random.below(120));
    expect_detectors_bits(height, 1 + static_cast<int>(random.below(120)), 14);
    if (HasFailure()) return;
  }
}

TEST_F(MapMakerSlow, HasThemForPhotographs) {
  expect_detectors_bits(224, 224, 280);
  expect_detectors_bits(190, 195, 28);
  expect_detectors_bits(256, 256, 28);
  expect_detectors_bits(400, 300, 14);
}

TEST_F(MapMakerTest, RefusesSizesThatItCannotCount) {
  EXPECT_THROW(MapMaker(0, 8, Map::joint), UsageError);
  EXPECT_THROW(MapMaker(5000, 5000, Map::joint), UsageError);
}

}  // namespace
}  // namespace smcl::kernels
