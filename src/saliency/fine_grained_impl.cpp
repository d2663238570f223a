#include "saliency/fine_grained_impl.h"

#include <algorithm>

#include "core/error.h"

namespace smcl::saliency::fine_grained {

const Kernels& kernels(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return kScalarKernels;
    case Isa::avx2:
      return kAvx2Kernels;
    case Isa::avx512:
    case Isa::avx512_bf16:
      return kAvx512Kernels;
  }
  return kScalarKernels;
}

namespace {

/// The distinct scales of an image size, widths unset.
int choose_scales(int height, int width, Scale (&scales)[6]) {
  const int longer = std::max(height, width);
  int count = 0;
  for (const int radius : kRadii) {
    const bool whole = radius >= longer;
    const auto same = std::find_if(scales, scales + count,
                                   [&](const Scale& scale) { return whole && scale.whole; });
    if (same != scales + count) {
      ++same->weight;
    } else {
      scales[count++] = {radius, 1, whole, nullptr};
    }
  }
  return count;
}

}  // namespace

Frame& FineGrainedWorkspace::fit(int height, int width) {
  if (frame_.height != height || frame_.width != width) lay_out(height, width);
  return frame_;
}

void FineGrainedWorkspace::lay_out(int height, int width) {
  Frame& f = frame_;
  f.height = height;
  f.width = width;
  const auto rows = static_cast<std::size_t>(height);

  f.plane_stride = width + 2 + kSlack;
  const std::size_t plane = rows * static_cast<std::size_t>(f.plane_stride) + kSlack;
  planes_.resize(2 * plane);
  f.grey = planes_.data() + 1;
  f.spare = planes_.data() + plane + 1;

  f.scale_count = choose_scales(height, width, f.scales);
  f.margin = 0;
  for (int i = 0; i < f.scale_count; ++i) {
    if (!f.scales[i].whole) f.margin = std::max(f.margin, f.scales[i].radius);
  }
  f.integral_stride = f.margin + width + 1 + f.margin + kSlack;
  integral_.assign((rows + 1) * static_cast<std::size_t>(f.integral_stride) + kSlack, 0);
  f.integral = integral_.data() + f.margin;

  const std::size_t row = static_cast<std::size_t>(width) + kSlack;
  widths_.assign(row * static_cast<std::size_t>(f.scale_count), 1.0f);
  for (int i = 0; i < f.scale_count; ++i) {
    Scale& scale = f.scales[i];
    if (scale.whole) continue;
    float* widths = widths_.data() + row * static_cast<std::size_t>(i);
    for (int x = 0; x < width; ++x) {
      const int x1 = std::max(x - scale.radius + 1, 0);
      const int x2 = std::min(x + scale.radius + 1, width);
      widths[x] = static_cast<float>(x2 - x1);
    }
    scale.widths = widths;
  }

  const std::size_t pixels = rows * static_cast<std::size_t>(width) + kSlack;
  sums_.resize(2 * pixels);
  f.on = sums_.data();
  f.off = sums_.data() + pixels;
}

Frame& prepare(const ImageView& image, Workspace& workspace) {
  if (image.height < 1 || image.width < 1 || (image.channels != 1 && image.channels != 3)) {
    throw UsageError(concat("saliency: got an image of ", image.height, "x", image.width, " with ",
                            image.channels,
                            " channels; expected at least 1x1 and 1 (grey) or 3 (RGB) channels"));
  }
  auto* own = dynamic_cast<FineGrainedWorkspace*>(&workspace);
  if (own == nullptr) {
    throw UsageError("saliency: the workspace is another detector's; make it by workspace()");
  }
  return own->fit(image.height, image.width);
}

}  // namespace smcl::saliency::fine_grained
