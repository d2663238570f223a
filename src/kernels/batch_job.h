#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/block_alter.h"
#include "kernels/block_saliency.h"
#include "kernels/image_task.h"

/// What blocks of threads work on when they make a batch, in plain pointers.
namespace smcl::kernels {

/// The data set in the memory of the device: RGB bytes, image after image, and labels.
struct ResidentImages {
  const std::uint8_t* pixels = nullptr;
  const std::int32_t* labels = nullptr;
};

/// Where the parts of a batch go: arrays as in batch::Batch, but peaks and boxes always of B.
struct BatchOutput {
  std::byte* pixels = nullptr;
  std::int32_t* labels = nullptr;
  std::int32_t* target_labels = nullptr;
  float* lambda = nullptr;
  float* contrast_lambda = nullptr;
  std::uint8_t* is_masked = nullptr;
  Point* peaks = nullptr;
  Box* boxes = nullptr;
  std::uint32_t* samples = nullptr;
};

/// How the working memory of a block is divided between shared and global memory.
struct MemoryPlan {
  std::size_t totals = 0;    ///< bytes; always shared, first
  std::size_t integral = 0;  ///< bytes
  std::size_t planes = 0;    ///< bytes of sums, grey, spare; also what the blur works in
  std::size_t alter = 0;     ///< bytes in which images are altered; always global, last
  bool integral_shared = false;
  bool planes_shared = false;

  SMCL_HD std::size_t shared() const {
    return totals + (integral_shared ? integral : 0) + (planes_shared ? planes : 0);
  }
  SMCL_HD std::size_t global() const {
    return (integral_shared ? 0 : integral) + (planes_shared ? 0 : planes) + alter;
  }
};

/// For images of height x width where a block may have `shared_limit` bytes: all shared where it
/// fits, else the integral image, which is read most, else nothing but the totals. `altered`: with
/// room for stronger augmentations.
inline MemoryPlan plan_memory(int height, int width, std::size_t shared_limit,
                              bool altered = false) {
  const auto aligned = [](std::size_t bytes) { return (bytes + 15) / 16 * 16; };
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  MemoryPlan plan;
  plan.totals = aligned(sizeof(BlockTotals));
  plan.integral = aligned((static_cast<std::size_t>(height) + 1) *
                          static_cast<std::size_t>(integral_stride(width)) * 4);
  plan.planes = aligned(pixels * 6);
  if (altered) plan.alter = 3 * aligned(3 * pixels) + std::size_t{3} * 256 * 5;
  plan.integral_shared = plan.totals + plan.integral <= shared_limit;
  plan.planes_shared = plan.totals + plan.integral + plan.planes <= shared_limit;
  return plan;
}

SMCL_HD inline BlockMemory lay_out(const MemoryPlan& plan, int pixels, std::byte* shared,
                                   std::byte* global) {
  BlockMemory memory;
  memory.totals = reinterpret_cast<BlockTotals*>(shared);
  shared += plan.totals;
  std::byte*& from = plan.integral_shared ? shared : global;
  memory.integral = reinterpret_cast<std::uint32_t*>(from);
  from += plan.integral;
  std::byte* planes = plan.planes_shared ? shared : global;
  memory.sums = reinterpret_cast<std::uint32_t*>(planes);
  memory.grey = reinterpret_cast<std::uint8_t*>(memory.sums + pixels);
  memory.spare = memory.grey + pixels;
  return memory;
}

/// Of `global`, the block's bytes.
SMCL_HD inline AlterMemory lay_out_alter(const MemoryPlan& plan, int pixels, std::byte* global) {
  if (plan.alter == 0) return {};
  const std::size_t picture = (static_cast<std::size_t>(pixels) * 3 + 15) / 16 * 16;
  auto* const bytes = reinterpret_cast<std::uint8_t*>(global + plan.global() - plan.alter);
  std::uint8_t* const tables = bytes + 3 * picture;
  constexpr std::size_t kEntries = 3 * 256;
  return {bytes, bytes + picture, bytes + 2 * picture, reinterpret_cast<std::uint32_t*>(tables),
          tables + 4 * kEntries};
}

/// Threads of a block for images of this size. Where there are many images, eight pixels each, so
/// that many small blocks share a multiprocessor; where there are `few`, two each, so that a block
/// is soon done.
inline int block_threads(int height, int width, bool few) {
  const std::int64_t warps = std::int64_t{height} * width / ((few ? 2 : 8) * kWarp);
  return kWarp * static_cast<int>(warps < 2 ? 2 : (warps > 32 ? 32 : warps));
}

/// All that a launch works on; of memory that the blocks can reach.
struct BatchJob {
  BatchRules rules;
  StepShape shape;
  MemoryPlan memory;
  ResidentImages set;
  const std::byte* table = nullptr;  ///< value_table
  /// Records of consecutive steps, `stride` images and `target_stride` targets each; *step says
  /// which step is made.
  const ImageTask* images = nullptr;
  const ImageTask* targets = nullptr;
  /// Beside them, where BatchRules::altered: of images, of their partners (where images are mixed),
  /// and of targets.
  const Alteration* image_alterations = nullptr;
  const Alteration* other_alterations = nullptr;
  const Alteration* target_alterations = nullptr;
  std::int64_t stride = 0;
  std::int64_t target_stride = 0;
  const std::uint32_t* step = nullptr;
  std::byte* workspace = nullptr;  ///< memory.global() bytes a block
  BatchOutput out;

  SMCL_HD int images_in_all() const { return (1 + shape.target_blocks) * shape.count; }
};

}  // namespace smcl::kernels
