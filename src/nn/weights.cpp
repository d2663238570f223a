#include <ATen/core/grad_mode.h>

#include <cstring>
#include <map>

#include "core/error.h"
#include "format/safetensors.h"
#include "nn/network_implementation.h"

namespace smcl::nn {

namespace {

constexpr const char* kCounter = ".num_batches_tracked";

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

}  // namespace

void Network::save_weights(const std::string& file) const {
  const at::NoGradGuard no_grad;
  std::vector<format::TensorView> tensors;
  std::vector<at::Tensor> kept;  // contiguous copies that the views point into
  for (const tensor::Slot& slot : store().slots()) {
    if (belongs_to_head(slot.name)) continue;
    kept.push_back(store().view(slot.name).detach().cpu().contiguous());
    tensors.push_back({slot.name, format::Dtype::f32, slot.shape,
                       bytes_of(kept.back().data_ptr(), kept.back().nbytes())});
  }
  const std::int64_t counter = batches_tracked();
  for (const std::string& norm : norm_names(implementation_->architecture)) {
    tensors.push_back(
        {norm + kCounter, format::Dtype::i64, {}, bytes_of(&counter, sizeof counter)});
  }
  format::write_safetensors(file, tensors, {{"format", "pt"}});
}

void Network::load_weights(const std::string& file) {
  const at::NoGradGuard no_grad;
  const auto read = format::SafetensorsFile::read(file);
  const std::vector<std::string> norms = norm_names(implementation_->architecture);
  std::map<std::string, bool> known;
  for (const tensor::Slot& slot : store().slots()) {
    if (belongs_to_head(slot.name)) continue;
    check_entry(read, slot.name, format::Dtype::f32, slot.shape);
    known[slot.name] = true;
  }
  for (const std::string& norm : norms) {
    check_entry(read, norm + kCounter, format::Dtype::i64, {});
    known[norm + kCounter] = true;
  }
  for (const auto& [name, entry] : read.tensors()) {
    if (!known.contains(name)) {
      throw DataError(concat(file, ": holds '", name, "', which this network has not"));
    }
  }
  const std::int64_t counter = read_counter(read, norms);
  // Nothing is written before everything is known to fit.
  for (const tensor::Slot& slot : store().slots()) {
    if (belongs_to_head(slot.name)) continue;
    at::Tensor values = at::empty(slot.shape, at::kFloat);
    const auto bytes = read.bytes(read.at(slot.name));
    std::memcpy(values.data_ptr(), bytes.data(), bytes.size());
    store().view(slot.name).copy_(values);
  }
  store().refresh_shadow();
  set_batches_tracked(counter);
}

}  // namespace smcl::nn
