#include "plan/strong.h"

#include <cmath>
#include <utility>

#include "core/random.h"
#include "plan/policy.h"

namespace smcl::plan {
namespace {

bool reaches(On on, bool further) {
  return on == On::all || (on == On::further) == further;
}

double uniform(RandomStream& random, double low, double high) {
  return low + (high - low) * random.unit();
}

ResizedDraw draw_resized(const AugmentSettings& settings, RandomStream random) {
  const std::vector<double>& area = settings.resized_crop.args;
  const std::vector<double>& ratio = settings.resized_ratio.args;
  ResizedDraw draw;
  draw.place_y = random.next();
  draw.place_x = random.next();
  draw.least_ratio = static_cast<float>(ratio[0]);
  draw.most_ratio = static_cast<float>(ratio[1]);
  for (CropTry& one : draw.tries) {
    one.area = static_cast<float>(uniform(random, area[0], area[1]));
    one.ratio =
        static_cast<float>(std::exp(uniform(random, std::log(ratio[0]), std::log(ratio[1]))));
  }
  return draw;
}

void draw_autoaugment(RandomStream random, StrongDraw& draw) {
  const auto& steps = cifar10_policy()[random.below(kSubPolicies)];
  for (const PolicyStep& step : steps) {
    const bool wanted = random.unit() < step.prob;
    const bool negative = (random.next() >> 31) != 0;
    if (wanted) draw.policy[draw.policy_count++] = {step.op, step.level, kAutoLevels, negative};
  }
}

void draw_randaugment(const AugmentSettings& settings, RandomStream random, StrongDraw& draw) {
  const auto level = static_cast<std::uint8_t>(settings.rand_magnitude);
  for (int i = 0; i < settings.rand_ops; ++i) {
    const auto op = static_cast<PolicyOp>(random.below(kRandOps));
    const bool negative = (random.next() >> 31) != 0;
    draw.policy[draw.policy_count++] = {op, level, kRandLevels, negative};
  }
}

void draw_jitter(const AugmentSettings& settings, RandomStream random, StrongDraw& draw) {
  if (!(random.unit() < settings.colour)) return;
  std::array<Jitter, 4> order{Jitter::brightness, Jitter::contrast, Jitter::saturation,
                              Jitter::hue};
  for (std::uint32_t i = 3; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  const std::array<double, 4> spread{settings.brightness, settings.contrast, settings.saturation,
                                     settings.hue};
  std::array<float, 4> amount{};
  for (std::size_t i = 0; i < 4; ++i) {
    const double middle = i < 3 ? 1.0 : 0.0;
    amount[i] = static_cast<float>(uniform(random, middle - spread[i], middle + spread[i]));
  }
  for (const Jitter jitter : order) {
    const auto i = static_cast<std::size_t>(jitter);
    if (spread[i] == 0.0) continue;
    draw.jitters[draw.jitter_count] = jitter;
    draw.jitter[draw.jitter_count++] = amount[i];
  }
}

}  // namespace

bool moves_pixels(const AugmentSettings& settings, bool further) {
  return (settings.resized_crop.name == "range" && reaches(settings.crop_on, further)) ||
         (settings.policy != Policy::none && reaches(settings.policy_on, further));
}

bool is_strong(const AugmentSettings& settings, bool further) {
  const bool crop = settings.resized_crop.name == "range";
  const bool policy =
      settings.policy != Policy::none || (settings.cutout > 0 && settings.cutout_prob > 0.0);
  const bool colour = settings.colour > 0.0 || settings.grey > 0.0 || settings.blur > 0.0;
  return (crop && reaches(settings.crop_on, further)) ||
         (policy && reaches(settings.policy_on, further)) ||
         (colour && reaches(settings.colour_on, further));
}

StrongDraw draw_strong(const AugmentSettings& settings, std::uint64_t seed, std::uint32_t epoch,
                       std::uint64_t role, std::uint64_t number) {
  constexpr int kRoleBits = 4;
  const auto random = [&](Purpose purpose) {
    return RandomStream(seed, purpose, epoch, (number << kRoleBits) | role);
  };
  const bool further = role >= static_cast<std::uint64_t>(Role::target);
  StrongDraw draw;
  if (settings.resized_crop.name == "range" && reaches(settings.crop_on, further)) {
    draw.resized = true;
    draw.crop = draw_resized(settings, random(Purpose::strong_crop));
  }
  if (reaches(settings.policy_on, further)) {
    if (settings.policy == Policy::autoaugment) {
      draw_autoaugment(random(Purpose::strong_policy), draw);
    } else if (settings.policy == Policy::randaugment) {
      draw_randaugment(settings, random(Purpose::strong_policy), draw);
    }
    RandomStream square = random(Purpose::strong_cutout);
    if (settings.cutout > 0 && square.unit() < settings.cutout_prob) {
      draw.cut = static_cast<std::uint16_t>(settings.cutout);
      draw.cut_y = square.next();
      draw.cut_x = square.next();
    }
  }
  if (reaches(settings.colour_on, further)) {
    if (settings.colour > 0.0) draw_jitter(settings, random(Purpose::strong_colour), draw);
    if (settings.grey > 0.0) draw.grey = random(Purpose::strong_grey).unit() < settings.grey;
    if (settings.blur > 0.0) {
      RandomStream blur = random(Purpose::strong_blur);
      if (blur.unit() < settings.blur) {
        draw.sigma = static_cast<float>(
            uniform(blur, settings.blur_sigma.args[0], settings.blur_sigma.args[1]));
      }
    }
  }
  return draw;
}

}  // namespace smcl::plan
