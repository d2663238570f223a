#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstring>
#include <string>

#include "format/safetensors.h"
#include "nn/network.h"

namespace smcl::nn::testing {

/// The float32 or int64 tensor of a fixture.
inline at::Tensor tensor_of(const format::SafetensorsFile& file, const std::string& name) {
  const format::SafetensorsFile::Entry& entry = file.at(name);
  const auto type = entry.dtype == format::Dtype::i64   ? at::kLong
                    : entry.dtype == format::Dtype::f64 ? at::kDouble
                                                        : at::kFloat;
  at::Tensor out = at::empty(entry.shape, type);
  const auto bytes = file.bytes(entry);
  std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
  return out;
}

inline format::SafetensorsFile fixture(const std::string& name) {
  return format::SafetensorsFile::read(std::string(SMCL_SOURCE_DIR) + "/tests/fixtures/nn/" + name);
}

inline NetworkSettings fixture_settings() {
  return {"resnet20", 0.25, 8};
}

/// The network of resnet20.safetensors, 10 classes and 16 features.
inline Network fixture_network() {
  const auto file = fixture("resnet20.safetensors");
  Network network(fixture_settings(), 10, 1, batch::Precision::fp32, at::kCPU);
  const at::NoGradGuard no_gradient;
  for (const tensor::Slot& slot : network.store().slots()) {
    const std::string name = "weights." + slot.name;
    if (file.tensors().contains(name)) network.store().view(slot.name).copy_(tensor_of(file, name));
  }
  return network;
}

}  // namespace smcl::nn::testing
