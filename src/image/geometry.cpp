#include "image/geometry.h"

#include <algorithm>

namespace smcl {

Box intersect(const Box& a, const Box& b) {
  const Box meet{std::max(a.y0, b.y0), std::max(a.x0, b.x0), std::min(a.y1, b.y1),
                 std::min(a.x1, b.x1)};
  if (meet.y0 >= meet.y1 || meet.x0 >= meet.x1) return {};
  return meet;
}

}  // namespace smcl
