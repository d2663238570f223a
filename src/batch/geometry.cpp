#include "batch/geometry.h"

#include <algorithm>
#include <cmath>

#include "batch/batch.h"

namespace smcl::batch {
namespace {

Box moved(const Box& box, int down, int right) {
  return {box.y0 + down, box.x0 + right, box.y1 + down, box.x1 + right};
}

}  // namespace

Box flipped(const Box& box, int width) {
  if (box == Box{}) return box;
  return {box.y0, width - box.x1, box.y1, width - box.x0};
}

Box visible_part(const plan::Crop& crop, int height, int width, int padding) {
  const Box part = crop.visible(height, width, padding);
  return crop.flip ? flipped(part, width) : part;
}

Box to_augmented(const Box& box, const plan::Crop& crop, int height, int width, int padding) {
  const Box part = intersect(moved(box, padding - crop.top, padding - crop.left),
                             crop.visible(height, width, padding));
  return crop.flip ? flipped(part, width) : part;
}

Box to_original(const plan::Crop& crop, int height, int width, int padding) {
  const Box part = crop.visible(height, width, padding);
  return moved(part, crop.top - padding, crop.left - padding);
}

int reflect_101(int i, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  i = std::abs(i) % period;
  return i < size ? i : period - i;
}

Box mask_box(Point centre, double keep, int height, int width, plan::Border border) {
  const double side = std::sqrt(std::clamp(1.0 - keep, 0.0, 1.0));
  const int half_height = static_cast<int>(height * side) / 2;
  const int half_width = static_cast<int>(width * side) / 2;
  Box box{centre.y - half_height, centre.x - half_width, centre.y + half_height,
          centre.x + half_width};
  if (border == plan::Border::shift) {
    const int y0 = std::clamp(box.y0, 0, height - box.height());
    const int x0 = std::clamp(box.x0, 0, width - box.width());
    box = moved(box, y0 - box.y0, x0 - box.x0);
  }
  return intersect(box, {0, 0, height, width});
}

}  // namespace smcl::batch
