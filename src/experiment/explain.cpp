#include "experiment/explain.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "batch/augmenter.h"
#include "batch/check.h"
#include "core/error.h"
#include "image/draw.h"

namespace smcl::experiment {
namespace {

constexpr int kScale = 4;
constexpr int kGap = 6;
constexpr int kCaption = draw::kGlyphHeight + kGap;

/// The recipe's planner with every image masked from the first epoch on.
plan::Planner all_masked(const Recipe& recipe, const data::Opened& data, int count) {
  // One image of each class in turn, so that a picture shows the rare ones too.
  std::vector<std::vector<std::uint32_t>> by_class(static_cast<std::size_t>(data.classes()));
  for (const std::uint32_t sample : data.train_samples) {
    by_class[static_cast<std::size_t>(data.train->label(sample))].push_back(sample);
  }
  std::vector<std::uint32_t> chosen;
  for (std::size_t round = 0; static_cast<int>(chosen.size()) < count; ++round) {
    const std::size_t before = chosen.size();
    for (const auto& samples : by_class) {
      if (round < samples.size()) chosen.push_back(samples[round]);
    }
    if (chosen.size() == before) break;
  }
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(count)));
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

/// Image `i` of all blocks of a normalised fp32 batch, as bytes again.
Image denormalised(const batch::Batch& batch, std::size_t i, const data::Normalisation& norm) {
  Image out(batch.height, batch.width, 3);
  const std::size_t values = static_cast<std::size_t>(batch.height) * batch.width * 3;
  std::vector<float> pixels(values);
  std::memcpy(pixels.data(), batch.pixels.data() + i * values * sizeof(float),
              values * sizeof(float));
  for (std::size_t v = 0; v < values; ++v) {
    const double byte = (pixels[v] * norm.std[v % 3] + norm.mean[v % 3]) * 255.0;
    out.row(0)[v] = static_cast<std::uint8_t>(std::clamp(std::lround(byte), 0L, 255L));
  }
  return out;
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
  std::stable_sort(images.begin(), images.end(), [&](const Explained& a, const Explained& b) {
    return data.train_counts[static_cast<std::size_t>(data.train->label(a.sample))] >
           data.train_counts[static_cast<std::size_t>(data.train->label(b.sample))];
  });
  return images;
}

Image explain_grid(const std::vector<Explained>& images, const data::Opened& data) {
  const int cell_w = data.width * kScale + kGap;
  const int cell_h = data.height * kScale + kGap + kCaption;
  std::vector<const char*> titles{"original", "augmented", "saliency", "peak and box", "masked"};
  const bool views = !images.empty() && images.front().view.height() > 0;
  if (views) titles.push_back("further view");
  const int columns = static_cast<int>(titles.size());
  Image canvas(kCaption + kGap + static_cast<int>(images.size()) * cell_h, kGap + columns * cell_w,
               3);
  draw::fill(canvas, {0, 0, canvas.height(), canvas.width()}, {255, 255, 255});
  for (int c = 0; c < columns; ++c) {
    draw::text(canvas, {kGap / 2, kGap + c * cell_w}, titles[static_cast<std::size_t>(c)],
               {0, 0, 0});
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Explained& one = images[i];
    const int top = kCaption + kGap + static_cast<int>(i) * cell_h;
    const auto column = [&](int c) { return Point{top, kGap + c * cell_w}; };
    draw::blit(canvas, one.original.view(), column(0), kScale);
    draw::blit(canvas, one.augmented.view(), column(1), kScale);
    if (!one.map.empty()) {
      const std::vector<float> values(one.map.begin(), one.map.end());
      draw::blit(canvas, draw::heat_map(values, data.height, data.width).view(), column(2), kScale);
    }
    draw::blit(canvas, one.augmented.view(), column(3), kScale);
    const Box& box = one.placed.box;
    const Point at = column(3);
    draw::outline(canvas,
                  {at.y + box.y0 * kScale, at.x + box.x0 * kScale, at.y + box.y1 * kScale,
                   at.x + box.x1 * kScale},
                  {255, 40, 40}, 2);
    draw::cross(canvas,
                {at.y + one.placed.centre.y * kScale + kScale / 2,
                 at.x + one.placed.centre.x * kScale + kScale / 2},
                5, {255, 255, 0});
    draw::blit(canvas, one.masked.view(), column(4), kScale);
    if (views) draw::blit(canvas, one.view.view(), column(5), kScale);
    const auto label = static_cast<std::size_t>(data.train->label(one.sample));
    draw::text(
        canvas, {top + data.height * kScale + 3, kGap},
        concat(data.train->class_names()[label], " (", data.train_counts[label],
               " images), own label weighs ", std::to_string(one.placed.lambda).substr(0, 4)),
        {60, 60, 60});
  }

  return canvas;
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
