#include "tensor/tensor_batch.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"

namespace smcl::tensor {
namespace {

using batch::Precision;

// Two images of 2 x 3 pixels in two blocks; value = running number of the byte order in memory.
batch::Batch small_batch(Precision precision) {
  batch::Batch out;
  out.count = 2;
  out.height = 2;
  out.width = 3;
  out.precision = precision;
  out.masked = true;
  out.target_blocks = 1;
  out.labels = {3, 1};
  out.target_labels = {7, 0};
  out.lambda = {0.25F, 1.0F};
  out.contrast_lambda = {0.5F, 1.0F};
  out.is_masked = {1, 0};
  constexpr std::size_t kValues = 4 * 2 * 3 * 3;
  for (std::size_t i = 0; i < kValues; ++i) {
    const auto value = static_cast<float>(i);  // below 256: exact in bf16
    std::byte bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    const std::size_t skip = precision == Precision::bf16 ? 2 : 0;  // the high half, little endian
    out.pixels.insert(out.pixels.end(), bytes + skip, bytes + sizeof value);
  }
  return out;
}

TEST(ToTensors, ShowsPixelsInPlaceAsChannelsLast) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const batch::Batch batch = small_batch(precision);
    const TensorBatch out = to_tensors(batch, at::kCPU);
    EXPECT_EQ(out.images.sizes(), at::IntArrayRef({4, 3, 2, 3}));
    EXPECT_TRUE(out.images.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_EQ(out.images.data_ptr(), static_cast<const void*>(batch.pixels.data()));
    // Image 2, channel 1, row 1, column 2: ((2*2 + 1)*3 + 2)*3 + 1 = 52.
    EXPECT_EQ(out.images[2][1][1][2].item<float>(), 52.0F);
  }
}

TEST(ToTensors, CarriesLabelsAndMarks) {
  const TensorBatch out = to_tensors(small_batch(Precision::fp32), at::kCPU);
  EXPECT_EQ(out.count, 2);
  EXPECT_TRUE(out.labels.equal(at::tensor({3, 1}, at::kLong)));
  EXPECT_TRUE(out.target_labels.equal(at::tensor({7, 0}, at::kLong)));
  EXPECT_EQ(out.lambda[0].item<float>(), 0.25F);
  EXPECT_EQ(out.lambda.scalar_type(), at::kFloat);
  EXPECT_EQ(out.contrast_lambda[0].item<float>(), 0.5F);
  EXPECT_TRUE(out.masked);
  EXPECT_EQ(out.target_blocks, 1);
  EXPECT_FALSE(out.has_plain);
  EXPECT_EQ(out.is_masked, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_TRUE(out.marks.equal(at::tensor({1, 0}, at::kByte)));
}

TEST(ToTensors, LeavesTargetLabelsUndefinedWhereThereAreNone) {
  batch::Batch batch = small_batch(Precision::fp32);
  batch.target_labels.clear();
  EXPECT_FALSE(to_tensors(batch, at::kCPU).target_labels.defined());
}

TEST(ToTensors, RefusesSizesThatDoNotFit) {
  batch::Batch batch = small_batch(Precision::fp32);
  batch.has_plain = true;
  EXPECT_THROW(to_tensors(batch, at::kCPU), InternalError);
  batch = small_batch(Precision::fp32);
  batch.labels.pop_back();
  EXPECT_THROW(to_tensors(batch, at::kCPU), InternalError);
  EXPECT_THROW(to_tensors(batch::Batch{}, at::kCPU), InternalError);
}

}  // namespace
}  // namespace smcl::tensor
