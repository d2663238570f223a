#include "batch/placement.h"

#include <cstring>

#include "batch/augment.h"
#include "batch/geometry.h"
#include "core/error.h"
#include "core/random.h"

namespace smcl::batch {
namespace {

/// The rows and columns of `part` of a map, without gaps.
void copy_part(const std::vector<std::uint8_t>& map, int width, const Box& part,
               std::vector<std::uint8_t>& out) {
  const auto columns = static_cast<std::size_t>(part.width());
  std::uint8_t* to = out.data();
  for (int y = part.y0; y < part.y1; ++y) {
    std::memcpy(to, map.data() + static_cast<std::ptrdiff_t>(y) * width + part.x0, columns);
    to += columns;
  }
}

}  // namespace

double share_left(const Box& box, int height, int width) {
  return 1.0 - static_cast<double>(box.area()) / (static_cast<double>(height) * width);
}

ExecutorSettings of_boxes(ExecutorSettings settings) {
  if (settings.mix == plan::MixKind::none) return settings;
  settings.mask.kind =
      settings.mix == plan::MixKind::paste_peak ? plan::MaskKind::saliency : plan::MaskKind::random;
  settings.lambda.rule = plan::LambdaRule::area;
  return settings;
}

/// The saliency of one image: a map over `region` of the augmented image.
struct Placement::Map {
  std::unique_ptr<saliency::Detector> detector;
  std::unique_ptr<saliency::Workspace> workspace;
  std::vector<std::uint8_t> values;
  std::vector<std::uint8_t> whole;      // of the original, where saliency.on = original
  std::vector<std::uint8_t> reflected;  // image, where saliency.on = reflect
  Box region;
  bool mirrored = false;  // the map's columns run against those of the augmented image
  Point peak;             // in the augmented image
  bool flat = true;       // all zero
};

Placement::Placement(const ExecutorSettings& settings, const data::Dataset& dataset, int height,
                     int width)
    : mask_(settings.mask),
      lambda_(settings.lambda),
      padding_(settings.augment.crop_padding),
      dataset_(dataset),
      height_(height),
      width_(width),
      augmenter_(height, width, padding_) {
  if (mask_.kind == plan::MaskKind::oracle && !dataset.object_box(0, 0)) {
    throw UsageError(
        "mask.kind = oracle needs true object boxes, which this data set does not have; use "
        "data.name = scenes or another mask.kind");
  }
  if (mask_.kind != plan::MaskKind::saliency &&
      lambda_.rule != plan::LambdaRule::removed_saliency) {
    return;
  }
  map_ = std::make_unique<Map>();
  map_->detector = saliency::make_detector(mask_.detector);
  if (map_->detector->needs_network()) {
    throw UsageError(concat("saliency.detector = ", mask_.detector,
                            " needs the network and cannot run while batches are made; choose a "
                            "detector that works on pixels alone"));
  }
  map_->workspace = map_->detector->workspace();
  const std::size_t pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  map_->values.resize(pixels);
  map_->whole.resize(pixels);
  map_->reflected.resize(pixels * 3);
}

Placement::~Placement() = default;

const Placement::Map& Placement::saliency(const plan::MaskDraw& draw, const Shown& image) {
  Map& map = *map_;
  const saliency::Draws draws{draw.place_y, draw.place_x};
  const Box frame{0, 0, height_, width_};
  const auto view = [&](const std::uint8_t* pixels) {
    return ImageView{pixels, height_, width_, 3, static_cast<std::ptrdiff_t>(width_) * 3};
  };
  const auto detect = [&](const ImageView& seen, std::vector<std::uint8_t>& out) {
    map.detector->map(seen, draws, *map.workspace, out.data());
  };
  const Box visible = image.treatment.visible;
  map.region = mask_.on == plan::SaliencyOn::visible || mask_.on == plan::SaliencyOn::original
                   ? visible
                   : frame;
  map.mirrored = false;
  switch (mask_.on) {
    case plan::SaliencyOn::visible:
      detect(view(image.augmented).crop(visible), map.values);
      break;
    case plan::SaliencyOn::original:
      detect(image.original, map.whole);
      copy_part(map.whole, width_, to_original(image.treatment.crop, height_, width_, padding_),
                map.values);
      map.mirrored = image.treatment.crop.flip;
      break;
    case plan::SaliencyOn::reflect:
      augment_reflected(image.original, image.treatment.crop, padding_, map.reflected.data());
      detect(view(map.reflected.data()), map.values);
      break;
    case plan::SaliencyOn::padded:
      detect(view(image.augmented), map.values);
      break;
  }
  const Box& region = map.region;
  Point peak = saliency::peak(map.values.data(), region.height(), region.width());
  map.flat = map.values[static_cast<std::size_t>(peak.y * region.width() + peak.x)] == 0;
  if (map.mirrored) peak.x = region.width() - 1 - peak.x;
  map.peak = {region.y0 + peak.y, region.x0 + peak.x};
  return map;
}

std::vector<std::uint8_t> Placement::last_map() const {
  if (map_ == nullptr) return {};
  const Box& region = map_->region;
  std::vector<std::uint8_t> whole(static_cast<std::size_t>(height_) *
                                  static_cast<std::size_t>(width_));
  for (int y = 0; y < region.height(); ++y) {
    for (int x = 0; x < region.width(); ++x) {
      const int from = map_->mirrored ? region.width() - 1 - x : x;
      whole[static_cast<std::size_t>((region.y0 + y) * width_ + region.x0 + x)] =
          map_->values[static_cast<std::size_t>(y * region.width() + from)];
    }
  }
  return whole;
}

Placed Placement::oracle(const Shown& image) {
  Placed placed;
  const auto truth = dataset_.object_box(image.index, image.epoch);
  if (truth) placed.box = augmenter_.moved(*truth, image.treatment);
  placed.centre = {(placed.box.y0 + placed.box.y1) / 2, (placed.box.x0 + placed.box.x1) / 2};
  return placed;
}

double Placement::own_share(const Box& box, double area_lambda) const {
  switch (lambda_.rule) {
    case plan::LambdaRule::area:
      break;
    case plan::LambdaRule::constant:
      return lambda_.constant;
    case plan::LambdaRule::removed_saliency: {
      if (map_->flat) break;
      const Box& region = map_->region;
      const Box hidden = intersect(box, region);
      if (hidden == Box{}) return 1.0;
      Box local{hidden.y0 - region.y0, hidden.x0 - region.x0, hidden.y1 - region.y0,
                hidden.x1 - region.x0};
      if (map_->mirrored) local = flipped(local, region.width());
      return 1.0 -
             saliency::share_in_box(map_->values.data(), region.height(), region.width(), local);
    }
  }
  return area_lambda;
}

Placed Placement::place(const plan::MaskDraw& draw, const Shown& image) {
  if (map_) saliency(draw, image);
  const Box visible = image.treatment.visible;
  Placed placed;
  switch (mask_.kind) {
    case plan::MaskKind::oracle:
      placed = oracle(image);
      break;
    case plan::MaskKind::saliency:
      placed.centre = map_->peak;
      break;
    case plan::MaskKind::centre:
      placed.centre = {visible.y0 + visible.height() / 2, visible.x0 + visible.width() / 2};
      break;
    case plan::MaskKind::random:
    case plan::MaskKind::none:
      placed.centre.y =
          visible.y0 +
          static_cast<int>(scale_draw(draw.place_y, static_cast<std::uint32_t>(visible.height())));
      placed.centre.x =
          visible.x0 +
          static_cast<int>(scale_draw(draw.place_x, static_cast<std::uint32_t>(visible.width())));
      break;
  }
  if (mask_.kind != plan::MaskKind::oracle) {
    placed.box = mask_box(placed.centre, draw.keep, height_, width_, mask_.border);
  }
  if (placed.box != Box{}) {
    placed.contrast_lambda = share_left(placed.box, height_, width_);
    placed.lambda = own_share(placed.box, placed.contrast_lambda);
  }
  if (mask_.kind == plan::MaskKind::none) placed.box = {};
  return placed;
}

}  // namespace smcl::batch
