#include "plan/planner.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/error.h"
#include "core/random.h"
#include "plan/check.h"
#include "sampling/class_distribution.h"

namespace smcl::plan {
namespace {

using Order = std::vector<std::uint32_t>;

std::vector<int> count_classes(const std::vector<std::int32_t>& labels, int classes) {
  std::vector<int> counts(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw DataError(concat("label ", labels[i], " of training sample ", i, " lies outside the ",
                             classes, " classes"));
    }
    ++counts[static_cast<std::size_t>(labels[i])];
  }
  return counts;
}

std::vector<double> probabilities(const TargetSettings& target, const std::vector<int>& counts) {
  const auto& [name, args] = target.distribution;
  const auto unit = target.unit_sample ? sampling::Unit::sample : sampling::Unit::class_;
  const auto kind = name == "effective"      ? sampling::Kind::effective
                    : name == "inverse"      ? sampling::Kind::inverse
                    : name == "sqrt_inverse" ? sampling::Kind::sqrt_inverse
                                             : sampling::Kind::uniform;
  return sampling::class_probabilities(counts, kind, unit, args.empty() ? 0.0 : args[0]);
}

/// 1 - area, so that taking it from 1 again does not fall below the area: a side that is meant to
/// be whole, as 30 * sqrt(0.09), must not lose a pixel to rounding.
double kept(double area) {
  const double keep = 1.0 - area;
  return 1.0 - keep < area ? std::nextafter(keep, 0.0) : keep;
}

double draw_keep(const config::Call& area, RandomStream random) {
  if (area.name == "beta") return random.beta(area.args[0], area.args[1]);
  if (area.name == "fixed") return kept(area.args[0]);
  return kept(area.args[0] + (area.args[1] - area.args[0]) * random.unit());
}

ImageDraw draw_image(std::uint32_t index, bool flip, RandomStream random) {
  ImageDraw draw{index, random.next(), random.next(), false};
  draw.flip = flip && (random.next() >> 31) != 0;
  return draw;
}

}  // namespace

struct Planner::State {
  State(std::vector<std::uint32_t> positions, const std::vector<std::int32_t>& labels,
        const std::vector<int>& counts, std::vector<double> target_shares)
      : samples(std::move(positions)),
        target_probabilities(std::move(target_shares)),
        target_classes(target_probabilities),
        of_class(counts.size()) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      of_class[static_cast<std::size_t>(labels[i])].push_back(samples[i]);
    }
  }

  std::shared_ptr<const Order> order(std::uint64_t seed, std::uint32_t epoch) {
    const std::lock_guard lock(mutex);
    if (!cached || cached_epoch != epoch) {
      cached = std::make_shared<const Order>(
          sampling::epoch_order(seed, epoch, static_cast<std::uint32_t>(samples.size())));
      cached_epoch = epoch;
    }
    return cached;
  }

  const std::vector<std::uint32_t> samples;
  const std::vector<double> target_probabilities;
  const sampling::AliasTable target_classes;
  std::vector<std::vector<std::uint32_t>> of_class;  // positions in the data set

  std::mutex mutex;
  std::shared_ptr<const Order> cached;  // of cached_epoch
  std::uint32_t cached_epoch = 0;
};

Planner::Planner(PlannerSettings settings, std::vector<std::uint32_t> samples,
                 const std::vector<std::int32_t>& labels, int classes)
    : settings_(std::move(settings)) {
  check_settings(settings_);
  if (samples.empty()) {
    throw DataError("there are no training samples; check the split of the data");
  }
  if (samples.size() != labels.size()) {
    throw DataError(concat("there are ", samples.size(), " training samples but ", labels.size(),
                           " labels; expected one label a sample"));
  }
  if (classes < 1) throw DataError(concat("there are ", classes, " classes; expected at least 1"));
  const std::vector<int> counts = count_classes(labels, classes);
  state_ = std::make_unique<State>(std::move(samples), labels, counts,
                                   probabilities(settings_.target, counts));
}

Planner::~Planner() = default;

int Planner::steps_per_epoch() const {
  const auto batch = static_cast<std::size_t>(settings_.batch_size);
  return static_cast<int>((state_->samples.size() + batch - 1) / batch);
}

int Planner::mask_start_epoch() const {
  return settings_.mask.start.epoch(settings_.epochs);
}

const std::vector<double>& Planner::target_probabilities() const {
  return state_->target_probabilities;
}

StepPlan Planner::plan(int epoch, int step) const {
  if (epoch < 0 || epoch >= settings_.epochs || step < 0 || step >= steps_per_epoch()) {
    throw InternalError(concat("no step ", step, " of epoch ", epoch, ": the run has ",
                               settings_.epochs, " epochs of ", steps_per_epoch(), " steps"));
  }
  const auto number = static_cast<std::uint32_t>(epoch);
  const auto order = state_->order(settings_.seed, number);
  const auto batch = static_cast<std::size_t>(settings_.batch_size);
  const std::size_t first = static_cast<std::size_t>(step) * batch;
  const std::size_t count = std::min(batch, state_->samples.size() - first);

  StepPlan plan;
  plan.seed = settings_.seed;
  plan.epoch = epoch;
  plan.step = step;
  for (std::size_t i = first; i < first + count; ++i) {
    const std::uint32_t index = state_->samples[(*order)[i]];
    plan.images.push_back(
        draw_image(index, settings_.augment.flip,
                   RandomStream(settings_.seed, Purpose::augment, number, index)));
  }
  draw_masks(plan, *order, first);
  draw_targets(plan, first);
  return plan;
}

void Planner::draw_masks(StepPlan& plan, const std::vector<std::uint32_t>& order,
                         std::size_t first) const {
  const MaskSettings& mask = settings_.mask;
  if (plan.epoch < mask_start_epoch() || (mask.prob == 0.0 && mask.cutout_prob == 0.0)) return;
  const auto random = [&](Purpose purpose, std::uint64_t index) {
    return RandomStream(settings_.seed, purpose, static_cast<std::uint32_t>(plan.epoch), index);
  };
  const auto step = static_cast<std::uint64_t>(plan.step);
  const auto others = static_cast<std::uint32_t>(order.size() - 1);
  bool any = false;
  std::vector<MaskDraw> masks(plan.images.size());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    MaskDraw& draw = masks[i];
    const std::uint64_t slot = first + i;
    const std::uint64_t unit = mask.draw == DrawUnit::batch ? step : slot;
    draw.on = random(Purpose::mask_coin, unit).unit() < mask.prob;
    draw.cutout = !draw.on && random(Purpose::cutout_coin, slot).unit() < mask.cutout_prob;
    plan.masked = plan.masked || draw.on;
    any = any || draw.on || draw.cutout;
    draw.keep = draw_keep(mask.area, random(Purpose::mask_area, unit));
    RandomStream place = random(Purpose::mask_place, slot);
    draw.place_y = place.next();
    draw.place_x = place.next();
    RandomStream fill = random(Purpose::mask_fill, slot);
    draw.noise = fill.next64();
    draw.other = plan.images[i].index;
    if (others > 0) {
      // Any of the others: the own place in the order of samples is left out.
      const std::uint32_t pick = fill.below(others);
      draw.other = state_->samples[pick + (pick >= order[slot] ? 1 : 0)];
    }
  }
  if (any) plan.masks = std::move(masks);
}

void Planner::draw_targets(StepPlan& plan, std::size_t first) const {
  const int start = mask_start_epoch();
  const bool warm_up = plan.epoch < start && plan.epoch >= start - settings_.contrast_warm_up;
  const bool images =
      settings_.target_images == TargetImages::always ||
      (settings_.target_images == TargetImages::masked_steps && (plan.masked || warm_up));
  if (!images && !settings_.target_classes) return;
  const auto epoch = static_cast<std::uint32_t>(plan.epoch);
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    const std::uint64_t slot = first + i;
    RandomStream random(settings_.seed, Purpose::target_class, epoch, slot);
    const std::uint32_t place = random.next();
    const std::uint32_t target = state_->target_classes.draw(place, random.next());
    plan.target_classes.push_back(static_cast<std::int32_t>(target));
    if (!images) continue;
    const std::vector<std::uint32_t>& choices = state_->of_class[target];
    RandomStream pick(settings_.seed, Purpose::target_sample, epoch, slot);
    plan.targets.push_back(draw_image(
        choices[pick.below(static_cast<std::uint32_t>(choices.size()))], settings_.augment.flip,
        RandomStream(settings_.seed, Purpose::target_augment, epoch, slot)));
  }
}

}  // namespace smcl::plan
