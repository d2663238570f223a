#include <algorithm>

#include "batch/augmenter.h"
#include "batch/batch.h"
#include "batch/check.h"
#include "batch/fill.h"
#include "batch/geometry.h"
#include "batch/normalise.h"
#include "batch/placement.h"
#include "core/error.h"
#include "core/random.h"
#include "plan/check.h"

namespace smcl::batch {
struct Executor::State {
  State(ExecutorSettings wanted, const data::Dataset& set)
      : settings(std::move(wanted)),
        dataset(set),
        normaliser(settings.normalisation, settings.precision) {
    if (dataset.size() == 0) throw DataError("the data set is empty; there is nothing to train on");
    const ImageView first = dataset.image(0, 0, scratch);
    height = first.height;
    width = first.width;
    check_sight(settings);
    check_size(settings.augment, height, width);
    placement = std::make_unique<Placement>(of_boxes(settings), dataset, height, width);
    if (settings.mask.fill == plan::Fill::blur) blur = std::make_unique<Blur>(height, width);
    augmenter = std::make_unique<Augmenter>(height, width, settings.augment.crop_padding);
    augmented.resize(pixels() * 3);
    other.resize(pixels() * 3);
  }

  std::size_t pixels() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }

  ImageView image(std::size_t index, int epoch, std::vector<std::uint8_t>& memory) const;
  plan::Treatment treatment(const plan::ImageDraw& draw, const plan::StrongDraw* strong) const {
    return plan::resolve(draw, strong, settings.augment.crop_padding, height, width);
  }
  void fill(const plan::MaskDraw& draw, const Shown& shown, const Box& box);
  void prepare(const plan::StepPlan& plan, Batch& out) const;
  void ordinary(const plan::StepPlan& plan, std::size_t i, Batch& out);
  void mixed(const plan::StepPlan& plan, std::size_t i, std::byte* first, Batch& out);
  Placed paste(const plan::MixDraw& draw, const Shown& partner);
  static void mark(const Placed& placed, std::size_t i, Batch& out);
  void target(const plan::StepPlan& plan, std::size_t i, Batch& out);

  ExecutorSettings settings;
  const data::Dataset& dataset;
  Normaliser normaliser;
  int height = 0;
  int width = 0;
  std::unique_ptr<Augmenter> augmenter;
  std::unique_ptr<Placement> placement;
  std::unique_ptr<Blur> blur;
  std::vector<std::uint8_t> augmented;
  std::vector<std::uint8_t> other;
  std::vector<std::uint8_t> scratch;
  std::vector<std::uint8_t> other_scratch;
};

ImageView Executor::State::image(std::size_t index, int epoch,
                                 std::vector<std::uint8_t>& memory) const {
  if (index >= dataset.size()) {
    throw InternalError(
        concat("a plan asks for image ", index, " of a data set of ", dataset.size()));
  }
  const ImageView view = dataset.image(index, epoch, memory);
  if (view.height != height || view.width != width || view.channels != 3) {
    throw DataError(concat("image ", index, " is ", view.height, "x", view.width, "x",
                           view.channels, "; expected ", height, "x", width,
                           "x3 like the first of the set"));
  }
  return view;
}

/// Fills `box` of the augmented bytes; `mean` is left to the normalised values.
void Executor::State::fill(const plan::MaskDraw& draw, const Shown& shown, const Box& box) {
  const plan::Treatment& treatment = shown.treatment;
  switch (settings.mask.fill) {
    case plan::Fill::mean:
      break;
    case plan::Fill::noise:
      fill_noise(augmented.data(), width, box, draw.noise);
      break;
    case plan::Fill::blur:
      blur->fill(augmented.data(), treatment.visible, box);
      break;
    case plan::Fill::other:
      augmenter->make(image(draw.other, shown.epoch, other_scratch), treatment, other);
      fill_other(augmented.data(), other.data(), width, box);
      break;
  }
}

void Executor::State::prepare(const plan::StepPlan& plan, Batch& out) const {
  const std::size_t count = plan.images.size();
  out.count = static_cast<int>(count);
  out.height = height;
  out.width = width;
  out.precision = settings.precision;
  out.masked = plan.masked;
  out.has_plain = plan.masked && settings.mask.plain == plan::Plain::add;
  out.target_blocks = static_cast<int>(plan.targets.size() / count);
  out.pixels.resize(static_cast<std::size_t>(out.blocks()) * count * pixels() * 3 *
                    normaliser.value_bytes());
  out.labels.resize(count);
  out.samples.resize(count);
  out.target_labels.assign(plan.target_classes.begin(), plan.target_classes.end());
  out.lambda.assign(count, 1.0F);
  out.contrast_lambda.assign(count, 1.0F);
  out.is_masked.assign(count, 0);
  const std::size_t places = plan.masks.empty() && plan.mixes.empty() ? 0 : count;
  out.peaks.assign(places, Point{});
  out.boxes.assign(places, Box{});
}

void Executor::State::ordinary(const plan::StepPlan& plan, std::size_t i, Batch& out) {
  const plan::ImageDraw& draw = plan.images[i];
  Shown shown{image(draw.index, plan.epoch, scratch), nullptr,
              treatment(draw, plan::strong_of(plan.image_strong, i)), draw.index, plan.epoch};
  out.labels[i] = dataset.label(draw.index);
  out.samples[i] = draw.index;
  augmenter->make(shown.original, shown.treatment, augmented);
  shown.augmented = augmented.data();

  const std::size_t bytes = pixels() * 3 * normaliser.value_bytes();
  std::byte* first = out.pixels.data() + i * bytes;
  if (out.has_plain)
    normaliser.write(augmented.data(), pixels(), first + plan.images.size() * bytes);
  if (!plan.mixes.empty() && plan.mixes[i].on) {
    mixed(plan, i, first, out);
    return;
  }
  Placed placed;
  if (!plan.masks.empty() && (plan.masks[i].on || plan.masks[i].cutout)) {
    placed = placement->place(plan.masks[i], shown);
    fill(plan.masks[i], shown, placed.box);
    out.peaks[i] = placed.centre;
    out.boxes[i] = placed.box;
    if (plan.masks[i].on) mark(placed, i, out);
  }
  normaliser.write(augmented.data(), pixels(), first);
  if (settings.mask.fill == plan::Fill::mean) normaliser.zero(placed.box, width, first);
}

/// Image i, which lies in `augmented`, with its partner, to `first`.
void Executor::State::mixed(const plan::StepPlan& plan, std::size_t i, std::byte* first,
                            Batch& out) {
  const plan::MixDraw& draw = plan.mixes[i];
  Shown partner{image(draw.partner.index, plan.epoch, other_scratch), nullptr,
                treatment(draw.partner, plan::strong_of(plan.partner_strong, i)),
                draw.partner.index, plan.epoch};
  augmenter->make(partner.original, partner.treatment, other);
  partner.augmented = other.data();
  Placed placed;
  if (settings.mix == plan::MixKind::blend) {
    placed.lambda = draw.own;
    placed.contrast_lambda = draw.own;
    normaliser.blend(augmented.data(), other.data(), pixels(), static_cast<float>(draw.keep),
                     first);
  } else {
    placed = paste(draw, partner);
    fill_other(augmented.data(), other.data(), width, placed.box);
    normaliser.write(augmented.data(), pixels(), first);
  }
  out.peaks[i] = placed.centre;
  out.boxes[i] = placed.box;
  mark(placed, i, out);
}

/// The box that `partner` gives.
Placed Executor::State::paste(const plan::MixDraw& draw, const Shown& partner) {
  if (settings.mix == plan::MixKind::paste_peak) {
    plan::MaskDraw box;
    box.keep = draw.keep;
    box.place_y = draw.place_y;
    box.place_x = draw.place_x;
    return placement->place(box, partner);
  }
  const auto within = [](std::uint32_t bits, int size) {
    return static_cast<int>(scale_draw(bits, static_cast<std::uint32_t>(size)));
  };
  Placed placed;
  placed.centre = {within(draw.place_y, height), within(draw.place_x, width)};
  placed.box = mask_box(placed.centre, draw.keep, height, width, settings.mask.border);
  placed.contrast_lambda = share_left(placed.box, height, width);
  placed.lambda = placed.contrast_lambda;
  return placed;
}

/// lambda rules image i where it is below 1.
void Executor::State::mark(const Placed& placed, std::size_t i, Batch& out) {
  if (!(placed.contrast_lambda < 1.0)) return;
  out.is_masked[i] = 1;
  out.lambda[i] = static_cast<float>(placed.lambda);
  out.contrast_lambda[i] = static_cast<float>(placed.contrast_lambda);
}

void Executor::State::target(const plan::StepPlan& plan, std::size_t i, Batch& out) {
  const plan::ImageDraw& draw = plan.targets[i];
  augmenter->make(image(draw.index, plan.epoch, scratch),
                  treatment(draw, plan::strong_of(plan.target_strong, i)), augmented);
  const auto block = static_cast<std::size_t>(out.blocks() - out.target_blocks);
  const std::size_t bytes = pixels() * 3 * normaliser.value_bytes();
  normaliser.write(augmented.data(), pixels(),
                   out.pixels.data() + (block * plan.images.size() + i) * bytes);
}

Executor::Executor(ExecutorSettings settings, const data::Dataset& dataset)
    : state_(std::make_unique<State>(std::move(settings), dataset)) {}

Executor::~Executor() = default;

void Executor::execute(const plan::StepPlan& plan, Batch& out) {
  plan::check_step(plan);
  state_->prepare(plan, out);
  for (std::size_t i = 0; i < plan.images.size(); ++i) state_->ordinary(plan, i, out);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) state_->target(plan, i, out);
}

}  // namespace smcl::batch
