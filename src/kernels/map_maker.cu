#include "kernels/gpu_status.h"
#include "kernels/map_maker.h"

namespace smcl::kernels {

MapMaker::MapMaker(int height, int width, Map map) {
  require_gpu();
  if (height < 1 || width < 1 || std::int64_t{height} * width > kMostPixels) {
    throw UsageError(concat("saliency on a GPU: got images of ", height, "x", width,
                            "; expected at least 1x1 and at most ", kMostPixels, " pixels"));
  }
  job_.height = height;
  job_.width = width;
  job_.map = map;
  job_.memory = plan_memory(height, width, device_limits().block_memory);
  grid_ = grid_of(Program::saliency, block_threads(height, width, false), job_.memory.shared());
  workspace_ =
      DeviceMemory<std::byte>(static_cast<std::size_t>(grid_.most_blocks) * job_.memory.global(),
                              "the working memory of saliency");
  job_.workspace = workspace_.get();
}

void MapMaker::make(const std::uint8_t* pixels, int count, std::uint8_t* maps, Point* peaks,
                    cudaStream_t stream) {
  if (count < 1) return;
  SaliencyJob job = job_;
  job.pixels = pixels;
  job.count = count;
  job.maps = maps;
  job.peaks = peaks;
  launch(job, grid_, stream);
}

}  // namespace smcl::kernels
