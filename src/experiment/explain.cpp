#include "experiment/explain.h"

#include <algorithm>
#include <cstring>

#include "batch/augmenter.h"
#include "batch/check.h"
#include "core/error.h"
#include "experiment/explain_parts.h"
#include "experiment/shown_image.h"

namespace smcl::experiment {
namespace {

/// The recipe's planner with every image masked from the first epoch on.
plan::Planner all_masked(const Recipe& recipe, const data::Opened& data, int count) {
  std::vector<std::vector<std::uint32_t>> by_class(static_cast<std::size_t>(data.classes()));
  for (const std::uint32_t sample : data.train_samples) {
    by_class[static_cast<std::size_t>(data.train->label(sample))].push_back(sample);
  }
  const std::vector<std::uint32_t> chosen = spread(by_class, count);
  std::vector<std::int32_t> labels;
  for (const std::uint32_t sample : chosen) labels.push_back(data.train->label(sample));
  plan::PlannerSettings settings = recipe.planner_settings();
  settings.mask = recipe.mask;
  settings.mask.prob = 1.0;
  settings.mask.start = {0.0, true};
  settings.mask.draw = plan::DrawUnit::image;
  settings.batch_size = static_cast<int>(chosen.size());
  settings.target_classes = true;
  settings.target_images = plan::TargetImages::never;
  settings.mixing = {};
  settings.resample_from = -1;
  return plan::Planner(settings, chosen, labels, data.classes());
}

Image copy(const ImageView& view) {
  Image out(view.height, view.width, view.channels);
  for (int y = 0; y < view.height; ++y) {
    std::memcpy(out.row(y), view.row(y), static_cast<std::size_t>(view.width) * view.channels);
  }
  return out;
}

/// Places the masks of a whole plan, and hands each image to `use`.
template <class Use>
void place_all(const plan::StepPlan& plan, const batch::ExecutorSettings& settings,
               const data::Opened& data, Use use) {
  batch::Placement placement(settings, *data.train, data.height, data.width);
  const int padding = settings.augment.crop_padding;
  batch::Augmenter augmenter(data.height, data.width, padding);
  std::vector<std::uint8_t> augmented;
  std::vector<std::uint8_t> scratch;
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    const plan::ImageDraw& draw = plan.images[i];
    Explained one;
    one.sample = draw.index;
    one.treatment = plan::resolve(draw, plan::strong_of(plan.image_strong, i), padding, data.height,
                                  data.width);
    const ImageView view = data.train->image(draw.index, plan.epoch, scratch);
    augmenter.make(view, one.treatment, augmented);
    one.augmented = Image(data.height, data.width, 3);
    std::copy(augmented.begin(), augmented.end(), one.augmented.row(0));
    one.placed = placement.place(plan.masks[i],
                                 {view, augmented.data(), one.treatment, draw.index, plan.epoch});
    one.map = placement.last_map();
    one.original = copy(view);
    use(one);
  }
}

/// Sums over images of how well places fit the object.
void add_quality(const Explained& one, const data::Opened& data, batch::Augmenter& augmenter,
                 PlaceQuality& sum) {
  const auto object = augmenter.moved(data.train->object_mask(one.sample, 0), one.treatment);
  const Box frame{0, 0, data.height, data.width};
  const auto on_object = [&](Point p) {
    return frame.contains(p) && object[static_cast<std::size_t>(p.y * data.width + p.x)] != 0;
  };
  int visible = 0;
  int covered = 0;
  for (int y = 0; y < data.height; ++y) {
    for (int x = 0; x < data.width; ++x) {
      if (!on_object({y, x})) continue;
      ++visible;
      covered += one.placed.box.contains({y, x}) ? 1 : 0;
    }
  }
  sum.peak_on_object += on_object(one.placed.centre) ? 1.0 : 0.0;
  sum.object_covered += visible > 0 ? static_cast<double>(covered) / visible : 0.0;
  sum.box_area += static_cast<double>(one.placed.box.area()) / frame.area();
}

PlaceQuality quality(const plan::StepPlan& plan, const batch::ExecutorSettings& settings,
                     const data::Opened& data) {
  PlaceQuality sum;
  batch::Augmenter augmenter(data.height, data.width, settings.augment.crop_padding);
  place_all(plan, settings, data,
            [&](const Explained& one) { add_quality(one, data, augmenter, sum); });
  const double count = static_cast<double>(plan.images.size());
  sum.peak_on_object /= count;
  sum.object_covered /= count;
  sum.box_area /= count;
  return sum;
}

}  // namespace

std::vector<Explained> explain_images(const Recipe& recipe, const data::Opened& data, int count) {
  if (count < 1) throw UsageError(concat("explain of ", count, " images: expected at least 1"));
  const plan::Planner planner = all_masked(recipe, data, count);
  const plan::StepPlan plan = planner.plan(0, 0);
  batch::ExecutorSettings settings = recipe.executor_settings(data.normalisation);
  settings.precision = batch::Precision::fp32;
  settings.mix = plan::MixKind::none;
  batch::Batch batch;
  batch::Executor(settings, *data.train).execute(plan, batch);
  std::vector<Explained> images;
  place_all(plan, settings, data, [&](Explained& one) {
    const std::size_t i = images.size();
    one.masked = denormalised(batch, i, data.normalisation);
    if (batch.target_blocks > 0) {
      const auto views = static_cast<std::size_t>(batch.blocks() - batch.target_blocks);
      one.view = denormalised(batch, views * plan.images.size() + i, data.normalisation);
    }
    images.push_back(one);
  });
  most_frequent_first(images, data);
  return images;
}

bool masks_images(const Recipe& recipe) {
  return method::needs_of(recipe.method).masks || recipe.mask.cutout_prob > 0.0;
}

Image explain_grid(const std::vector<Explained>& images, const data::Opened& data, bool masks) {
  std::vector<std::string> titles{"original", "augmented"};
  if (masks) titles.insert(titles.end(), {"saliency", "peak and box", "masked"});
  const bool views = !images.empty() && images.front().view.height() > 0;
  if (views) titles.push_back("further view");
  PictureGrid grid(images.size(), 1, data.height, data.width, titles);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Explained& one = images[i];
    grid.picture(i, 0, one.original.view());
    grid.picture(i, 1, one.augmented.view());
    if (views) grid.picture(i, static_cast<int>(titles.size()) - 1, one.view.view());
    std::string text = class_of(data, one.sample);
    if (masks) {
      if (!one.map.empty()) grid.map(i, 2, one.map);
      grid.picture(i, 3, one.augmented.view());
      grid.mark(i, 3, one.placed.box, one.placed.centre);
      grid.picture(i, 4, one.masked.view());
      text += concat(", own label weighs ", std::to_string(one.placed.lambda).substr(0, 4));
    }
    grid.text(i, 0, text);
  }
  return grid.take();
}

std::vector<PlaceQuality> judge_places(const Recipe& recipe, const data::Opened& data, int count) {
  if (data.train->object_mask(data.train_samples.front(), 0).empty()) return {};
  const plan::StepPlan plan = all_masked(recipe, data, count).plan(0, 0);
  const std::vector<std::pair<std::string, plan::SaliencyOn>> views{
      {"visible", plan::SaliencyOn::visible},
      {"original", plan::SaliencyOn::original},
      {"reflect", plan::SaliencyOn::reflect},
      {"padded", plan::SaliencyOn::padded}};
  std::vector<PlaceQuality> rows;
  batch::ExecutorSettings settings = recipe.executor_settings(data.normalisation);
  settings.mask.kind = plan::MaskKind::saliency;
  settings.mix = plan::MixKind::none;
  for (const std::string detector : {"fine_grained", "joint"}) {
    for (const auto& [name, on] : views) {
      settings.mask.detector = detector;
      settings.mask.on = on;
      if (!batch::trouble_of_sight(settings).empty()) continue;
      rows.push_back(quality(plan, settings, data));
      rows.back().kind = "saliency";
      rows.back().detector = detector;
      rows.back().on = name;
    }
  }
  settings.mask.on = plan::SaliencyOn::visible;
  const std::vector<std::pair<std::string, plan::MaskKind>> controls{
      {"random", plan::MaskKind::random},
      {"centre", plan::MaskKind::centre},
      {"oracle", plan::MaskKind::oracle}};
  for (const auto& [name, kind] : controls) {
    settings.mask.kind = kind;
    rows.push_back(quality(plan, settings, data));
    rows.back().kind = name;
  }
  return rows;
}

}  // namespace smcl::experiment
