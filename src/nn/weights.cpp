#include <ATen/core/grad_mode.h>

#include <cstring>
#include <map>
#include <set>

#include "core/error.h"
#include "format/safetensors.h"
#include "nn/network_implementation.h"

namespace smcl::nn {

namespace {

constexpr const char* kCounter = ".num_batches_tracked";
constexpr const char* kStateCounter = "num_batches_tracked";
const std::string kMomentum = "momentum.";
const std::string kStage = "stage.";

bool belongs_to_head(const std::string& name) {
  return name.rfind("head.", 0) == 0;
}

std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += concat(i == 0 ? "" : ", ", shape[i]);
  return text + "]";
}

void check_entry(const format::SafetensorsFile& file, const std::string& name, format::Dtype dtype,
                 const std::vector<std::int64_t>& shape) {
  const format::SafetensorsFile::Entry& entry = file.at(name);
  if (entry.dtype != dtype || entry.shape != shape) {
    throw DataError(concat(file.origin(), ": '", name, "' is ", format::dtype_name(entry.dtype),
                           " ", shape_text(entry.shape), "; this network has ",
                           format::dtype_name(dtype), " ", shape_text(shape)));
  }
}

/// The counter of every batch norm; they are one number, for all see every batch.
std::int64_t read_counter(const format::SafetensorsFile& file,
                          const std::vector<std::string>& norms) {
  std::int64_t counter = 0;
  for (const std::string& norm : norms) {
    std::int64_t value = 0;
    std::memcpy(&value, file.bytes(file.at(norm + kCounter)).data(), sizeof value);
    if (norm != norms.front() && value != counter) {
      throw DataError(concat(file.origin(), ": '", norm, kCounter, "' is ", value, ", that of '",
                             norms.front(), "' ", counter, "; expected one number"));
    }
    counter = value;
  }
  return counter;
}

/// Views into contiguous copies of tensors, to be written.
class Tensors {
 public:
  void add(const std::string& name, const at::Tensor& values) {
    kept_.push_back(values.detach().cpu().contiguous());
    views_.push_back({name, format::Dtype::f32, values.sizes().vec(),
                      bytes_of(kept_.back().data_ptr(), kept_.back().nbytes())});
  }
  /// `counter` outlives the views.
  void add(const std::string& name, const std::int64_t& counter) {
    views_.push_back({name, format::Dtype::i64, {}, bytes_of(&counter, sizeof counter)});
  }
  /// Every tensor of `store` and its momentum, their names behind `prefix`.
  void add(const tensor::FlatStore& store, const std::string& prefix) {
    for (const tensor::Slot& slot : store.slots()) {
      add(prefix + slot.name, store.view(slot.name));
      if (!slot.statistic) add(kMomentum + prefix + slot.name, store.velocity(slot.name));
    }
  }
  const std::vector<format::TensorView>& views() const { return views_; }

 private:
  std::vector<at::Tensor> kept_;
  std::vector<format::TensorView> views_;
};

/// What a strict reader expects, checked in full before anything is copied.
class Expected {
 public:
  explicit Expected(const format::SafetensorsFile& file) : file_(file) {}

  void check(const std::string& name, format::Dtype dtype, const std::vector<std::int64_t>& shape) {
    check_entry(file_, name, dtype, shape);
    known_.insert(name);
  }
  /// As Tensors::add.
  void check(const tensor::FlatStore& store, const std::string& prefix) {
    for (const tensor::Slot& slot : store.slots()) {
      check(prefix + slot.name, format::Dtype::f32, slot.shape);
      if (!slot.statistic) check(kMomentum + prefix + slot.name, format::Dtype::f32, slot.shape);
    }
  }
  void check_nothing_left() const {
    for (const auto& [name, entry] : file_.tensors()) {
      if (!known_.contains(name)) {
        throw DataError(concat(file_.origin(), ": holds '", name, "', which this network has not"));
      }
    }
  }

 private:
  const format::SafetensorsFile& file_;
  std::set<std::string> known_;
};

void copy_into(const at::Tensor& target, const format::SafetensorsFile& file,
               const std::string& name) {
  at::Tensor values = at::empty(target.sizes(), at::kFloat);
  const auto bytes = file.bytes(file.at(name));
  if (!bytes.empty()) std::memcpy(values.data_ptr(), bytes.data(), bytes.size());
  target.copy_(values);
}

void copy_into(tensor::FlatStore& store, const format::SafetensorsFile& file,
               const std::string& prefix) {
  for (const tensor::Slot& slot : store.slots()) {
    const std::string name = prefix + slot.name;
    copy_into(store.view(slot.name), file, name);
    if (!slot.statistic) copy_into(store.velocity(slot.name), file, kMomentum + name);
  }
  store.refresh_shadow();
}

}  // namespace

void Network::save_weights(const std::string& file,
                           const std::map<std::string, std::string>& metadata) const {
  const at::NoGradGuard no_grad;
  Tensors tensors;
  for (const tensor::Slot& slot : store().slots()) {
    if (!belongs_to_head(slot.name)) tensors.add(slot.name, store().view(slot.name));
  }
  const std::int64_t counter = batches_tracked();
  for (const std::string& norm : norm_names(implementation_->architecture)) {
    tensors.add(norm + kCounter, counter);
  }
  std::map<std::string, std::string> all = metadata;
  all["format"] = "pt";  // what Python's readers ask for
  format::write_safetensors(file, tensors.views(), all);
}

void Network::load_weights(const std::string& file) {
  const at::NoGradGuard no_grad;
  const auto read = format::SafetensorsFile::read(file);
  if (read.metadata().contains("format_version")) {  // what Python wrote has none
    read.check_format_version();
  }
  const std::vector<std::string> norms = norm_names(implementation_->architecture);
  Expected expected(read);
  for (const tensor::Slot& slot : store().slots()) {
    if (!belongs_to_head(slot.name)) expected.check(slot.name, format::Dtype::f32, slot.shape);
  }
  for (const std::string& norm : norms) expected.check(norm + kCounter, format::Dtype::i64, {});
  expected.check_nothing_left();
  const std::int64_t counter = read_counter(read, norms);
  for (const tensor::Slot& slot : store().slots()) {
    if (!belongs_to_head(slot.name)) copy_into(store().view(slot.name), read, slot.name);
  }
  store().refresh_shadow();
  set_batches_tracked(counter);
}

void Network::save_state(const std::string& file,
                         const std::map<std::string, std::string>& metadata,
                         const tensor::FlatStore* stage) const {
  const at::NoGradGuard no_grad;
  Tensors tensors;
  tensors.add(store(), "");
  if (stage != nullptr) tensors.add(*stage, kStage);
  const std::int64_t counter = batches_tracked();
  tensors.add(kStateCounter, counter);
  format::write_safetensors(file, tensors.views(), metadata);
}

void Network::load_state(const format::SafetensorsFile& file, tensor::FlatStore* stage) {
  const at::NoGradGuard no_grad;
  Expected expected(file);
  expected.check(store(), "");
  if (stage != nullptr) expected.check(*stage, kStage);
  expected.check(kStateCounter, format::Dtype::i64, {});
  expected.check_nothing_left();
  copy_into(store(), file, "");
  if (stage != nullptr) copy_into(*stage, file, kStage);
  std::int64_t counter = 0;
  std::memcpy(&counter, file.bytes(file.at(kStateCounter)).data(), sizeof counter);
  set_batches_tracked(counter);
}

}  // namespace smcl::nn
