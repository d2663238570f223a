#include "plan/policy.h"

#include <cmath>

namespace smcl::plan {
namespace {

/// Value `at` of `count` evenly spaced floats: counted from the nearer end, as torch.linspace does.
float spaced(float first, float last, int at, int count) {
  const float step = (last - first) / static_cast<float>(count - 1);
  if (at < count / 2) return first + step * static_cast<float>(at);
  return last - step * static_cast<float>(count - 1 - at);
}

PixelOp with_factor(OpKind kind, float change) {
  PixelOp op;
  op.kind = kind;
  op.factor = static_cast<float>(1.0 + static_cast<double>(change));
  return op;
}

PixelOp with_value(OpKind kind, int value) {
  PixelOp op;
  op.kind = kind;
  op.value = value;
  return op;
}

}  // namespace

const std::array<std::array<PolicyStep, 2>, kSubPolicies>& cifar10_policy() {
  using enum PolicyOp;
  static const std::array<std::array<PolicyStep, 2>, kSubPolicies> policy{{
      {{{invert, 0.1, 0}, {contrast, 0.2, 6}}},
      {{{rotate, 0.7, 2}, {translate_x, 0.3, 9}}},
      {{{sharpness, 0.8, 1}, {sharpness, 0.9, 3}}},
      {{{shear_y, 0.5, 8}, {translate_y, 0.7, 9}}},
      {{{autocontrast, 0.5, 0}, {equalize, 0.9, 0}}},
      {{{shear_y, 0.2, 7}, {posterize, 0.3, 7}}},
      {{{colour, 0.4, 3}, {brightness, 0.6, 7}}},
      {{{sharpness, 0.3, 9}, {brightness, 0.7, 9}}},
      {{{equalize, 0.6, 0}, {equalize, 0.5, 0}}},
      {{{contrast, 0.6, 7}, {sharpness, 0.6, 5}}},
      {{{colour, 0.7, 7}, {translate_x, 0.5, 8}}},
      {{{equalize, 0.3, 0}, {autocontrast, 0.4, 0}}},
      {{{translate_y, 0.4, 3}, {sharpness, 0.2, 6}}},
      {{{brightness, 0.9, 6}, {colour, 0.2, 8}}},
      {{{solarize, 0.5, 2}, {invert, 0.0, 0}}},
      {{{equalize, 0.2, 0}, {autocontrast, 0.6, 0}}},
      {{{equalize, 0.2, 0}, {equalize, 0.6, 0}}},
      {{{colour, 0.9, 9}, {equalize, 0.6, 0}}},
      {{{autocontrast, 0.8, 0}, {solarize, 0.2, 8}}},
      {{{brightness, 0.1, 3}, {colour, 0.7, 0}}},
      {{{solarize, 0.4, 5}, {autocontrast, 0.9, 0}}},
      {{{translate_y, 0.9, 9}, {translate_y, 0.7, 9}}},
      {{{autocontrast, 0.9, 0}, {solarize, 0.8, 3}}},
      {{{equalize, 0.8, 0}, {invert, 0.1, 0}}},
      {{{translate_y, 0.7, 9}, {autocontrast, 0.9, 0}}},
  }};
  return policy;
}

float magnitude(const PolicyDraw& draw, int height, int width) {
  const auto up_to = [&](double most) {
    const float value = spaced(0.0F, static_cast<float>(most), draw.level, draw.levels);
    return draw.negative ? -value : value;
  };
  switch (draw.op) {
    case PolicyOp::shear_x:
    case PolicyOp::shear_y:
      return up_to(0.3);
    case PolicyOp::translate_x:
      return up_to(150.0 / 331.0 * width);
    case PolicyOp::translate_y:
      return up_to(150.0 / 331.0 * height);
    case PolicyOp::rotate:
      return up_to(30.0);
    case PolicyOp::brightness:
    case PolicyOp::colour:
    case PolicyOp::contrast:
    case PolicyOp::sharpness:
      return up_to(0.9);
    case PolicyOp::posterize:
      return 8.0F - std::nearbyint(static_cast<float>(draw.level) /
                                   (static_cast<float>(draw.levels - 1) / 4.0F));
    case PolicyOp::solarize:
      return spaced(255.0F, 0.0F, draw.level, draw.levels);
    case PolicyOp::identity:
    case PolicyOp::autocontrast:
    case PolicyOp::equalize:
    case PolicyOp::invert:
      break;
  }
  return 0.0F;
}

std::optional<PixelOp> pixel_op(const PolicyDraw& draw, int height, int width) {
  const float strength = magnitude(draw, height, width);
  switch (draw.op) {
    case PolicyOp::identity:
      return std::nullopt;
    case PolicyOp::shear_x:
      return shear(strength, false);
    case PolicyOp::shear_y:
      return shear(strength, true);
    case PolicyOp::translate_x:
      return translation(0, static_cast<int>(strength));
    case PolicyOp::translate_y:
      return translation(static_cast<int>(strength), 0);
    case PolicyOp::rotate:
      return rotation(strength, height, width);
    case PolicyOp::brightness:
      return with_factor(OpKind::brightness, strength);
    case PolicyOp::colour:
      return with_factor(OpKind::saturation, strength);
    case PolicyOp::contrast:
      return with_factor(OpKind::contrast, strength);
    case PolicyOp::sharpness:
      return with_factor(OpKind::sharpness, strength);
    case PolicyOp::posterize:
      return with_value(OpKind::posterize, (0xFF << (8 - static_cast<int>(strength))) & 0xFF);
    case PolicyOp::solarize:
      return with_value(OpKind::solarize, static_cast<int>(std::ceil(strength)));
    case PolicyOp::autocontrast:
      return with_value(OpKind::autocontrast, 0);
    case PolicyOp::equalize:
      return with_value(OpKind::equalize, 0);
    case PolicyOp::invert:
      return with_value(OpKind::invert, 0);
  }
  return std::nullopt;
}

}  // namespace smcl::plan
