#include "experiment/masked_images.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "plan/planner.h"
#include "sampling/class_distribution.h"

namespace smcl::experiment {
namespace {

constexpr int kStep = 256;

/// The planner of a step in which every image is masked, on `samples` of `set`.
plan::Planner planner_of(const Recipe& recipe, const data::Dataset& set,
                         const std::vector<std::uint32_t>& samples, bool augmented,
                         std::uint64_t seed) {
  plan::PlannerSettings settings;
  settings.seed = seed;
  settings.epochs = 1;
  settings.batch_size = kStep;
  settings.augment = augmented
                         ? plan::AugmentSettings{recipe.augment.crop_padding, recipe.augment.flip}
                         : plan::AugmentSettings{0, false};
  settings.mask = recipe.mask;
  settings.mask.prob = 1.0;
  settings.mask.cutout_prob = 0.0;
  settings.mask.start = {0.0, true};
  settings.mask.draw = plan::DrawUnit::image;
  settings.target = recipe.target;
  std::vector<std::int32_t> labels;
  for (const std::uint32_t sample : samples) labels.push_back(set.label(sample));
  return {settings, samples, labels, set.classes()};
}

/// Probability of each class as a target, by the counts of all training images.
std::vector<double> target_probabilities(const Recipe& recipe, const data::Opened& data) {
  return planner_of(recipe, *data.train, data.train_samples, true, 0).target_probabilities();
}

std::vector<double> class_weights(Spread spread, const Recipe& recipe, const data::Opened& data) {
  if (spread == Spread::target) return target_probabilities(recipe, data);
  std::vector<double> weights;
  for (const int count : data.train_counts) {
    weights.push_back(spread == Spread::balanced ? 1.0 : static_cast<double>(count));
  }
  return weights;
}

/// The samples themselves, class by class; classes without any get none.
std::vector<std::uint32_t> choose(const data::Dataset& set,
                                  const std::vector<std::uint32_t>& samples,
                                  std::vector<double> weights, const MaskedDraw& draw) {
  std::vector<std::vector<std::uint32_t>> by_class(weights.size());
  for (const std::uint32_t sample : samples) {
    by_class[static_cast<std::size_t>(set.label(sample))].push_back(sample);
  }
  for (std::size_t c = 0; c < weights.size(); ++c) {
    if (by_class[c].empty()) weights[c] = 0.0;
  }
  const std::vector<int> quota = quotas(weights, draw.count);
  std::vector<std::uint32_t> chosen;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const auto size = static_cast<std::uint32_t>(by_class[c].size());
    if (size == 0) continue;
    const auto order =
        sampling::shuffled(size, RandomStream(draw.seed, Purpose::resample_image, 0, c));
    for (int i = 0; i < quota[c]; ++i) {
      chosen.push_back(by_class[c][order[static_cast<std::uint32_t>(i) % size]]);
    }
  }
  return chosen;
}

/// A repeated image gets a crop and a flip of its own.
void vary_repeats(MaskedImages& drawn, bool flip, std::uint64_t seed) {
  std::map<std::uint32_t, std::uint32_t> times;
  for (plan::ImageDraw& image : drawn.images) {
    const std::uint32_t repeat = times[image.index]++;
    if (repeat == 0) continue;
    RandomStream random(seed, Purpose::augment, repeat, image.index);
    image.crop_y = random.next();
    image.crop_x = random.next();
    image.flip = flip && (random.next() >> 31) != 0;
  }
}

}  // namespace

std::vector<int> quotas(const std::vector<double>& weights, int count) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(all > 0.0))
    throw DataError("there are no images to draw from; check the split of the data");
  std::vector<int> result;
  std::vector<std::pair<double, std::size_t>> left;  // minus the fraction, class
  int given = 0;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const double share = count * (weights[c] / all);
    result.push_back(static_cast<int>(std::floor(share)));
    given += result.back();
    if (weights[c] > 0.0) left.emplace_back(std::floor(share) - share, c);
  }
  std::sort(left.begin(), left.end());
  for (std::size_t i = 0; given < count; ++i, ++given) ++result[left[i % left.size()].second];
  return result;
}

void MaskedImages::make(std::size_t begin, std::size_t end, batch::Precision precision,
                        batch::Batch& out) const {
  const auto part = [&](const auto& all) {
    return std::remove_cvref_t<decltype(all)>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                              all.begin() + static_cast<std::ptrdiff_t>(end));
  };
  plan::StepPlan plan;
  plan.masked = true;
  plan.images = part(images);
  plan.masks = part(masks);
  batch::ExecutorSettings settings = executor;
  settings.precision = precision;
  batch::Executor(settings, *set).execute(plan, out);
}

MaskedImages draw_masked(const Recipe& recipe, const data::Opened& data, const data::Dataset& set,
                         const std::vector<std::uint32_t>& samples, bool augmented,
                         const MaskedDraw& draw) {
  if (recipe.mask.kind == plan::MaskKind::none) {
    throw UsageError("mask.kind = none hides nothing; masked images need another kind");
  }
  const auto chosen = choose(set, samples, class_weights(draw.spread, recipe, data), draw);
  const plan::Planner planner = planner_of(recipe, set, chosen, augmented, draw.seed);
  const std::vector<double> probabilities = target_probabilities(recipe, data);
  const sampling::AliasTable targets{probabilities};
  MaskedImages drawn;
  drawn.set = &set;
  drawn.executor = recipe.executor_settings(data.normalisation);
  drawn.executor.augment = planner.settings().augment;
  drawn.executor.mask = planner.settings().mask;
  drawn.executor.mask.plain = plan::Plain::add;
  drawn.executor.mix = plan::MixKind::none;
  drawn.executor.lambda = {};
  for (int step = 0; step < planner.steps_per_epoch(); ++step) {
    const plan::StepPlan plan = planner.plan(0, step);
    drawn.images.insert(drawn.images.end(), plan.images.begin(), plan.images.end());
    drawn.masks.insert(drawn.masks.end(), plan.masks.begin(), plan.masks.end());
  }
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    RandomStream random(draw.seed, Purpose::target_class, 0, i);
    const std::uint32_t place = random.next();
    drawn.targets.push_back(static_cast<std::int32_t>(targets.draw(place, random.next())));
  }
  vary_repeats(drawn, planner.settings().augment.flip, draw.seed);
  return drawn;
}

}  // namespace smcl::experiment
