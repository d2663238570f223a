#include "kernels/image_task.h"

#include <algorithm>

#include "batch/augmenter.h"
#include "batch/placement.h"
#include "core/error.h"
#include "kernels/block_saliency.h"
#include "plan/check.h"
#include "plan/strong.h"
#include "plan/treatment.h"

namespace smcl::kernels {
namespace {

Map map_named(const std::string& detector) {
  if (detector == "fine_grained") return Map::fine_grained;
  if (detector == "joint") return Map::joint;
  if (detector == "random") return Map::random;
  if (detector == "centre") return Map::centre;
  throw UsageError(concat("saliency.detector = ", detector,
                          " has no GPU version; expected fine_grained, joint, random or centre, or "
                          "batches made on the CPU"));
}

static_assert(kMostAlterOps == plan::kMostOps);

plan::Treatment treatment_of(const plan::ImageDraw& draw, const plan::StrongDraw* strong,
                             const BatchRules& rules) {
  return plan::resolve(draw, strong, rules.padding, rules.height, rules.width);
}

Alteration alteration_of(const plan::Treatment& treatment) {
  Alteration out;
  out.resized = treatment.resized;
  out.part = treatment.part;
  out.visible = treatment.visible;
  out.op_count = treatment.op_count;
  std::copy_n(treatment.ops.begin(), treatment.op_count, out.ops);
  return out;
}

ImageTask task_of(const plan::ImageDraw& draw, const plan::StrongDraw* strong,
                  const BatchRules& rules, const data::Dataset& dataset) {
  if (draw.index >= dataset.size()) {
    throw InternalError(
        concat("a plan asks for image ", draw.index, " of a data set of ", dataset.size()));
  }
  const plan::Crop crop = treatment_of(draw, strong, rules).crop;
  ImageTask task;
  task.sample = draw.index;
  task.down = crop.top - rules.padding;
  task.right = crop.left - rules.padding;
  task.flip = crop.flip;
  return task;
}

void set_box(double keep, const BatchRules& rules, ImageTask& task) {
  // In the middle nothing is clipped, so the box has its full sides there.
  const Box box = batch::mask_box({rules.height / 2, rules.width / 2}, keep, rules.height,
                                  rules.width, plan::Border::clip);
  task.half_height = box.height() / 2;
  task.half_width = box.width() / 2;
}

void set_other(const ImageTask& other, ImageTask& task) {
  task.other = other.sample;
  task.other_down = other.down;
  task.other_right = other.right;
  task.other_flip = other.flip;
}

void add_mix(const plan::MixDraw& draw, const plan::StrongDraw* strong, const BatchRules& rules,
             const data::Dataset& dataset, ImageTask& task) {
  if (!draw.on) return;
  task.cover = Cover::mix;
  task.place_y = draw.place_y;
  task.place_x = draw.place_x;
  task.keep = static_cast<float>(draw.keep);
  task.own = draw.own;
  set_other(task_of(draw.partner, strong, rules, dataset), task);
  set_box(draw.keep, rules, task);
}

void add_mask(const plan::StepPlan& plan, std::size_t i, const BatchRules& rules,
              const data::Dataset& dataset, ImageTask& task) {
  const plan::MaskDraw& draw = plan.masks[i];
  const plan::ImageDraw& image = plan.images[i];
  const plan::StrongDraw* strong = plan::strong_of(plan.image_strong, i);
  if (!draw.on && !draw.cutout) return;
  task.cover = draw.on ? Cover::mask : Cover::cutout;
  task.place_y = draw.place_y;
  task.place_x = draw.place_x;
  task.noise = draw.noise;
  if (rules.fill == plan::Fill::other) {
    plan::ImageDraw other = image;
    other.index = draw.other;
    set_other(task_of(other, strong, rules, dataset), task);
  }
  set_box(draw.keep, rules, task);
  if (rules.kind == plan::MaskKind::oracle) {
    task.object = dataset.object_box(task.sample, plan.epoch).value_or(Box{});
    const plan::Treatment treatment = treatment_of(image, strong, rules);
    if (treatment.plain() || task.object == Box{}) return;
    task.object =
        batch::Augmenter(rules.height, rules.width, rules.padding).moved(task.object, treatment);
    task.object_placed = true;
  }
}

std::vector<Alteration> alterations(const std::vector<plan::ImageDraw>& draws,
                                    const std::vector<plan::StrongDraw>& strong,
                                    const BatchRules& rules) {
  std::vector<Alteration> out;
  for (std::size_t i = 0; i < strong.size(); ++i) {
    out.push_back(alteration_of(treatment_of(draws[i], &strong[i], rules)));
  }
  return out;
}

void add_alterations(const plan::StepPlan& plan, const BatchRules& rules, PackedStep& step) {
  step.image_alterations = alterations(plan.images, plan.image_strong, rules);
  step.target_alterations = alterations(plan.targets, plan.target_strong, rules);
  std::vector<plan::ImageDraw> partners;
  for (const plan::MixDraw& draw : plan.mixes) partners.push_back(draw.partner);
  step.other_alterations = alterations(partners, plan.partner_strong, rules);
  const bool any = !step.image_alterations.empty() || !step.target_alterations.empty() ||
                   !step.other_alterations.empty();
  if (any && !rules.altered) {
    throw InternalError("a step plan has stronger augmentations than augment.* of its batches");
  }
}

}  // namespace

BatchRules batch_rules(const batch::ExecutorSettings& settings, const data::Dataset& dataset) {
  const batch::Executor checks(settings, dataset);
  const batch::ExecutorSettings boxes = batch::of_boxes(settings);
  std::vector<std::uint8_t> scratch;
  const ImageView first = dataset.image(0, 0, scratch);
  if (std::int64_t{first.height} * first.width > kMostPixels) {
    throw UsageError(concat("images of ", first.height, "x", first.width,
                            " are too large for batches made on a GPU; expected at most ",
                            kMostPixels, " pixels"));
  }
  BatchRules rules;
  rules.height = first.height;
  rules.width = first.width;
  rules.padding = settings.augment.crop_padding;
  rules.kind = boxes.mask.kind;
  rules.on = settings.mask.on;
  rules.border = settings.mask.border;
  rules.fill = settings.mask.fill;
  rules.rule = boxes.lambda.rule;
  rules.constant = settings.lambda.constant;
  rules.bf16 = settings.precision == batch::Precision::bf16;
  rules.mix = settings.mix;
  rules.altered =
      plan::is_strong(settings.augment, false) || plan::is_strong(settings.augment, true);
  rules.plain_added = settings.mask.plain == plan::Plain::add;
  if (rules.kind == plan::MaskKind::saliency || rules.rule == plan::LambdaRule::removed_saliency) {
    rules.map = map_named(settings.mask.detector);
  }
  return rules;
}

std::vector<std::byte> value_table(const batch::ExecutorSettings& settings) {
  std::vector<std::uint8_t> ramp;
  for (int value = 0; value < 256; ++value) {
    ramp.insert(ramp.end(), 3, static_cast<std::uint8_t>(value));
  }
  const std::size_t values = ramp.size();
  const data::ResidentDataset picture(1, 256, std::move(ramp), {0}, {"ramp"});
  const auto precision =
      settings.mix == plan::MixKind::blend ? batch::Precision::fp32 : settings.precision;
  std::vector<std::byte> table(values * (precision == batch::Precision::fp32 ? 4 : 2));
  batch::evaluation_pixels(picture, {0}, 0, 1, settings.normalisation, precision, table.data());
  return table;
}

PackedStep pack(const plan::StepPlan& plan, const BatchRules& rules, const data::Dataset& dataset) {
  const std::size_t count = plan.images.size();
  plan::check_step(plan);
  PackedStep step;
  step.shape = {static_cast<int>(count),
                plan.masked,
                plan.masked && rules.plain_added,
                static_cast<int>(plan.targets.size() / count),
                !plan.masks.empty() || !plan.mixes.empty(),
                !plan.target_classes.empty()};
  for (std::size_t i = 0; i < count; ++i) {
    ImageTask task = task_of(plan.images[i], plan::strong_of(plan.image_strong, i), rules, dataset);
    if (step.shape.has_target_labels) task.target_label = plan.target_classes[i];
    if (!plan.masks.empty()) add_mask(plan, i, rules, dataset, task);
    if (!plan.mixes.empty()) {
      add_mix(plan.mixes[i], plan::strong_of(plan.partner_strong, i), rules, dataset, task);
    }
    step.images.push_back(task);
  }
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    step.targets.push_back(
        task_of(plan.targets[i], plan::strong_of(plan.target_strong, i), rules, dataset));
  }
  add_alterations(plan, rules, step);
  return step;
}

PackedStep pack_evaluation(const std::vector<std::uint32_t>& samples, std::size_t first,
                           std::size_t count, const data::Dataset& dataset) {
  if (first > samples.size() || count > samples.size() - first) {
    throw InternalError(concat("evaluation images ", first, " to ", first + count, " of ",
                               samples.size(), " were asked for"));
  }
  PackedStep step;
  step.shape.count = static_cast<int>(count);
  for (std::size_t i = first; i < first + count; ++i) {
    // Without padding every draw resolves to the image as it is.
    step.images.push_back(task_of({samples[i], 0, 0, false}, nullptr, BatchRules{}, dataset));
  }
  return step;
}

void make_room(const StepShape& shape, const BatchRules& rules, batch::Batch& out) {
  const auto count = static_cast<std::size_t>(shape.count);
  const std::size_t values =
      static_cast<std::size_t>(rules.height) * static_cast<std::size_t>(rules.width) * 3;
  out.count = shape.count;
  out.height = rules.height;
  out.width = rules.width;
  out.precision = rules.bf16 ? batch::Precision::bf16 : batch::Precision::fp32;
  out.masked = shape.masked;
  out.has_plain = shape.has_plain;
  out.target_blocks = shape.target_blocks;
  out.pixels.resize(static_cast<std::size_t>(shape.blocks()) * count * values *
                    (rules.bf16 ? 2 : 4));
  out.labels.resize(count);
  out.target_labels.resize(count);
  out.lambda.resize(count);
  out.contrast_lambda.resize(count);
  out.is_masked.resize(count);
  out.peaks.resize(count);
  out.boxes.resize(count);
  out.samples.resize(count);
}

void drop_absent(const StepShape& shape, batch::Batch& out) {
  if (!shape.has_target_labels) out.target_labels.clear();
  if (!shape.has_places) {
    out.peaks.clear();
    out.boxes.clear();
  }
}

}  // namespace smcl::kernels
