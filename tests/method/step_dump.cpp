#include "method/step_dump.h"

#include <ATen/core/grad_mode.h>

#include <cstring>
#include <list>

#include "core/random.h"
#include "format/safetensors.h"

namespace smcl::test {
namespace {

using format::Dtype;

constexpr int kSide = 16;
constexpr int kClasses = 3;
const std::vector<std::int32_t> kLabels{0, 0, 1, 0, 2, 0, 1, 0};
const std::vector<std::string> kNames{"a", "b", "c"};

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::i32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Dtype::u32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::u8;
}

/// Collects tensors of a file and keeps their bytes.
class Collector {
 public:
  template <class T>
  void add(const std::string& name, const std::vector<T>& values,
           std::vector<std::int64_t> shape = {}) {
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    const auto* data = reinterpret_cast<const std::byte*>(values.data());
    put(name, dtype_of<T>(), std::move(shape), {data, data + values.size() * sizeof(T)});
  }
  void add(const std::string& name, const at::Tensor& tensor) {
    const at::Tensor values = tensor.detach().to(at::kFloat).contiguous();
    const auto* data = static_cast<const std::byte*>(values.data_ptr());
    put(name, Dtype::f32, tensor.sizes().vec(), {data, data + values.nbytes()});
  }
  std::vector<format::TensorView> views;

 private:
  void put(const std::string& name, Dtype dtype, std::vector<std::int64_t> shape,
           std::vector<std::byte> bytes) {
    kept_.push_back(std::move(bytes));
    views.push_back({name, dtype, std::move(shape), kept_.back()});
  }
  std::list<std::vector<std::byte>> kept_;
};

template <class T>
std::vector<T> values_of(const format::SafetensorsFile& file, const std::string& name) {
  const auto bytes = file.bytes(file.at(name));
  std::vector<T> out(bytes.size() / sizeof(T));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

/// A gradient with a brighter or darker rectangle and some noise, so that peaks are clear.
std::vector<std::uint8_t> draw_pixels(std::uint64_t seed) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    RandomStream random(seed, Purpose::test, 0, i);
    const auto y0 = static_cast<int>(random.below(kSide - 5));
    const auto x0 = static_cast<int>(random.below(kSide - 5));
    const int object = random.below(2) == 0 ? 30 : 210;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const bool inside = y >= y0 && y < y0 + 5 && x >= x0 && x < x0 + 4;
        for (int c = 0; c < 3; ++c) {
          const int base = inside ? object + 5 * c : 90 + 3 * y + 2 * x - 8 * c;
          out.push_back(static_cast<std::uint8_t>(base + static_cast<int>(random.below(24))));
        }
      }
    }
  }
  return out;
}

std::vector<plan::ImageDraw> load_draws(const format::SafetensorsFile& file,
                                        const std::string& prefix) {
  std::vector<plan::ImageDraw> out;
  const auto index = values_of<std::uint32_t>(file, prefix + "index");
  const auto y = values_of<std::uint32_t>(file, prefix + "crop_y");
  const auto x = values_of<std::uint32_t>(file, prefix + "crop_x");
  const auto flip = values_of<std::uint8_t>(file, prefix + "flip");
  for (std::size_t i = 0; i < index.size(); ++i)
    out.push_back({index[i], y[i], x[i], flip[i] != 0});
  return out;
}

void add_draws(Collector& out, const std::string& prefix,
               const std::vector<plan::ImageDraw>& draws) {
  std::vector<std::uint32_t> index, y, x;
  std::vector<std::uint8_t> flip;
  for (const auto& draw : draws) {
    index.push_back(draw.index);
    y.push_back(draw.crop_y);
    x.push_back(draw.crop_x);
    flip.push_back(draw.flip ? 1 : 0);
  }
  out.add(prefix + "index", index);
  out.add(prefix + "crop_y", y);
  out.add(prefix + "crop_x", x);
  out.add(prefix + "flip", flip);
}

std::vector<plan::MaskDraw> load_masks(const format::SafetensorsFile& file) {
  std::vector<plan::MaskDraw> out;
  const auto on = values_of<std::uint8_t>(file, "plan.mask.on");
  const auto cutout = values_of<std::uint8_t>(file, "plan.mask.cutout");
  const auto keep = values_of<double>(file, "plan.mask.keep");
  const auto y = values_of<std::uint32_t>(file, "plan.mask.place_y");
  const auto x = values_of<std::uint32_t>(file, "plan.mask.place_x");
  const auto other = values_of<std::uint32_t>(file, "plan.mask.other");
  for (std::size_t i = 0; i < on.size(); ++i) {
    out.push_back({on[i] != 0, cutout[i] != 0, keep[i], y[i], x[i], other[i], 0});
  }
  return out;
}

void add_masks(Collector& out, const std::vector<plan::MaskDraw>& masks) {
  std::vector<std::uint8_t> on, cutout;
  std::vector<double> keep;
  std::vector<std::uint32_t> y, x, other;
  for (const auto& mask : masks) {
    on.push_back(mask.on ? 1 : 0);
    cutout.push_back(mask.cutout ? 1 : 0);
    keep.push_back(mask.keep);
    y.push_back(mask.place_y);
    x.push_back(mask.place_x);
    other.push_back(mask.other);
  }
  out.add("plan.mask.on", on);
  out.add("plan.mask.cutout", cutout);
  out.add("plan.mask.keep", keep);
  out.add("plan.mask.place_y", y);
  out.add("plan.mask.place_x", x);
  out.add("plan.mask.other", other);
}

std::vector<plan::MixDraw> load_mixes(const format::SafetensorsFile& file) {
  if (file.tensors().count("plan.mix.on") == 0) return {};
  std::vector<plan::MixDraw> out;
  const auto on = values_of<std::uint8_t>(file, "plan.mix.on");
  const auto keep = values_of<double>(file, "plan.mix.keep");
  const auto own = values_of<double>(file, "plan.mix.own");
  const auto y = values_of<std::uint32_t>(file, "plan.mix.place_y");
  const auto x = values_of<std::uint32_t>(file, "plan.mix.place_x");
  const auto partners = load_draws(file, "plan.mix.partner.");
  for (std::size_t i = 0; i < on.size(); ++i) {
    out.push_back({on[i] != 0, partners[i], keep[i], own[i], y[i], x[i]});
  }
  return out;
}

void add_mixes(Collector& out, const std::vector<plan::MixDraw>& mixes) {
  std::vector<std::uint8_t> on;
  std::vector<double> keep, own;
  std::vector<std::uint32_t> y, x;
  std::vector<plan::ImageDraw> partners;
  for (const auto& mix : mixes) {
    on.push_back(mix.on ? 1 : 0);
    keep.push_back(mix.keep);
    own.push_back(mix.own);
    y.push_back(mix.place_y);
    x.push_back(mix.place_x);
    partners.push_back(mix.partner);
  }
  out.add("plan.mix.on", on);
  out.add("plan.mix.keep", keep);
  out.add("plan.mix.own", own);
  out.add("plan.mix.place_y", y);
  out.add("plan.mix.place_x", x);
  add_draws(out, "plan.mix.partner.", partners);
}

void bind(config::Binder& binder, StepSettings& settings) {
  binder.field("step.seed", settings.seed, {0, 1e9}, "");
  binder.field("step.epochs", settings.epochs, {1, 1e6}, "");
  binder.field("step.epoch", settings.epoch, {0, 1e6}, "");
  binder.field("step.batch", settings.batch_size, {1, 8}, "");
  plan::bind(binder, settings.augment);
  plan::bind(binder, settings.mask);
  plan::bind(binder, settings.lambda);
  plan::bind(binder, settings.target);
  plan::bind(binder, settings.mix);
  method::bind(binder, settings.method);
  nn::bind(binder, settings.network);
}

std::vector<int> counts() {
  std::vector<int> out(kClasses);
  for (const std::int32_t label : kLabels) ++out[static_cast<std::size_t>(label)];
  return out;
}

}  // namespace

void Step::settle(const std::string& toml) {
  const auto document = config::Document::parse(toml, "step");
  config::Binder binder(document);
  bind(binder, settings_);
  binder.finish();
  toml_ = config::to_toml(binder.resolved(), false);
  method::check_settings(settings_.method, settings_.mask);
  settings_.network.prototypes = method::needs_of(settings_.method).prototypes;
}

void Step::make_network() {
  dataset_ = std::make_unique<data::ResidentDataset>(kSide, kSide, pixels_, labels_, kNames);
  network_ = std::make_unique<nn::Network>(settings_.network, kClasses, settings_.seed,
                                           batch::Precision::fp32, at::kCPU);
}

Step Step::draw(const std::string& toml) {
  Step step;
  step.settle(toml);
  const StepSettings& settings = step.settings_;
  step.pixels_ = draw_pixels(settings.seed);
  step.labels_ = kLabels;
  step.make_network();
  const at::NoGradGuard guard;
  std::uint64_t slot = 0;
  for (const auto& [name, shape, shadow, statistic] : step.network_->store().slots()) {
    // Batch norm and biases start as constants, behind which mistakes hide.
    const at::Tensor view = step.network_->store().view(name);
    RandomStream random(settings.seed, Purpose::test, 1, slot++);
    for (std::int64_t i = 0; shape.size() == 1 && i < shape[0]; ++i) {
      view[i] += 0.3 * random.unit();
    }
    step.before_[name] = view.clone();
  }
  plan::PlannerSettings wanted;
  wanted.seed = settings.seed;
  wanted.epochs = settings.epochs;
  wanted.batch_size = settings.batch_size;
  wanted.augment = settings.augment;
  wanted.mask = settings.mask;
  wanted.target = settings.target;
  const method::Needs needs = method::needs_of(settings.method);
  wanted.target_classes = needs.target_classes;
  wanted.target_images = needs.target_images;
  wanted.contrast_warm_up = settings.method.warm_up;
  wanted.mix = settings.mix;
  wanted.mixing = needs.mixing;
  wanted.views = needs.views;
  if (!needs.masks) wanted.mask.prob = 0.0;
  const plan::Planner planner(wanted, {0, 1, 2, 3, 4, 5, 6, 7}, kLabels, kClasses);
  step.target_probabilities_ = planner.target_probabilities();
  step.plan_ = planner.plan(settings.epoch, 0);
  return step;
}

Step Step::load(const std::filesystem::path& shared, const std::filesystem::path& file) {
  const auto common = format::SafetensorsFile::read(shared);
  const auto own = format::SafetensorsFile::read(file);
  Step step;
  step.settle(own.metadata().at("recipe"));
  step.pixels_ = values_of<std::uint8_t>(common, "data.images");
  step.labels_ = values_of<std::int32_t>(common, "data.labels");
  step.make_network();
  const at::NoGradGuard guard;
  for (const auto& [name, shape, shadow, statistic] : step.network_->store().slots()) {
    const auto values = values_of<float>(common, "weights." + name);
    const at::Tensor view = step.network_->store().view(name);
    view.copy_(at::tensor(values).view(shape));
    step.before_[name] = view.clone();
  }
  step.target_probabilities_ = values_of<double>(own, "plan.target_probabilities");
  step.plan_.epoch = step.settings_.epoch;
  step.plan_.images = load_draws(own, "plan.images.");
  step.plan_.targets = load_draws(own, "plan.targets.");
  step.plan_.target_classes = values_of<std::int32_t>(own, "plan.target_classes");
  step.plan_.masks = load_masks(own);
  step.plan_.mixes = load_mixes(own);
  for (const auto& mask : step.plan_.masks) step.plan_.masked = step.plan_.masked || mask.on;
  for (const auto& mix : step.plan_.mixes) step.plan_.masked = step.plan_.masked || mix.on;
  return step;
}

void Step::run() {
  batch::ExecutorSettings wanted;
  wanted.augment = settings_.augment;
  wanted.mask = settings_.mask;
  wanted.lambda = settings_.lambda;
  wanted.mix = method::needs_of(settings_.method).mixing.kind;
  batch::Executor(wanted, *dataset_).execute(plan_, batch_);
  const auto method =
      method::make_method(settings_.method, settings_.epochs, counts(), target_probabilities_);
  network_->store().zero_gradients();
  loss_ = method->loss(*network_, tensor::to_tensors(batch_, at::kCPU), settings_.epoch);
  loss_.total.backward();
}

void Step::write(const std::filesystem::path& file) const {
  Collector out;
  out.add("data.images", pixels_, {static_cast<std::int64_t>(labels_.size()), kSide, kSide, 3});
  out.add("data.labels", labels_);
  add_draws(out, "plan.images.", plan_.images);
  add_draws(out, "plan.targets.", plan_.targets);
  add_masks(out, plan_.masks);
  if (!plan_.mixes.empty()) add_mixes(out, plan_.mixes);
  out.add("plan.target_classes", plan_.target_classes);
  out.add("plan.target_probabilities", target_probabilities_);
  std::vector<float> pixels(batch_.pixels.size() / sizeof(float));
  std::memcpy(pixels.data(), batch_.pixels.data(), batch_.pixels.size());
  out.add("batch.pixels", pixels, {std::int64_t{batch_.blocks()} * batch_.count, kSide, kSide, 3});
  out.add("batch.lambda", batch_.lambda);
  out.add("batch.contrast_lambda", batch_.contrast_lambda);
  std::vector<std::int32_t> boxes, peaks;
  for (const Box& box : batch_.boxes) boxes.insert(boxes.end(), {box.y0, box.x0, box.y1, box.x1});
  for (const Point& peak : batch_.peaks) peaks.insert(peaks.end(), {peak.y, peak.x});
  const auto marked = static_cast<std::int64_t>(batch_.boxes.size());
  out.add("batch.boxes", boxes, {marked, 4});
  out.add("batch.peaks", peaks, {marked, 2});
  out.add("loss.total", loss_.total);
  out.add("loss.classification", loss_.classification);
  if (loss_.contrast.defined()) out.add("loss.contrast", loss_.contrast);
  for (const tensor::Slot& slot : network_->store().slots()) {
    out.add("weights." + slot.name, before_.at(slot.name));
    if (slot.statistic) {
      out.add("after." + slot.name, network_->store().view(slot.name));
    } else {
      out.add("gradient." + slot.name, network_->store().gradient(slot.name));
    }
  }
  format::write_safetensors(file, out.views, {{"recipe", toml_}});
}

}  // namespace smcl::test
