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

/// How a field of a draw lies in a file.
template <class Rows, class Get>
struct Column {
  using Field = std::remove_cvref_t<std::invoke_result_t<Get, decltype(std::declval<Rows&>()[0])>>;
  using Stored = std::conditional_t<std::is_same_v<Field, bool>, std::uint8_t, Field>;
};

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
  template <class Rows, class Get>
  void column(const std::string& name, const Rows& rows, Get get) {
    std::vector<typename Column<const Rows, Get>::Stored> values;
    for (const auto& row : rows) values.push_back(get(row));
    add(name, values);
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

/// Reads what Collector wrote.
class Fields {
 public:
  explicit Fields(const format::SafetensorsFile& file) : file_(file) {}
  template <class Rows, class Get>
  void column(const std::string& name, Rows& rows, Get get) const {
    const auto values = values_of<typename Column<Rows, Get>::Stored>(file_, name);
    rows.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      get(rows[i]) = static_cast<typename Column<Rows, Get>::Field>(values[i]);
    }
  }

 private:
  const format::SafetensorsFile& file_;
};

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

// A list of draws lies in a file as one tensor a field: Collector writes these, Fields reads them.

template <class File, class Rows, class Get>
void image_columns(File& file, const std::string& prefix, Rows& rows, Get image) {
  file.column(
      prefix + "index", rows, [&](auto& row) -> auto& { return image(row).index; });
  file.column(
      prefix + "crop_y", rows, [&](auto& row) -> auto& { return image(row).crop_y; });
  file.column(
      prefix + "crop_x", rows, [&](auto& row) -> auto& { return image(row).crop_x; });
  file.column(
      prefix + "flip", rows, [&](auto& row) -> auto& { return image(row).flip; });
}

template <class File, class Rows>
void image_columns(File& file, const std::string& prefix, Rows& rows) {
  image_columns(
      file, prefix, rows, [](auto& row) -> auto& { return row; });
}

template <class File, class Rows>
void mask_columns(File& file, Rows& rows) {
  file.column(
      "plan.mask.on", rows, [](auto& row) -> auto& { return row.on; });
  file.column(
      "plan.mask.cutout", rows, [](auto& row) -> auto& { return row.cutout; });
  file.column(
      "plan.mask.keep", rows, [](auto& row) -> auto& { return row.keep; });
  file.column(
      "plan.mask.place_y", rows, [](auto& row) -> auto& { return row.place_y; });
  file.column(
      "plan.mask.place_x", rows, [](auto& row) -> auto& { return row.place_x; });
  file.column(
      "plan.mask.other", rows, [](auto& row) -> auto& { return row.other; });
}

template <class File, class Rows>
void mix_columns(File& file, Rows& rows) {
  file.column(
      "plan.mix.on", rows, [](auto& row) -> auto& { return row.on; });
  file.column(
      "plan.mix.keep", rows, [](auto& row) -> auto& { return row.keep; });
  file.column(
      "plan.mix.own", rows, [](auto& row) -> auto& { return row.own; });
  file.column(
      "plan.mix.place_y", rows, [](auto& row) -> auto& { return row.place_y; });
  file.column(
      "plan.mix.place_x", rows, [](auto& row) -> auto& { return row.place_x; });
  image_columns(
      file, "plan.mix.partner.", rows, [](auto& row) -> auto& { return row.partner; });
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
  method::check_settings(settings_.method, settings_.mask, settings_.epochs);
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
    const std::string key = "weights." + name;
    const auto values = values_of<float>(own.tensors().count(key) != 0 ? own : common, key);
    const at::Tensor view = step.network_->store().view(name);
    view.copy_(at::tensor(values).view(shape));
    step.before_[name] = view.clone();
  }
  step.target_probabilities_ = values_of<double>(own, "plan.target_probabilities");
  step.plan_.epoch = step.settings_.epoch;
  const Fields fields(own);
  image_columns(fields, "plan.images.", step.plan_.images);
  image_columns(fields, "plan.targets.", step.plan_.targets);
  step.plan_.target_classes = values_of<std::int32_t>(own, "plan.target_classes");
  mask_columns(fields, step.plan_.masks);
  if (own.tensors().contains("plan.mix.on")) mix_columns(fields, step.plan_.mixes);
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
      method::make_method(settings_.method, settings_.epochs, counts(), target_probabilities_,
                          nn::logit_scale(settings_.network));
  network_->store().zero_gradients();
  loss_ = method->loss(*network_, tensor::to_tensors(batch_, at::kCPU), settings_.epoch);
  loss_.total.backward();
}

void Step::write(const std::filesystem::path& file) const {
  Collector out;
  out.add("data.images", pixels_, {static_cast<std::int64_t>(labels_.size()), kSide, kSide, 3});
  out.add("data.labels", labels_);
  image_columns(out, "plan.images.", plan_.images);
  image_columns(out, "plan.targets.", plan_.targets);
  mask_columns(out, plan_.masks);
  if (!plan_.mixes.empty()) mix_columns(out, plan_.mixes);
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
