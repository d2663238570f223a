#include "plan/treatment.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace smcl::plan {
namespace {

int placed(std::uint32_t bits, int places) {
  return static_cast<int>(scale_draw(bits, static_cast<std::uint32_t>(places)));
}

int rounded_root(double area) {
  return static_cast<int>(std::nearbyint(std::sqrt(area)));
}

PixelOp jitter_op(Jitter jitter, float amount) {
  PixelOp op;
  op.factor = amount;
  switch (jitter) {
    case Jitter::brightness:
      op.kind = OpKind::brightness;
      break;
    case Jitter::contrast:
      op.kind = OpKind::contrast;
      break;
    case Jitter::saturation:
      op.kind = OpKind::saturation;
      break;
    case Jitter::hue:
      op.kind = OpKind::hue;
      op.value = static_cast<int>(static_cast<double>(amount) * 255.0) & 0xFF;
      break;
  }
  return op;
}

/// A square around any pixel, cut off at the border (DeVries & Taylor 2017).
PixelOp cutout(const StrongDraw& draw, int height, int width) {
  const int y = placed(draw.cut_y, height);
  const int x = placed(draw.cut_x, width);
  const int top = y - draw.cut / 2;
  const int left = x - draw.cut / 2;
  PixelOp op;
  op.kind = OpKind::cutout;
  op.box = {std::max(0, top), std::max(0, left), std::min(height, top + draw.cut),
            std::min(width, left + draw.cut)};
  return op;
}

void add_strong(const StrongDraw& strong, int padding, int height, int width, Treatment& out) {
  const auto add = [&out](const PixelOp& op) {
    out.ops[static_cast<std::size_t>(out.op_count++)] = op;
  };
  if (strong.resized) {
    out.resized = true;
    out.part = resolve(strong.crop, height, width);
    out.crop.top = padding;
    out.crop.left = padding;
  }
  for (std::size_t i = 0; i < strong.policy_count; ++i) {
    if (const auto op = pixel_op(strong.policy[i], height, width)) add(*op);
  }
  for (std::size_t i = 0; i < strong.jitter_count; ++i) {
    add(jitter_op(strong.jitters[i], strong.jitter[i]));
  }
  if (strong.grey) {
    PixelOp op;
    op.kind = OpKind::grey;
    add(op);
  }
  if (strong.sigma > 0.0F) add(gaussian_blur(strong.sigma));
  if (strong.cut > 0) add(cutout(strong, height, width));
}

/// Where a translation takes what an image shows; other operations leave it.
Box moved(const PixelOp& op, const Box& box, const Box& frame) {
  constexpr int kOne = 1 << 16;
  const bool translates =
      op.kind == OpKind::affine && op.yy == kOne && op.xx == kOne && op.yx == 0 && op.xy == 0;
  if (!translates) return box;
  const int down = -(op.y0 >> 16);
  const int right = -(op.x0 >> 16);
  return intersect({box.y0 + down, box.x0 + right, box.y1 + down, box.x1 + right}, frame);
}

Box visible(const Treatment& treatment, int padding, int height, int width) {
  const Box frame{0, 0, height, width};
  Box box = treatment.crop.visible(height, width, padding);
  if (treatment.crop.flip && box != Box{}) box = {box.y0, width - box.x1, box.y1, width - box.x0};
  for (int i = 0; i < treatment.op_count; ++i) {
    box = moved(treatment.ops[static_cast<std::size_t>(i)], box, frame);
    if (box == Box{}) return frame;
  }
  return box;
}

}  // namespace

Box resolve(const ResizedDraw& draw, int height, int width) {
  const double area = static_cast<double>(height) * width;
  for (const CropTry& one : draw.tries) {
    const double wanted = area * static_cast<double>(one.area);
    const int w = rounded_root(wanted * static_cast<double>(one.ratio));
    const int h = rounded_root(wanted / static_cast<double>(one.ratio));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const int top = placed(draw.place_y, height - h + 1);
    const int left = placed(draw.place_x, width - w + 1);
    return {top, left, top + h, left + w};
  }
  const double ratio = static_cast<double>(width) / height;
  int h = height;
  int w = width;
  if (ratio < static_cast<double>(draw.least_ratio)) {
    h = static_cast<int>(std::nearbyint(w / static_cast<double>(draw.least_ratio)));
  } else if (ratio > static_cast<double>(draw.most_ratio)) {
    w = static_cast<int>(std::nearbyint(h * static_cast<double>(draw.most_ratio)));
  }
  h = std::clamp(h, 1, height);
  w = std::clamp(w, 1, width);
  const int top = (height - h) / 2;
  const int left = (width - w) / 2;
  return {top, left, top + h, left + w};
}

Treatment resolve(const ImageDraw& draw, const StrongDraw* strong, int padding, int height,
                  int width) {
  Treatment out;
  out.crop = resolve(draw, padding);
  if (strong != nullptr) add_strong(*strong, padding, height, width, out);
  out.visible = visible(out, padding, height, width);
  return out;
}

}  // namespace smcl::plan
