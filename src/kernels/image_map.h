#pragma once

#include <cstdint>

#include "kernels/block_saliency.h"
#include "kernels/image_task.h"

/// The map of an image of a step, by one block, and its peak.
namespace smcl::kernels {

/// Maps 32 uniform bits to [0, bound) as core/random.h does.
SMCL_HD inline int scaled_draw(std::uint32_t bits, int bound) {
  return static_cast<int>((std::uint64_t{bits} * static_cast<std::uint32_t>(bound)) >> 32);
}

/// What the detector looks at, and which part of its map counts.
struct Sight {
  Picture picture;
  Box region;             ///< of the picture: what the detector sees
  Box part;               ///< of the region: where the maximum is looked for
  Box shown;              ///< where the part lies in the augmented image
  bool mirrored = false;  ///< the columns of the part run against those of the augmented image
};

SMCL_HD inline Sight sight_of(const Picture& augmented, plan::SaliencyOn on) {
  const Box frame{0, 0, augmented.height, augmented.width};
  const Box visible = augmented.visible();
  switch (on) {
    case plan::SaliencyOn::visible:
      return {augmented, visible, {0, 0, rows(visible), columns(visible)}, visible, false};
    case plan::SaliencyOn::original: {
      const Picture original{
          augmented.pixels, augmented.height, augmented.width, 0, 0, false, false};
      return {original, frame, augmented.source(), visible, augmented.flip};
    }
    case plan::SaliencyOn::reflect: {
      Picture reflected = augmented;
      reflected.reflect = true;
      return {reflected, frame, frame, frame, false};
    }
    case plan::SaliencyOn::padded:
      break;
  }
  return {augmented, frame, frame, frame, false};
}

/// The part of a map that counts, made as it is read.
struct MapPart {
  Map map = Map::none;
  const std::uint32_t* sums = nullptr;
  LargestSums largest;
  Box region;
  Box part;
  Point dot;  ///< of the detector `random`, in the region

  SMCL_HD std::uint32_t at(int y, int x) const {
    y += part.y0;
    x += part.x0;
    switch (map) {
      case Map::fine_grained:
        return scaled_apart(sums[static_cast<std::ptrdiff_t>(y) * columns(region) + x], largest);
      case Map::joint:
        return scaled_jointly(sums[static_cast<std::ptrdiff_t>(y) * columns(region) + x], largest);
      case Map::random:
        return y == dot.y && x == dot.x ? 255 : 0;
      case Map::centre:
        return centre_prior(y, x);
      case Map::none:
        break;
    }
    return 0;
  }

  SMCL_HD std::uint32_t centre_prior(int y, int x) const {
    const int middle_y = rows(region) / 2;
    const int middle_x = columns(region) / 2;
    if (y == middle_y && x == middle_x) return 255;
    const auto square = [](std::int64_t value) { return value * value; };
    const std::int64_t cy2 = square(larger(middle_y, 1));
    const std::int64_t cx2 = square(larger(middle_x, 1));
    const std::int64_t far = square(y - middle_y) * cx2 + square(x - middle_x) * cy2;
    return static_cast<std::uint32_t>(254 - 254 * far / (2 * cy2 * cx2));
  }
};

/// Makes the map of an image and finds the peak, memory.totals->best.
SMCL_HD inline MapPart find_peak(const Block& block, const BlockMemory& memory, Map map,
                                 const ImageTask& task, const Sight& sight) {
  block.step([&](int thread) {
    if (thread == 0) *memory.totals = BlockTotals{};
  });
  if (map == Map::fine_grained || map == Map::joint) {
    centre_surround(block, memory, sight.picture, sight.region);
  }
  const MapPart seen{map,
                     memory.sums,
                     memory.totals->largest,
                     sight.region,
                     sight.part,
                     {scaled_draw(task.place_y, rows(sight.region)),
                      scaled_draw(task.place_x, columns(sight.region))}};
  const int height = rows(sight.part);
  const int width = columns(sight.part);
  block.step([&](int thread) {
    std::uint32_t best = 0;
    block.share(thread, height, width, [&](int y, int x) {
      const auto place = static_cast<std::uint32_t>(y) * static_cast<std::uint32_t>(width) +
                         static_cast<std::uint32_t>(x);
      const std::uint32_t key = peak_key(seen.at(y, x), place);
      best = key > best ? key : best;
    });
    raise(&memory.totals->best, best);
  });
  return seen;
}

}  // namespace smcl::kernels
