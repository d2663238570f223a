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

/// The distinct scales of an image size.
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
      scales[count++] = {radius, 1, whole};
    }
  }
  return count;
}

/// Grows and never shrinks, so that changing sizes do not initialise the same memory over and over.
template <class T>
T* at_least(std::vector<T>& memory, std::size_t count) {
  if (memory.size() < count) memory.resize(count);
  return memory.data();
}

void fill_widths(int radius, int width, float* widths) {
  for (int x = 0; x < width; ++x) {
    const int x1 = std::max(x - radius + 1, 0);
    const int x2 = std::min(x + radius + 1, width);
    widths[x] = static_cast<float>(x2 - x1);
  }
  std::fill_n(widths + width, kSlack / 2, 1.0f);
}

constexpr int kLine = 64;  // bytes of a cache line
constexpr int kLineEntries = kLine / static_cast<int>(sizeof(std::uint32_t));

/// `entries` of the integral image, rounded up to whole cache lines.
int whole_lines(int entries) {
  return (entries + kLineEntries - 1) / kLineEntries * kLineEntries;
}

/// As `at_least`, from a whole cache line on.
template <class T>
T* aligned_at_least(std::vector<T>& memory, std::size_t count) {
  T* const start = at_least(memory, count + kLine / sizeof(T));
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(start) % kLine;
  return start + (kLine - past) % kLine / sizeof(T);
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
  f.as_opencv = std::int64_t{height} * width <= kMostPixelsAsOpenCv;
  const auto rows = static_cast<std::size_t>(height);

  f.plane_stride = width + 2 + kSlack;
  const std::size_t plane = rows * static_cast<std::size_t>(f.plane_stride) + kSlack;
  f.grey = at_least(planes_, 2 * plane) + 1;
  f.spare = f.grey + plane;

  f.scale_count = choose_scales(height, width, f.scales);
  lay_out_integral(rows);

  const std::size_t pixels = rows * static_cast<std::size_t>(width) + kSlack;
  f.on = at_least(sums_, 2 * pixels);
  f.off = f.on + pixels;

  const std::size_t row = (static_cast<std::size_t>(width) + 2 * kSlack) / kSlack * kSlack;
  float* widths = aligned_at_least(widths_, row * static_cast<std::size_t>(f.scale_count));
  for (int i = 0; i < f.scale_count; ++i, widths += row) {
    if (f.scales[i].whole) continue;
    fill_widths(f.scales[i].radius, width, widths);
    f.scales[i].widths = widths;
  }
}

/// Only what integration leaves alone must be zero: the first row, and column 0 with the margin
/// left of it.
void FineGrainedWorkspace::lay_out_integral(std::size_t rows) {
  Frame& f = frame_;
  int reach = 1;
  for (int i = 0; i < f.scale_count; ++i) {  // what lies behind them is of an earlier size
    if (!f.scales[i].whole) reach = std::max(reach, f.scales[i].radius);
  }
  const int margin = whole_lines(reach);
  const int stride = margin + whole_lines(f.width) + margin + 3 * kLineEntries;
  if (margin == f.margin && stride == f.integral_stride && rows <= zeroed_rows_) return;
  const auto row = static_cast<std::size_t>(stride);
  std::uint32_t* start = aligned_at_least(integral_, (rows + 1) * row);
  std::fill_n(start, row, 0u);
  for (std::size_t y = 1; y <= rows; ++y) std::fill_n(start + y * row, margin, 0u);
  f.margin = margin;
  f.integral = start + margin - 1;
  f.integral_stride = stride;
  zeroed_rows_ = rows;
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
