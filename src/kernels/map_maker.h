#pragma once

#include <cstdint>

#include "image/geometry.h"
#include "kernels/batch_launch.h"

/// Saliency maps made on the GPU. CUDA builds only.
namespace smcl::kernels {

class MapMaker {
 public:
  /// For RGB images of height x width. Throws UsageError without a usable GPU and for images above
  /// kMostPixels, DeviceError where memory is short.
  MapMaker(int height, int width, Map map);
  /// Enqueues maps (count * height * width bytes; nullptr: none wanted) and peaks of `count`
  /// images, rows without gaps. All pointers are of the device.
  void make(const std::uint8_t* pixels, int count, std::uint8_t* maps, Point* peaks,
            cudaStream_t stream);

 private:
  Grid grid_;
  SaliencyJob job_;
  DeviceMemory<std::byte> workspace_;
};

}  // namespace smcl::kernels
