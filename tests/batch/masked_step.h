#pragma once

#include <cstring>

#include "batch/augment.h"
#include "batch/batch.h"
#include "batch/fake_dataset.h"
#include "batch/normalise.h"

namespace smcl::batch::testing {

constexpr int kSize = 32;
constexpr int kPadding = 4;
constexpr std::size_t kValues = kSize * kSize * 3;

inline FakeDataset fakes() {
  FakeDataset set(12, kSize, kSize);
  // One white pixel on grey: what every detector must find.
  set.dots[0] = {20, 9};
  set.dots[1] = {14, 17};
  return set;
}

inline ExecutorSettings settings() {
  ExecutorSettings s;
  s.mask.detector = "joint";
  return s;
}

/// Images 0, 1, 2: centred; up, left and flipped; down and right. All masked, keep 0.75.
inline plan::StepPlan masked_plan() {
  plan::StepPlan plan;
  plan.masked = true;
  plan.images = {draw_at(0, 4, 4, false, kPadding), draw_at(1, 6, 7, true, kPadding),
                 draw_at(2, 1, 0, false, kPadding)};
  plan.masks.assign(3, {});
  for (std::size_t i = 0; i < 3; ++i) {
    plan.masks[i].on = true;
    plan.masks[i].keep = 0.75;
    plan.masks[i].noise = 1000 + i;
    plan.masks[i].other = static_cast<std::uint32_t>(9 + i);
    plan.masks[i].place_y = 0x40000000;
    plan.masks[i].place_x = 0xC0000000;
  }
  return plan;
}

inline Batch executed(const ExecutorSettings& s, const FakeDataset& set,
                      const plan::StepPlan& plan) {
  Executor executor(s, set);
  Batch batch;
  executor.execute(plan, batch);
  return batch;
}

inline std::vector<float> floats(const Batch& batch, int block, std::size_t i) {
  std::vector<float> out(kValues);
  const std::size_t at = static_cast<std::size_t>(block * batch.count) + i;
  std::memcpy(out.data(), batch.pixels.data() + at * kValues * 4, kValues * 4);
  return out;
}

/// The augmented bytes of an image (augment is tested against naive steps of its own).
inline std::vector<std::uint8_t> bytes(const FakeDataset& set, const plan::ImageDraw& draw) {
  std::vector<std::uint8_t> scratch, out(kValues);
  augment(set.image(draw.index, 0, scratch), plan::resolve(draw, kPadding), kPadding, out.data());
  return out;
}

inline std::vector<float> normal(const std::vector<std::uint8_t>& pixels) {
  std::vector<float> out(pixels.size());
  Normaliser({}, Precision::fp32)
      .write(pixels.data(), pixels.size() / 3, reinterpret_cast<std::byte*>(out.data()));
  return out;
}

inline std::vector<float> zeroed(std::vector<float> values, const Box& box) {
  for (int y = box.y0; y < box.y1; ++y) {
    for (int x = box.x0 * 3; x < box.x1 * 3; ++x) {
      values[static_cast<std::size_t>(y * kSize * 3 + x)] = 0.0F;
    }
  }
  return values;
}

}  // namespace smcl::batch::testing
