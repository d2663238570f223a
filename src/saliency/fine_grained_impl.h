#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/cpu.h"
#include "image/geometry.h"
#include "saliency/detector.h"

/// Inside of the detectors `fine_grained` and `joint`: the stages, one implementation an
/// instruction set, all with identical output. The arithmetic is in docs/saliency.md.
namespace smcl::saliency::fine_grained {

/// Window radii in pixels (Montabone & Soto 2010, as OpenCV has them).
inline constexpr std::array<int, 6> kRadii = {12, 24, 28, 48, 56, 112};

/// Largest sum of centre-surround differences: six radii of at most 255.
inline constexpr int kMaxSum = 6 * 255;

/// Bytes that vector code may read and write past the end of a row of working memory.
inline constexpr int kSlack = 64;

/// Up to this total OpenCV's float32 sums of two entries of the integral image are exact.
inline constexpr std::uint32_t kFloatSumsRound = 1u << 23;
/// Images of at most so many pixels (256x256 and a little more) have a float32 integral image that
/// is exact whatever they show. They follow OpenCV; larger ones are summed in whole numbers.
inline constexpr std::int64_t kMostPixelsAsOpenCv = (1 << 24) / 255;

/// How the two corners that are added round.
enum class Corners {
  exact,    ///< not at all
  float32,  ///< as the float32 sum does: to an even number from 2^24 on, halves to nearest even
};

/// A radius as it applies to one image size. Radii that cover the whole image from every pixel
/// give the same difference: they become one scale with a weight.
struct Scale {
  int radius = 0;
  int weight = 1;                 ///< how many radii this one stands for
  bool whole = false;             ///< the window is the whole image everywhere
  const float* widths = nullptr;  ///< window width at each column; unset where whole
};

/// Working memory for one image size, as plain pointers: code for one instruction set must not
/// instantiate library templates that the linker could then share with other code.
struct Frame {
  int height = 0;
  int width = 0;
  bool as_opencv = true;  ///< at most kMostPixelsAsOpenCv pixels
  /// Two 8-bit planes; `plane_stride` bytes a row, of which one lies before column 0.
  std::uint8_t* grey = nullptr;
  std::uint8_t* spare = nullptr;
  std::ptrdiff_t plane_stride = 0;
  /// (height + 1) rows of the integral image, its column 0 at integral[0], its column 1 at the
  /// start of a cache line. Column 0 and what lies left of it are at least `margin` zeros; right of
  /// column `width` lie at least `margin` copies of the row's last value, and more room for
  /// vectors.
  std::uint32_t* integral = nullptr;
  std::ptrdiff_t integral_stride = 0;
  int margin = 0;  ///< as far as windows reach, in whole cache lines
  int scale_count = 0;
  Scale scales[6];  ///< from the least radius on; one that is `whole` comes last
  /// Sums over the radii, height * width, rows without gaps.
  std::uint16_t* on = nullptr;
  std::uint16_t* off = nullptr;
};

/// Largest entries of Frame::on, Frame::off and of their sum.
struct Maxima {
  int on = 0;
  int off = 0;
  int both = 0;
};

/// What a detector runs, for one instruction set.
struct Kernels {
  /// Steps 1 to 4: image to Frame::on and Frame::off.
  Maxima (*centre_surround)(const ImageView& image, Frame& frame);
  /// Steps 5 and 6: each scaled by its own maximum, added modulo 256.
  void (*scale_apart)(const Frame& frame, const Maxima& maxima, std::uint8_t* out);
  /// The sum scaled by its maximum.
  void (*scale_joint)(const Frame& frame, const Maxima& maxima, std::uint8_t* out);
};

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

/// The implementation for `isa`; the CPU must support it.
const Kernels& kernels(Isa isa);

/// Owns the memory of a Frame and lays it out anew when the image size changes.
class FineGrainedWorkspace : public Workspace {
 public:
  Frame& fit(int height, int width);

 private:
  void lay_out(int height, int width);
  void lay_out_integral(std::size_t rows);

  Frame frame_;
  std::vector<std::uint8_t> planes_;
  std::vector<std::uint32_t> integral_;
  std::size_t zeroed_rows_ = 0;
  std::vector<float> widths_;
  std::vector<std::uint16_t> sums_;
};

/// Checks image and workspace for a detector of this family; throws UsageError.
Frame& prepare(const ImageView& image, Workspace& workspace);

}  // namespace smcl::saliency::fine_grained
