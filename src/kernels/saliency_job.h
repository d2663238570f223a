#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batch_job.h"
#include "kernels/image_map.h"

/// Maps and peaks of images of one size, without crops and masks: for judging detectors.
namespace smcl::kernels {

struct SaliencyJob {
  const std::uint8_t* pixels = nullptr;  ///< count * height * width * 3 RGB bytes
  int count = 0;
  int height = 0;
  int width = 0;
  Map map = Map::fine_grained;
  MemoryPlan memory;
  std::byte* workspace = nullptr;  ///< memory.global() bytes a block
  std::uint8_t* maps = nullptr;    ///< count * height * width; nullptr: peaks only
  Point* peaks = nullptr;          ///< count
};

/// Block `number` of `numbers`: every numbers-th image. `shared`: memory.shared() bytes, aligned to
/// 16. Random maps have their dot where draws of 0 put it.
SMCL_HD inline void map_images(const SaliencyJob& job, const Block& block, int number, int numbers,
                               std::byte* shared) {
  const int pixels = job.height * job.width;
  const BlockMemory memory =
      lay_out(job.memory, pixels, shared,
              job.workspace + static_cast<std::size_t>(number) * job.memory.global());
  for (int i = number; i < job.count; i += numbers) {
    const std::size_t first = static_cast<std::size_t>(i) * static_cast<std::size_t>(pixels);
    const Picture picture{job.pixels + 3 * first, job.height, job.width, 0, 0, false, false};
    const Sight sight = sight_of(picture, plan::SaliencyOn::padded);
    const MapPart map = find_peak(block, memory, job.map, ImageTask{}, sight);
    block.step([&](int thread) {
      if (thread == 0) {
        const auto at = static_cast<int>(key_place(memory.totals->best));
        job.peaks[i] = {at / job.width, at % job.width};
      }
      if (job.maps == nullptr) return;
      block.share(thread, job.height, job.width, [&](int y, int x) {
        job.maps[first + static_cast<std::size_t>(y * job.width + x)] =
            static_cast<std::uint8_t>(map.at(y, x));
      });
    });
  }
}

}  // namespace smcl::kernels
