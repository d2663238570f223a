#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "batch/batch.h"
#include "core/random.h"
#include "data/dataset.h"
#include "plan/step_plan.h"
#include "plan/strong.h"

/// Images, settings and step plans for holding another way of making batches to batch::Executor.
namespace smcl::kernels::testing {

/// Pictures of seven sorts in turn: noise, smooth colours, bright tiles (whose sums OpenCV rounds
/// at 256x256), one dot on grey, flat, halves, stripes. Every second has a true object.
inline std::vector<std::uint8_t> picture(std::size_t index, int height, int width) {
  RandomStream random(7, Purpose::test, 0, index);
  std::array<double, 12> wave{};
  for (double& w : wave) w = random.unit();
  const int dot_y = static_cast<int>(random.below(static_cast<std::uint32_t>(height)));
  const int dot_x = static_cast<int>(random.below(static_cast<std::uint32_t>(width)));
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        double value = 0.0;
        switch (index % 7) {
          case 0:
            value = 255.0 * random.unit();
            break;
          case 1: {
            const double down = static_cast<double>(y) / height - wave[4 * c];
            const double right = static_cast<double>(x) / width - wave[4 * c + 1];
            value = 255.0 / (1.0 + 20.0 * (down * down + right * right)) + 6.0 * random.unit();
            break;
          }
          case 2: {
            const int tile = 17 * (y / 5) + 29 * (x / 5);
            const double turns = wave[c] * tile;
            value = 195.0 + 60.0 * (turns - std::floor(turns));
            break;
          }
          case 3:
            value = y == dot_y && x == dot_x ? 255.0 : 100.0;
            break;
          case 4:
            value = 80.0;
            break;
          case 5:
            value = y < dot_y ? 20.0 * static_cast<double>(c) : 200.0;
            break;
          default:
            value = (x / 3) % 2 == 0 ? 250.0 * wave[c] : 30.0 * random.unit();
        }
        bytes.push_back(static_cast<std::uint8_t>(value < 255.0 ? value : 255.0));
      }
    }
  }
  return bytes;
}

class Pictures : public data::Dataset {
 public:
  Pictures(std::size_t count, int height, int width) : height_(height), width_(width) {
    for (std::size_t i = 0; i < count; ++i) pictures_.push_back(picture(i, height, width));
  }
  std::size_t size() const override { return pictures_.size(); }
  int classes() const override { return 5; }
  std::int32_t label(std::size_t index) const override {
    return static_cast<std::int32_t>(index % 5);
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  ImageView image(std::size_t index, int, std::vector<std::uint8_t>&) const override {
    return {pictures_[index].data(), height_, width_, 3, std::ptrdiff_t{3} * width_};
  }
  std::optional<Box> object_box(std::size_t index, int epoch) const override {
    if (index % 2 == 1) return std::nullopt;
    RandomStream random(8, Purpose::test, static_cast<std::uint32_t>(epoch), index);
    const int y = static_cast<int>(random.below(static_cast<std::uint32_t>(height_)));
    const int x = static_cast<int>(random.below(static_cast<std::uint32_t>(width_)));
    return Box{y, x, std::min(height_, y + 1 + height_ / 2), std::min(width_, x + 1 + width_ / 3)};
  }

 private:
  int height_;
  int width_;
  std::vector<std::vector<std::uint8_t>> pictures_;
  std::vector<std::string> names_{"a", "b", "c", "d", "e"};
};

template <class Value, std::size_t kCount>
Value one_of(RandomStream& random, const std::array<Value, kCount>& values) {
  return values[random.below(static_cast<std::uint32_t>(kCount))];
}

/// Any settings that the executor takes for images of that size.
inline batch::ExecutorSettings any_settings(std::uint64_t seed, int height, int width) {
  using namespace plan;
  RandomStream random(9, Purpose::test, 0, seed);
  const auto most = static_cast<std::uint32_t>(std::min({height, width, 12}));
  batch::ExecutorSettings s;
  s.augment.crop_padding = static_cast<int>(random.below(most));
  const std::array kinds{MaskKind::saliency, MaskKind::saliency, MaskKind::saliency,
                         MaskKind::random,   MaskKind::centre,   MaskKind::none,
                         MaskKind::oracle};
  s.mask.kind = one_of(random, kinds);
  const std::array<const char*, 6> detectors{"fine_grained", "fine_grained", "fine_grained",
                                             "joint",        "random",       "centre"};
  s.mask.detector = one_of(random, detectors);
  s.mask.on = one_of(random, std::array{SaliencyOn::visible, SaliencyOn::original,
                                        SaliencyOn::reflect, SaliencyOn::padded});
  s.mask.border = one_of(random, std::array{Border::clip, Border::shift});
  s.mask.fill = one_of(random, std::array{Fill::mean, Fill::noise, Fill::blur, Fill::other});
  s.mask.plain = one_of(random, std::array{Plain::replace, Plain::add});
  s.lambda.rule = one_of(
      random, std::array{LambdaRule::area, LambdaRule::constant, LambdaRule::removed_saliency});
  s.lambda.constant = random.unit();
  s.precision = one_of(random, std::array{batch::Precision::fp32, batch::Precision::bf16});
  return s;
}

/// Settings of a method that mixes images.
inline batch::ExecutorSettings any_mixing(std::uint64_t seed, int height, int width) {
  batch::ExecutorSettings s = any_settings(seed, height, width);
  s.mix =
      std::array{plan::MixKind::blend, plan::MixKind::paste, plan::MixKind::paste_peak}[seed % 3];
  s.mask.plain = plan::Plain::replace;
  return s;
}

/// The same, or the same of a method that mixes, with stronger augmentations of all sorts.
inline batch::ExecutorSettings any_augmenting(std::uint64_t seed, int height, int width) {
  using namespace plan;
  batch::ExecutorSettings s =
      seed % 3 == 0 ? any_mixing(seed / 3, height, width) : any_settings(seed, height, width);
  RandomStream random(12, Purpose::test, 0, seed);
  AugmentSettings& a = s.augment;
  if (random.below(3) == 0) a.resized_crop = {"range", {0.05, 1.0}};
  a.policy_on = one_of(random, std::array{On::all, On::all, On::ordinary, On::further});
  a.policy = one_of(random, std::array{Policy::none, Policy::autoaugment, Policy::randaugment});
  a.rand_ops = 1 + static_cast<int>(random.below(kMostPolicyOps));
  a.rand_magnitude = static_cast<int>(random.below(31));
  a.cutout = static_cast<int>(random.below(static_cast<std::uint32_t>(std::min(height, width))));
  a.cutout_prob = 0.5;
  a.colour = one_of(random, std::array{0.0, 0.8});
  a.hue = one_of(random, std::array{0.0, 0.5});
  a.grey = one_of(random, std::array{0.0, 0.3});
  a.blur = one_of(random, std::array{0.0, 0.5});
  a.blur_sigma = {"range", {0.1, one_of(random, std::array{2.0, 30.0})}};
  const bool sees_moved = a.resized_crop.name != "off" || a.policy != Policy::none;
  if (s.mask.on == SaliencyOn::reflect || (s.mask.on == SaliencyOn::original && sees_moved)) {
    s.mask.on = one_of(random, std::array{SaliencyOn::visible, SaliencyOn::padded});
  }
  return s;
}

inline plan::ImageDraw any_draw(RandomStream& random, const data::Dataset& set) {
  return {random.below(static_cast<std::uint32_t>(set.size())), random.next(), random.next(),
          random.below(2) == 1};
}

/// A step of `count` images: masked in two of three, with target classes in two of three and target
/// images in one.
inline plan::StepPlan any_plan(std::uint64_t seed, std::size_t count, const data::Dataset& set) {
  RandomStream random(10, Purpose::test, 0, seed);
  plan::StepPlan plan;
  plan.epoch = static_cast<int>(random.below(5));
  plan.masked = seed % 3 != 0;
  const bool cutouts = plan.masked || random.below(2) == 1;
  const std::uint64_t targets = random.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    plan.images.push_back(any_draw(random, set));
    if (targets > 0) plan.target_classes.push_back(static_cast<std::int32_t>(random.below(5)));
    if (targets == 2) plan.targets.push_back(any_draw(random, set));
    // Every second such step has a further block of views.
    if (targets == 2 && seed % 2 == 0) plan.targets.push_back(any_draw(random, set));
    if (!cutouts) continue;
    plan::MaskDraw draw;
    draw.on = plan.masked && random.below(4) != 0;
    draw.cutout = !draw.on && random.below(2) == 1;
    const std::uint32_t extreme = random.below(8);
    draw.keep = extreme < 2 ? extreme : random.unit();
    draw.place_y = random.next();
    draw.place_x = random.next();
    draw.other = random.below(static_cast<std::uint32_t>(set.size()));
    draw.noise = random.next64();
    plan.masks.push_back(draw);
  }
  return plan;
}

/// The same step with partners in place of masks.
inline plan::StepPlan any_mixed_plan(std::uint64_t seed, std::size_t count,
                                     const data::Dataset& set) {
  RandomStream random(11, Purpose::test, 0, seed);
  plan::StepPlan plan = any_plan(seed, count, set);
  plan.masks.clear();
  plan.mixes.clear();
  plan.masked = true;
  plan.target_classes.assign(count, static_cast<std::int32_t>(random.below(5)));
  for (std::size_t i = 0; i < count; ++i) {
    plan::MixDraw draw;
    draw.on = random.below(4) != 0;
    draw.partner = any_draw(random, set);
    const std::uint32_t extreme = random.below(8);
    draw.keep = extreme < 2 ? extreme : random.unit();
    draw.own = random.below(4) == 0 ? 1.0 : random.unit();
    draw.place_y = random.next();
    draw.place_x = random.next();
    plan.mixes.push_back(draw);
  }
  return plan;
}

/// A step for these settings, with stronger augmentations where they have any.
inline plan::StepPlan any_step(const batch::ExecutorSettings& settings, std::uint64_t seed,
                               std::size_t count, const data::Dataset& set) {
  plan::StepPlan plan = settings.mix == plan::MixKind::none ? any_plan(seed, count, set)
                                                            : any_mixed_plan(seed, count, set);
  if (!plan::is_strong(settings.augment, false) && !plan::is_strong(settings.augment, true)) {
    return plan;
  }
  const auto draws = [&](std::uint64_t role, std::size_t size) {
    std::vector<plan::StrongDraw> out;
    for (std::size_t i = 0; i < size; ++i) {
      out.push_back(plan::draw_strong(settings.augment, seed, 0, role, i));
    }
    return out;
  };
  plan.image_strong = draws(0, count);
  // Partners and targets may be as they are, where augment.*_on says so.
  if (seed % 5 != 0) plan.partner_strong = draws(1, plan.mixes.size());
  if (seed % 4 != 0) plan.target_strong = draws(2, plan.targets.size());
  return plan;
}

inline std::string described(const batch::ExecutorSettings& s) {
  return "padding " + std::to_string(s.augment.crop_padding) + ", kind " +
         std::to_string(static_cast<int>(s.mask.kind)) + ", " + s.mask.detector + ", on " +
         std::to_string(static_cast<int>(s.mask.on)) + ", border " +
         std::to_string(static_cast<int>(s.mask.border)) + ", fill " +
         std::to_string(static_cast<int>(s.mask.fill)) + ", plain " +
         std::to_string(static_cast<int>(s.mask.plain)) + ", lambda " +
         std::to_string(static_cast<int>(s.lambda.rule)) + ", mix " +
         std::to_string(static_cast<int>(s.mix)) + ", policy " +
         std::to_string(static_cast<int>(s.augment.policy)) + ", " + s.augment.resized_crop.name +
         ", cutout " + std::to_string(s.augment.cutout) + ", precision " +
         std::to_string(static_cast<int>(s.precision));
}

template <class Value>
bool same_bits(const std::vector<Value>& a, const std::vector<Value>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Value)) == 0);
}

inline void expect_same(const batch::Batch& expected, const batch::Batch& got) {
  EXPECT_EQ(expected.count, got.count);
  EXPECT_EQ(expected.height, got.height);
  EXPECT_EQ(expected.width, got.width);
  EXPECT_EQ(expected.precision, got.precision);
  EXPECT_EQ(expected.masked, got.masked);
  EXPECT_EQ(expected.has_plain, got.has_plain);
  EXPECT_EQ(expected.target_blocks, got.target_blocks);
  EXPECT_EQ(expected.labels, got.labels);
  EXPECT_EQ(expected.target_labels, got.target_labels);
  EXPECT_TRUE(same_bits(expected.lambda, got.lambda));
  EXPECT_TRUE(same_bits(expected.contrast_lambda, got.contrast_lambda));
  EXPECT_EQ(expected.is_masked, got.is_masked);
  EXPECT_TRUE(expected.peaks == got.peaks);
  EXPECT_TRUE(expected.boxes == got.boxes);
  EXPECT_EQ(expected.samples, got.samples);
  ASSERT_EQ(expected.pixels.size(), got.pixels.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < got.pixels.size(); ++i) {
    differing += expected.pixels[i] != got.pixels[i] ? 1 : 0;
  }
  EXPECT_EQ(differing, 0U) << "bytes of " << got.pixels.size();
}

}  // namespace smcl::kernels::testing
