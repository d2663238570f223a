#include "plan/planner.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "plan/check.h"
#include "plan/strong.h"
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

/// Label weight of an image that keeps share l, where its class has `own` images and its partner's
/// `other` (Remix, Chou et al. 2020).
double remixed(double own, double other, double l, const MixSettings& mix) {
  if (own / other >= mix.kappa && l < mix.tau) return 0.0;
  if (other / own >= mix.kappa && 1.0 - l < mix.tau) return 1.0;
  return l;
}

}  // namespace

struct Planner::State {
  State(std::vector<std::uint32_t> positions, std::vector<std::int32_t> classes,
        std::vector<int> class_counts, const PlannerSettings& settings)
      : samples(std::move(positions)),
        labels(std::move(classes)),
        counts(std::move(class_counts)),
        target_probabilities(probabilities(settings.target, counts)),
        target_classes(target_probabilities),
        resampled_classes(sampling::class_probabilities(
            counts, sampling::Kind::effective, sampling::Unit::sample, settings.resample_b)),
        of_class(counts.size()) {
    for (std::uint32_t i = 0; i < samples.size(); ++i) {
      of_class[static_cast<std::size_t>(labels[i])].push_back(i);
    }
  }

  /// Which samples an epoch shows, one after the other: each once, or drawn by class.
  Order draw_order(std::uint64_t seed, std::uint32_t epoch, bool resampled) const {
    const auto size = static_cast<std::uint32_t>(samples.size());
    if (!resampled) return sampling::epoch_order(seed, epoch, size);
    Order order;
    for (std::uint32_t slot = 0; slot < size; ++slot) {
      order.push_back(draw_of_class(
          draw_class(resampled_classes, RandomStream(seed, Purpose::resample_class, epoch, slot)),
          RandomStream(seed, Purpose::resample_image, epoch, slot)));
    }
    return order;
  }

  std::shared_ptr<const Order> order(std::uint64_t seed, std::uint32_t epoch, bool resampled) {
    const std::lock_guard lock(mutex);
    if (!cached || cached_epoch != epoch) {
      cached = std::make_shared<const Order>(draw_order(seed, epoch, resampled));
      cached_epoch = epoch;
    }
    return cached;
  }

  static std::uint32_t draw_class(const sampling::AliasTable& classes, RandomStream random) {
    const std::uint32_t place = random.next();
    return classes.draw(place, random.next());
  }

  /// A sample of that class.
  std::uint32_t draw_of_class(std::uint32_t label, RandomStream random) const {
    const Order& choices = of_class[label];
    return choices[random.below(static_cast<std::uint32_t>(choices.size()))];
  }

  const std::vector<std::uint32_t> samples;
  const std::vector<std::int32_t> labels;
  const std::vector<int> counts;
  const std::vector<double> target_probabilities;
  const sampling::AliasTable target_classes;
  const sampling::AliasTable resampled_classes;
  std::vector<Order> of_class;  // places in `samples`

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
  state_ = std::make_unique<State>(std::move(samples), labels, count_classes(labels, classes),
                                   settings_);
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
  const bool resampled = settings_.resample_from >= 0 && epoch >= settings_.resample_from;
  const auto order = state_->order(settings_.seed, number, resampled);
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
                   resampled ? RandomStream(settings_.seed, Purpose::resample_augment, number, i)
                             : RandomStream(settings_.seed, Purpose::augment, number, index)));
    if (!is_strong(settings_.augment, false)) continue;
    const Role role = resampled ? Role::resampled : Role::ordinary;
    plan.image_strong.push_back(draw_strong(settings_.augment, settings_.seed, number,
                                            static_cast<std::uint64_t>(role),
                                            resampled ? i : index));
  }
  draw_masks(plan, *order, first);
  draw_targets(plan, first);
  draw_views(plan, first);
  draw_mixes(plan, *order, first);
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
    const std::uint32_t target = draw_target_class(epoch, slot);
    plan.target_classes.push_back(static_cast<std::int32_t>(target));
    if (!images) continue;
    plan.targets.push_back(draw_target_image(target, epoch, slot));
    if (further_strong()) plan.target_strong.push_back(draw_target_strong(epoch, slot));
  }
}

std::uint32_t Planner::draw_target_class(std::uint32_t epoch, std::uint64_t slot) const {
  return State::draw_class(state_->target_classes,
                           RandomStream(settings_.seed, Purpose::target_class, epoch, slot));
}

ImageDraw Planner::draw_target_image(std::uint32_t target, std::uint32_t epoch,
                                     std::uint64_t slot) const {
  const std::uint32_t sample = state_->draw_of_class(
      target, RandomStream(settings_.seed, Purpose::target_sample, epoch, slot));
  return draw_image(state_->samples[sample], settings_.augment.flip,
                    RandomStream(settings_.seed, Purpose::target_augment, epoch, slot));
}

bool Planner::further_strong() const {
  return is_strong(settings_.augment, true);
}

StrongDraw Planner::draw_target_strong(std::uint32_t epoch, std::uint64_t slot) const {
  return draw_strong(settings_.augment, settings_.seed, epoch,
                     static_cast<std::uint64_t>(Role::target), slot);
}

void Planner::draw_views(StepPlan& plan, std::size_t first) const {
  const auto epoch = static_cast<std::uint32_t>(plan.epoch);
  for (std::uint64_t view = 0; view < static_cast<std::uint64_t>(settings_.views); ++view) {
    for (std::size_t i = 0; i < plan.images.size(); ++i) {
      const std::uint64_t number = (first + i) * kMostViews + view;
      plan.targets.push_back(
          draw_image(plan.images[i].index, settings_.augment.flip,
                     RandomStream(settings_.seed, Purpose::view_augment, epoch, number)));
      if (!further_strong()) continue;
      plan.target_strong.push_back(draw_strong(settings_.augment, settings_.seed, epoch,
                                               static_cast<std::uint64_t>(Role::view) + view,
                                               first + i));
    }
  }
}

void Planner::draw_mixes(StepPlan& plan, const std::vector<std::uint32_t>& order,
                         std::size_t first) const {
  const MixSettings& mix = settings_.mix;
  if (settings_.mixing.kind == MixKind::none || mix.prob == 0.0 ||
      plan.epoch < mix.start.epoch(settings_.epochs) ||
      plan.epoch >= mix.stop.epoch(settings_.epochs)) {
    return;
  }
  const auto epoch = static_cast<std::uint32_t>(plan.epoch);
  const auto step = static_cast<std::uint64_t>(plan.step);
  const auto random = [&](Purpose purpose, std::uint64_t index) {
    return RandomStream(settings_.seed, purpose, epoch, index);
  };
  const std::size_t count = plan.images.size();
  Order others;
  if (!settings_.mixing.with_targets) {
    others =
        sampling::shuffled(static_cast<std::uint32_t>(count), random(Purpose::mix_partner, step));
  }
  std::vector<MixDraw> mixes(count);
  std::vector<StrongDraw> strong;
  std::vector<std::int32_t> classes(count);
  for (std::size_t i = 0; i < count; ++i) {
    MixDraw& draw = mixes[i];
    const std::uint64_t slot = first + i;
    const std::uint64_t unit = mix.draw == DrawUnit::batch ? step : slot;
    draw.on = random(Purpose::mix_coin, unit).unit() < mix.prob;
    plan.masked = plan.masked || draw.on;
    draw.keep = random(Purpose::mix_share, unit).beta(mix.alpha, mix.alpha);
    RandomStream place = random(Purpose::mix_place, unit);
    draw.place_y = place.next();
    draw.place_x = place.next();
    if (settings_.mixing.with_targets) {
      const std::uint32_t target = draw_target_class(epoch, slot);
      classes[i] = static_cast<std::int32_t>(target);
      draw.partner = draw_target_image(target, epoch, slot);
      if (further_strong()) strong.push_back(draw_target_strong(epoch, slot));
    } else {
      classes[i] = state_->labels[order[first + others[i]]];
      draw.partner = plan.images[others[i]];
      if (!plan.image_strong.empty()) strong.push_back(plan.image_strong[others[i]]);
    }
    draw.own = draw.keep;
    if (settings_.mixing.favours_rare) {
      const auto images = [&](std::int32_t label) {
        return static_cast<double>(state_->counts[static_cast<std::size_t>(label)]);
      };
      draw.own = remixed(images(state_->labels[order[slot]]), images(classes[i]), draw.keep, mix);
    }
  }
  if (!plan.masked) return;
  plan.mixes = std::move(mixes);
  plan.partner_strong = std::move(strong);
  plan.target_classes = std::move(classes);
}

}  // namespace smcl::plan
