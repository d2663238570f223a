#include "tensor/tensor_batch.h"

#include "core/error.h"
#include "tensor/precision.h"

namespace smcl::tensor {

namespace {

template <class To, class From>
at::Tensor copied(const std::vector<From>& values, at::ScalarType type, at::Device device) {
  auto out = at::empty({static_cast<std::int64_t>(values.size())}, type);
  std::copy(values.begin(), values.end(), out.data_ptr<To>());
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
  if (batch.labels.size() != count || batch.lambda.size() != count ||
      batch.contrast_lambda.size() != count || batch.is_masked.size() != count || !targets_fit) {
    throw InternalError(concat("batch of ", count, " images has ", batch.labels.size(), " labels, ",
                               batch.target_labels.size(), " target labels, ", batch.lambda.size(),
                               " and ", batch.contrast_lambda.size(), " lambdas and ",
                               batch.is_masked.size(), " marks"));
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
  out.labels = copied<std::int64_t>(batch.labels, at::kLong, device);
  if (!batch.target_labels.empty()) {
    out.target_labels = copied<std::int64_t>(batch.target_labels, at::kLong, device);
  }
  out.lambda = copied<float>(batch.lambda, at::kFloat, device);
  out.contrast_lambda = copied<float>(batch.contrast_lambda, at::kFloat, device);
  out.count = batch.count;
  out.masked = batch.masked;
  out.has_plain = batch.has_plain;
  out.target_blocks = batch.target_blocks;
  out.is_masked = batch.is_masked;
  out.marks = copied<std::uint8_t>(batch.is_masked, at::kByte, device);
  return out;
}

}  // namespace smcl::tensor
