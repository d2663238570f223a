#include "experiment/explain_mixes.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "batch/augmenter.h"
#include "batch/placement.h"
#include "core/error.h"
#include "experiment/explain_parts.h"
#include "experiment/shown_image.h"

namespace smcl::experiment {
namespace {

/// The first epoch's images, of each class in turn, as one step. They keep the partners of their
/// own batches.
plan::StepPlan mixed_step(const Recipe& recipe, const data::Opened& data, int count) {
  plan::PlannerSettings settings = recipe.planner_settings();
  settings.mix.prob = 1.0;
  settings.mix.start = {0.0, true};
  settings.mix.stop = {1.0, true};
  settings.mix.draw = plan::DrawUnit::image;
  settings.resample_from = -1;
  const plan::Planner planner(settings, data.train_samples, data.train_labels(), data.classes());
  const auto one_of = [](const std::vector<plan::StrongDraw>& draws, std::size_t i) {
    const plan::StrongDraw* draw = plan::strong_of(draws, i);
    return draw == nullptr ? std::vector<plan::StrongDraw>{} : std::vector{*draw};
  };
  const auto append = [](std::vector<plan::StrongDraw>& all,
                         const std::vector<plan::StrongDraw>& one) {
    all.insert(all.end(), one.begin(), one.end());
  };
  struct Draws {
    plan::ImageDraw image;
    plan::MixDraw mix;
    std::int32_t partners_class = 0;
    std::vector<plan::StrongDraw> strong, partners_strong;  // one, or none
  };
  std::vector<std::vector<Draws>> by_class(static_cast<std::size_t>(data.classes()));
  for (int step = 0; step < planner.steps_per_epoch(); ++step) {
    const plan::StepPlan plan = planner.plan(0, step);
    for (std::size_t i = 0; i < plan.images.size(); ++i) {
      by_class[static_cast<std::size_t>(data.train->label(plan.images[i].index))].push_back(
          {plan.images[i], plan.mixes[i], plan.target_classes[i], one_of(plan.image_strong, i),
           one_of(plan.partner_strong, i)});
    }
  }
  plan::StepPlan out;
  out.seed = settings.seed;
  out.masked = true;
  for (const Draws& one : spread(by_class, count)) {
    out.images.push_back(one.image);
    out.mixes.push_back(one.mix);
    out.target_classes.push_back(one.partners_class);
    append(out.image_strong, one.strong);
    append(out.partner_strong, one.partners_strong);
  }
  return out;
}

/// Images as the network would see them unmixed, and what the detector sees in them.
class Unmixed {
 public:
  Unmixed(const batch::ExecutorSettings& settings, const data::Opened& data)
      : padding_(settings.augment.crop_padding),
        data_(data),
        augmenter_(data.height, data.width, padding_),
        placement_(batch::of_boxes(settings), *data.train, data.height, data.width) {}

  Image augmented(const plan::ImageDraw& draw, const plan::StrongDraw* strong) {
    augmenter_.make(data_.train->image(draw.index, 0, scratch_), treatment(draw, strong), bytes_);
    Image out(data_.height, data_.width, 3);
    std::copy(bytes_.begin(), bytes_.end(), out.row(0));
    return out;
  }

  /// Of the partner `other`, on its way to the box.
  std::vector<std::uint8_t> map(const plan::MixDraw& draw, const plan::StrongDraw* strong,
                                const Image& other) {
    const plan::ImageDraw& partner = draw.partner;
    plan::MaskDraw box;
    box.keep = draw.keep;
    box.place_y = draw.place_y;
    box.place_x = draw.place_x;
    placement_.place(box, {data_.train->image(partner.index, 0, scratch_), other.row(0),
                           treatment(partner, strong), partner.index, 0});
    return placement_.last_map();
  }

 private:
  plan::Treatment treatment(const plan::ImageDraw& draw, const plan::StrongDraw* strong) const {
    return plan::resolve(draw, strong, padding_, data_.height, data_.width);
  }

  int padding_;
  const data::Opened& data_;
  batch::Augmenter augmenter_;
  batch::Placement placement_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace

bool mixes_images(const Recipe& recipe) {
  return method::needs_of(recipe.method).mixing.kind != plan::MixKind::none;
}

std::vector<ExplainedMix> explain_mixes(const Recipe& recipe, const data::Opened& data, int count) {
  if (count < 1) throw UsageError(concat("explain of ", count, " images: expected at least 1"));
  if (!mixes_images(recipe)) {
    throw UsageError(concat("method.name = ", recipe.method.name, " mixes no images"));
  }
  const plan::StepPlan plan = mixed_step(recipe, data, count);
  batch::ExecutorSettings settings = recipe.executor_settings(data.normalisation);
  settings.precision = batch::Precision::fp32;
  batch::Batch batch;
  batch::Executor(settings, *data.train).execute(plan, batch);
  Unmixed unmixed(settings, data);
  std::vector<ExplainedMix> images;
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    ExplainedMix one;
    one.sample = plan.images[i].index;
    one.partner = plan.mixes[i].partner.index;
    const plan::StrongDraw* partners = plan::strong_of(plan.partner_strong, i);
    one.image = unmixed.augmented(plan.images[i], plan::strong_of(plan.image_strong, i));
    one.other = unmixed.augmented(plan.mixes[i].partner, partners);
    if (settings.mix == plan::MixKind::paste_peak) {
      one.map = unmixed.map(plan.mixes[i], partners, one.other);
    }
    one.box = batch.boxes[i];
    one.centre = batch.peaks[i];
    one.mixed = denormalised(batch, i, data.normalisation);
    one.own = batch.lambda[i];
    images.push_back(std::move(one));
  }
  most_frequent_first(images, data);
  return images;
}

Image mixes_grid(const std::vector<ExplainedMix>& images, const data::Opened& data) {
  const bool boxes = std::any_of(images.begin(), images.end(),
                                 [](const ExplainedMix& one) { return one.box.area() > 0; });
  const bool maps = std::any_of(images.begin(), images.end(),
                                [](const ExplainedMix& one) { return !one.map.empty(); });
  std::vector<std::string> titles{"image", boxes ? "partner and box" : "partner"};
  if (maps) titles.emplace_back("its saliency");
  titles.emplace_back("mixed");
  PictureGrid grid(images.size(), 2, data.height, data.width, titles);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ExplainedMix& one = images[i];
    grid.picture(i, 0, one.image.view());
    grid.picture(i, 1, one.other.view());
    if (boxes) grid.mark(i, 1, one.box, one.centre);
    if (maps) grid.map(i, 2, one.map);
    grid.picture(i, static_cast<int>(titles.size()) - 1, one.mixed.view());
    const long percent = std::lround(100.0 * one.own);
    grid.text(i, 0, concat(class_of(data, one.sample), " weighs ", percent, " %"));
    grid.text(i, 1, concat(class_of(data, one.partner), " weighs ", 100 - percent, " %"));
  }
  return grid.take();
}

}  // namespace smcl::experiment
