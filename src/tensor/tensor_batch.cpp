#include "tensor/tensor_batch.h"

#include "core/error.h"
#include "tensor/precision.h"

namespace smcl::tensor {

namespace {

at::Tensor copied(const std::vector<std::int32_t>& values, at::Device device) {
  const auto length = static_cast<std::int64_t>(values.size());
  auto out = at::empty({length}, at::kLong);
  std::copy(values.begin(), values.end(), out.data_ptr<std::int64_t>());
  return out.to(device);
}

void check_sizes(const batch::Batch& batch) {
  const auto count = static_cast<std::size_t>(batch.count);
  const std::size_t width = at::elementSize(scalar_type(batch.precision));
  const std::size_t pixels = static_cast<std::size_t>(batch.blocks()) * count *
                             static_cast<std::size_t>(batch.height) *
                             static_cast<std::size_t>(batch.width) * 3 * width;
  if (batch.count < 1 || batch.pixels.size() != pixels) {
    throw InternalError(concat("batch of ", batch.count, " images in ", batch.blocks(),
                               " blocks holds ", batch.pixels.size(), " bytes, expected ", pixels));
  }
  const bool targets_fit = batch.target_labels.empty() || batch.target_labels.size() == count;
  if (batch.labels.size() != count || batch.lambda.size() != count || !targets_fit) {
    throw InternalError(concat("batch of ", count, " images has ", batch.labels.size(), " labels, ",
                               batch.target_labels.size(), " target labels and ",
                               batch.lambda.size(), " lambdas"));
  }
}

}  // namespace

TensorBatch to_tensors(const batch::Batch& batch, at::Device device) {
  check_sizes(batch);
  TensorBatch out;
  // from_blob wants a mutable pointer; nobody writes through it.
  auto* pixels = const_cast<std::byte*>(batch.pixels.data());
  out.images =
      at::from_blob(pixels,
                    {std::int64_t{batch.blocks()} * batch.count, batch.height, batch.width, 3},
                    at::TensorOptions().dtype(scalar_type(batch.precision)))
          .permute({0, 3, 1, 2})
          .to(device);
  out.labels = copied(batch.labels, device);
  if (!batch.target_labels.empty()) out.target_labels = copied(batch.target_labels, device);
  out.lambda = at::empty({batch.count}, at::kFloat);
  std::copy(batch.lambda.begin(), batch.lambda.end(), out.lambda.data_ptr<float>());
  out.lambda = out.lambda.to(device);
  out.count = batch.count;
  out.masked = batch.masked;
  out.has_plain = batch.has_plain;
  out.has_targets = batch.has_targets;
  out.is_masked.assign(static_cast<std::size_t>(batch.count), 0);
  for (std::size_t i = 0; batch.masked && i < batch.boxes.size() && i < out.is_masked.size(); ++i) {
    out.is_masked[i] = batch.boxes[i].area() > 0 ? 1 : 0;
  }
  return out;
}

}  // namespace smcl::tensor
