#pragma once

#include <algorithm>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <opencv2/saliency.hpp>
#include <vector>

#include "core/random.h"
#include "image/geometry.h"
#include "image/image.h"
#include "saliency/fine_grained_impl.h"

/// Test images, and what others make of them.
namespace smcl::saliency {

using Map = std::vector<std::uint8_t>;

inline std::size_t pixel_count(const ImageView& image) {
  return static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
}

/// Smooth structure with noise: `low`..255, softened to different degrees.
inline Image random_image(int height, int width, int channels, std::uint64_t index,
                          std::uint32_t low = 0) {
  RandomStream random(7, Purpose::test, 0, index);
  Image image(height, width, channels);
  const std::uint32_t grain = 1 + random.below(4);
  const std::uint32_t noise = 1 + random.below(64);
  std::vector<std::uint32_t> cells(64 * 64 * 3);
  for (auto& cell : cells) cell = random.below(256 - low);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const auto cy = (static_cast<std::uint32_t>(y) >> grain) % 64;
        const auto cx = (static_cast<std::uint32_t>(x) >> grain) % 64;
        const std::uint32_t value = cells[(cy * 64 + cx) * 3 + static_cast<std::uint32_t>(c)];
        image.at(y, x)[c] =
            static_cast<std::uint8_t>(low + std::min(value + random.below(noise), 255 - low));
      }
    }
  }
  return image;
}

inline Image flat_image(int height, int width, int channels, std::uint8_t value) {
  Image image(height, width, channels);
  for (int y = 0; y < height; ++y) {
    std::fill_n(image.row(y), static_cast<std::size_t>(width) * image.channels(), value);
  }
  return image;
}

/// OpenCV's StaticSaliencyFineGrained, back in 8 bits (it hands out map / 255 as float32).
inline Map opencv_map(const ImageView& image) {
  const cv::Mat rgb(image.height, image.width, CV_MAKETYPE(CV_8U, image.channels),
                    const_cast<std::uint8_t*>(image.pixels),
                    static_cast<std::size_t>(image.stride));
  cv::Mat input = rgb.clone();
  if (image.channels == 3) cv::cvtColor(rgb, input, cv::COLOR_RGB2BGR);
  cv::Mat map;
  cv::saliency::StaticSaliencyFineGrained::create()->computeSaliency(input, map);
  cv::Mat bytes;
  map.convertTo(bytes, CV_8U, map.depth() == CV_8U ? 1.0 : 255.0);
  return Map(bytes.datastart, bytes.dataend);
}

/// How the window sums of the plain version below are formed.
enum class Sums { whole_numbers, float_order };

/// The published steps once more, without a line in common with the library: OpenCV's own grey and
/// blur, then sums in 64-bit integers, or in float32 in the order in which OpenCV adds.
inline Map plain_map(const ImageView& image, Sums sums, bool joint = false) {
  const int h = image.height;
  const int w = image.width;
  const cv::Mat rgb(h, w, CV_MAKETYPE(CV_8U, image.channels),
                    const_cast<std::uint8_t*>(image.pixels),
                    static_cast<std::size_t>(image.stride));
  cv::Mat grey;
  if (image.channels == 3) {
    cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  } else {
    grey = rgb.clone();
  }
  cv::GaussianBlur(grey, grey, {3, 3}, 0);
  cv::GaussianBlur(grey, grey, {3, 3}, 0);
  std::vector<std::int64_t> integral(static_cast<std::size_t>((h + 1)) * (w + 1), 0);
  const auto entry = [&](int y, int x) -> std::int64_t& {
    return integral[static_cast<std::size_t>(y) * (w + 1) + x];
  };
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      entry(y + 1, x + 1) =
          grey.at<std::uint8_t>(y, x) + entry(y, x + 1) + entry(y + 1, x) - entry(y, x);
    }
  }
  const std::size_t count = pixel_count(image);
  std::vector<int> on(count, 0);
  std::vector<int> off(count, 0);
  for (const int r : {12, 24, 48, 28, 56, 112}) {
    for (int y = 0; y < h; ++y) {
      for (int x = 0; x < w; ++x) {
        const int x1 = std::clamp(x - r + 1, 0, w);
        const int x2 = std::clamp(x + r + 1, 0, w);
        const int y1 = std::clamp(y - r + 1, 0, h);
        const int y2 = std::clamp(y + r + 1, 0, h);
        float sum =
            static_cast<float>(entry(y2, x2) + entry(y1, x1) - entry(y1, x2) - entry(y2, x1));
        if (sums == Sums::float_order) {
          sum = static_cast<float>(entry(y2, x2)) + static_cast<float>(entry(y1, x1));
          sum = sum - static_cast<float>(entry(y2, x1));
          sum = sum - static_cast<float>(entry(y1, x2));
        }
        const int c = grey.at<std::uint8_t>(y, x);
        const float mean =
            (sum - static_cast<float>(c)) / static_cast<float>((x2 - x1) * (y2 - y1) - 1);
        const float up = static_cast<float>(c) - mean;
        const float down = mean - static_cast<float>(c);
        const std::size_t i = static_cast<std::size_t>(y) * w + x;
        if (up > 0) on[i] += static_cast<int>(up);
        if (down > 0) off[i] += static_cast<int>(down);
      }
    }
  }
  const auto scale = [](int value, int most) {
    return most == 0 ? 0 : static_cast<int>(255.0 * (static_cast<float>(value) / most));
  };
  if (joint) {
    for (std::size_t i = 0; i < count; ++i) on[i] += off[i];
    std::fill(off.begin(), off.end(), 0);
  }
  const int most_on = *std::max_element(on.begin(), on.end());
  const int most_off = *std::max_element(off.begin(), off.end());
  Map map(count);
  for (std::size_t i = 0; i < count; ++i) {
    map[i] = static_cast<std::uint8_t>(scale(on[i], most_on) + scale(off[i], most_off));
  }
  return map;
}

/// The map of one implementation, with guard bytes behind it that must survive.
inline Map kernel_map(Isa isa, const ImageView& image, bool joint = false) {
  const fine_grained::Kernels& kernels = fine_grained::kernels(isa);
  fine_grained::FineGrainedWorkspace workspace;
  fine_grained::Frame& frame = fine_grained::prepare(image, workspace);
  constexpr std::size_t kGuard = 64;
  Map map(pixel_count(image) + kGuard, 0xAB);
  const fine_grained::Maxima maxima = kernels.centre_surround(image, frame);
  (joint ? kernels.scale_joint : kernels.scale_apart)(frame, maxima, map.data());
  for (std::size_t i = pixel_count(image); i < map.size(); ++i) {
    if (map[i] != 0xAB) throw std::logic_error("wrote past the end of the map");
  }
  map.resize(pixel_count(image));
  return map;
}

/// Number of pixels that differ.
inline std::size_t mismatches(const Map& a, const Map& b) {
  if (a.size() != b.size()) return std::max(a.size(), b.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

}  // namespace smcl::saliency
