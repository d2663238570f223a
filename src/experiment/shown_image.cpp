#include "experiment/shown_image.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace smcl::experiment {

Image denormalised(const batch::Batch& batch, std::size_t i, const data::Normalisation& norm) {
  Image out(batch.height, batch.width, 3);
  const std::size_t values = static_cast<std::size_t>(batch.height) * batch.width * 3;
  std::vector<float> pixels(values);
  std::memcpy(pixels.data(), batch.pixels.data() + i * values * sizeof(float),
              values * sizeof(float));
  for (std::size_t v = 0; v < values; ++v) {
    const double byte = (pixels[v] * norm.std[v % 3] + norm.mean[v % 3]) * 255.0;
    out.row(0)[v] = static_cast<std::uint8_t>(std::clamp(std::lround(byte), 0L, 255L));
  }
  return out;
}

Point original_pixel(Point p, const plan::Crop& crop, int width, int padding) {
  const int x = crop.flip ? width - 1 - p.x : p.x;
  return {crop.top + p.y - padding, crop.left + x - padding};
}

}  // namespace smcl::experiment
