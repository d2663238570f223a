#include "saliency/detector.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "saliency/detectors.h"

namespace smcl::saliency {
namespace {

using Maker = std::unique_ptr<Detector> (*)();

constexpr std::pair<std::string_view, Maker> kDetectors[] = {
    {"fine_grained", make_fine_grained},
    {"joint", make_joint},
    {"random", make_random},
    {"centre", make_centre},
};

}  // namespace

std::vector<std::string> detector_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : kDetectors) names.emplace_back(name);
  return names;
}

std::unique_ptr<Detector> make_detector(std::string_view name) {
  std::string known;
  for (const auto& [candidate, maker] : kDetectors) {
    if (candidate == name) return maker();
    known += concat(known.empty() ? "" : ", ", candidate);
  }
  throw UsageError(concat("unknown saliency detector '", name, "'; expected one of ", known));
}

Point peak(const std::uint8_t* map, int height, int width) {
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  std::uint8_t highest = 0;
  for (std::size_t i = 0; i < count; ++i) highest = std::max(highest, map[i]);
  const auto* first = static_cast<const std::uint8_t*>(std::memchr(map, highest, count));
  const std::ptrdiff_t index = first - map;
  return {static_cast<int>(index / width), static_cast<int>(index % width)};
}

double share_in_box(const std::uint8_t* map, int height, int width, const Box& box) {
  const Box inside = intersect(box, {0, 0, height, width});
  std::uint64_t all = 0;
  std::uint64_t in = 0;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row = map + static_cast<std::ptrdiff_t>(y) * width;
    for (int x = 0; x < width; ++x) all += row[x];
    if (y < inside.y0 || y >= inside.y1) continue;
    for (int x = inside.x0; x < inside.x1; ++x) in += row[x];
  }
  return all == 0 ? 0.0 : static_cast<double>(in) / static_cast<double>(all);
}

}  // namespace smcl::saliency
