#include "plan/step_plan.h"

#include <algorithm>

#include "core/random.h"

namespace smcl::plan {

Crop resolve(const ImageDraw& draw, int padding) {
  const auto places = static_cast<std::uint32_t>(2 * padding + 1);
  return {static_cast<int>(scale_draw(draw.crop_y, places)),
          static_cast<int>(scale_draw(draw.crop_x, places)), draw.flip};
}

Box Crop::visible(int height, int width, int padding) const {
  // Augmented pixel (y, x) shows original pixel (y + top - padding, x + left - padding).
  const Box part{std::max(0, padding - top), std::max(0, padding - left),
                 std::min(height, height + padding - top), std::min(width, width + padding - left)};
  return part.y0 < part.y1 && part.x0 < part.x1 ? part : Box{};
}

}  // namespace smcl::plan
