#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/cpu.h"
#include "kernels/trunk.h"

/// The work that trunk.h does on one image, a table of functions for each instruction set
/// (docs/cpu-step.md has the flow of data). Sizes are in pixels and channels, channels are
/// multiples of 16. Activations in memory are dense [height][width][channels] of the element type.
/// What the convolutions read are *maps* in scratch memory: [height + 2][width + 2][channels] with
/// a border of zeros, made of 4-byte *cells*: one float, or two neighbouring bf16 values, that is
/// one channel or two.
namespace smcl::kernels {

/// Channels of a cell.
constexpr int cell_channels(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::fp32 ? 1 : 2;
}

/// Channels of the images' maps: three, and zeros.
constexpr int stem_channels(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::bf16_tiles ? 16 : 4;
}

/// The inner size of a map or an activation.
struct MapSize {
  int height = 0;
  int width = 0;
  int channels = 0;
};

/// image [height][width][3] -> map of stem_channels.
struct ImageTask {
  const void* image = nullptr;
  float* map = nullptr;
  MapSize size;  ///< channels = stem_channels
};

/// map = z = relu(y * scale + shift + residual), rounded to the element type.
struct ActivateTask {
  const void* y = nullptr;
  const float* scale = nullptr;  ///< [channels]; null: map = y
  const float* shift = nullptr;
  const void* residual = nullptr;  ///< null: nothing is added
  void* z = nullptr;               ///< null: not kept
  float* map = nullptr;            ///< null in PoolTask only
  float* pairs = nullptr;          ///< bf16_pairs: instead of map and z, what PairTask makes of it
  MapSize size;
};

/// map = a * gradient + b * y + c, rounded to the element type: the gradient through batch norm.
struct GradientTask {
  const void* gradient = nullptr;
  const void* y = nullptr;
  const float* a = nullptr;  ///< [channels], of norm_backward_factors
  const float* b = nullptr;
  const float* c = nullptr;
  float* map = nullptr;
  float* pairs = nullptr;  ///< bf16_pairs: cells of the neighbours 2 p and 2 p + 1 of a row too,
                           ///< [rows][pixels / 2][channels]
  MapSize size;
};

/// The option-A shortcut: out [height / 2][width / 2][2 * channels], every second pixel of `in`,
/// its channels in the middle, zeros around.
struct ShortcutTask {
  const void* in = nullptr;
  void* out = nullptr;
  bool maps = false;  ///< both are maps, not activations
  MapSize size;       ///< of `in`
};

/// features[c] = mean over the pixels of relu(y * scale + shift + residual), which z keeps: it is
/// not null.
struct PoolTask {
  ActivateTask activate;  ///< map is null
  float* features = nullptr;
};

/// features[c] = mean over the pixels of a map.
struct PoolMapTask {
  const float* map = nullptr;
  float* features = nullptr;
  MapSize size;
};

/// The start of the backward pass: g = rounded(features / pixels) where z > 0, over z; sums as
/// BackwardEnd's.
struct UnpoolTask {
  const float* features = nullptr;  ///< gradient of the pooled features, [channels]
  void* z = nullptr;                ///< overwritten with g
  const void* y = nullptr;
  const float* mean = nullptr;
  float* sums = nullptr;
  MapSize size;
};

/// Cells that follow one another, from an output's first input cell on.
struct Run {
  std::ptrdiff_t offset = 0;
  int cells = 0;
};

/// What the next image will read, to be brought into the second cache while this one is at work.
struct Ahead {
  const void* from[3] = {};  ///< null: nothing
  std::size_t bytes[3] = {};
};

/// One convolution over a map: the output at (r, c) is the sum over the runs of the cells at
/// map + r * row_step + c * pixel_step + offset, times the weights.
struct ConvTask {
  const float* map = nullptr;
  std::ptrdiff_t row_step = 0;  ///< cells
  int pixel_step = 0;           ///< cells
  int height = 0;               ///< of the output
  int width = 0;                ///< of the output, a multiple of 4
  int channels = 0;             ///< of the output
  Run runs[3];
  int run_count = 0;
  const float* weights = nullptr;  ///< as trunk_weights.h packs them
  float* rows = nullptr;           ///< scratch, row_floats(width)
  float* points = nullptr;         ///< null, or scratch, winograd_floats(...), for the way of
                                   ///< trunk_winograd.h: 3x3 taps at stride 1, an even height, as
                                   ///< many channels in as out, fp32 products
  Ahead ahead;
};

/// Room for the outputs of a panel that are in work: two groups of up to four rows, the second at
/// another place within a page, or the CPU takes its reads for those of the first.
constexpr std::size_t group_floats(int width) {
  return std::size_t{4} * 32 * static_cast<std::size_t>(width) + 272;
}
constexpr std::size_t row_floats(int width) {
  return 2 * group_floats(width);
}

constexpr int kWinogradPoints = 16;  ///< of a window of 4 x 4 inputs and 2 x 2 outputs

/// Rows of windows that are in work together: as many as make no more than 16 windows, or one;
/// of a height of two or more.
constexpr int winograd_rows(int height, int width) {
  return std::clamp(32 / width, 1, height / 2);
}
/// Floats from one point of the windows in work to the next, no multiple of a page.
constexpr std::ptrdiff_t winograd_pitch(int windows, int channels) {
  return static_cast<std::ptrdiff_t>(windows) * channels + 16;
}

/// Room for the points in work of two maps, or of one and the products of a panel.
constexpr std::size_t winograd_floats(int height, int width, int channels) {
  const int windows = winograd_rows(height, width) * (width / 2);
  return static_cast<std::size_t>(2 * kWinogradPoints *
                                  winograd_pitch(windows, std::max(channels, 32)));
}

/// Where the output at (r, c) goes: base + r * row + c * pixel, in elements.
struct Placed {
  std::ptrdiff_t row = 0;
  std::ptrdiff_t pixel = 0;
};

/// Forward, training: y = rounded output; sums of y - pivot and of its square are added.
struct ForwardEnd {
  void* y = nullptr;
  Placed place;
  const float* pivot = nullptr;  ///< [channels]
  float* sums = nullptr;         ///< [2][channels]
};

/// Backward: g = rounded(output + added) where the activation that the gradient belongs to was
/// positive, else 0. Sums of g and of g * (y - mean) are added.
struct BackwardEnd {
  void* g = nullptr;        ///< may be where `positive` or `y` lies
  const void* y = nullptr;  ///< placed as g
  Placed place;
  const void* positive = nullptr;  ///< the activation, placed as g; null: y * scale + shift
  const float* scale = nullptr;
  const float* shift = nullptr;
  const void* added = nullptr;  ///< null: nothing is added
  Placed added_place;
  const float* mean = nullptr;  ///< [channels]
  float* sums = nullptr;        ///< [2][channels]
};

/// Inference: map = rounded(relu(output * scale + shift + residual)), straight into the next map.
struct InferEnd {
  float* map = nullptr;  ///< the border's first cell
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* residual = nullptr;  ///< a map of the same size; null: nothing is added
  MapSize size;
};

/// dw[run][m][c] += sum over rows r and steps k of x[r * x_row + k * x_step + run * run_offset + m]
/// * dy[r * dy_row + k * channels + c]: the gradient of the weights, [3][3 * in][channels].
struct WeightTask {
  const float* x = nullptr;
  std::ptrdiff_t x_row = 0;       ///< cells
  std::ptrdiff_t x_step = 0;      ///< cells
  std::ptrdiff_t run_offset = 0;  ///< cells from one row of taps to the next
  int run_cells = 0;              ///< 3 * in, a multiple of 12
  const float* dy = nullptr;
  std::ptrdiff_t dy_row = 0;
  int rows = 0;
  int steps = 0;
  int channels = 0;
  float* dw = nullptr;
  bool first = false;  ///< dw holds nothing yet and is overwritten
};

/// dw[point][in][out] += sum over the windows of the points of x times those of dy, for a layer
/// with as many channels in as out (trunk_winograd.h).
struct WinogradWeightTask {
  const float* x = nullptr;   ///< its map
  const float* dy = nullptr;  ///< the first cell inside the border of its map
  std::ptrdiff_t row = 0;     ///< cells from row to row of both
  int height = 0;             ///< even
  int width = 0;
  int channels = 0;
  float* points = nullptr;  ///< scratch, winograd_floats(height, width, channels)
  float* dw = nullptr;
  bool first = false;  ///< dw holds nothing yet and is overwritten
};

/// Two neighbours of a row as one cell, as bf16_pairs wants them for WeightTask: a map of bf16
/// values, its border with it, to cells [rows][pixels][channels] of (pixel p, pixel p + distance).
struct PairTask {
  const float* map = nullptr;
  float* cells = nullptr;
  std::ptrdiff_t row = 0;  ///< cells of `map` from row to row
  int rows = 0;
  int pixels = 0;
  int distance = 1;  ///< pixels between the two of a cell
  int channels = 0;  ///< a multiple of 4
};

/// The gradient of the weights in tiles (trunk_tiles.h): packs one image into its place among a few
/// and, where `images` is not 0, adds the sums over the pixels of the first `images` places to dw,
/// [9][out][in]: reading and writing dw costs as much as the sums over a small image.
struct TileWeightTask {
  const float* x = nullptr;   ///< its map
  const float* dy = nullptr;  ///< its map
  MapSize in;
  MapSize out;
  int stride = 1;
  int place = 0;
  int images = 0;
  float* x_pairs = nullptr;   ///< scratch, [places][tile_x_floats]
  float* dy_tiles = nullptr;  ///< scratch, [places][tile_dy_floats]
  float* dw = nullptr;
};
std::size_t tile_x_floats(const MapSize& in, int stride);
std::size_t tile_dy_floats(const MapSize& out);

struct TrunkPasses {
  Arithmetic arithmetic = Arithmetic::fp32;
  int (*panel)(const ConvTask&) = nullptr;  ///< output channels that are computed together
  void (*image)(const ImageTask&) = nullptr;
  void (*activate)(const ActivateTask&) = nullptr;
  void (*gradient)(const GradientTask&) = nullptr;
  void (*shortcut)(const ShortcutTask&) = nullptr;
  void (*pool)(const PoolTask&) = nullptr;
  void (*pool_map)(const PoolMapTask&) = nullptr;
  void (*unpool)(const UnpoolTask&) = nullptr;
  void (*forward)(const ConvTask&, const ForwardEnd&) = nullptr;
  void (*backward)(const ConvTask&, const BackwardEnd&) = nullptr;
  void (*infer)(const ConvTask&, const InferEnd&) = nullptr;
  void (*weights)(const WeightTask&) = nullptr;
  void (*winograd_weights)(const WinogradWeightTask&) = nullptr;  ///< fp32 only
  void (*pair)(const PairTask&) = nullptr;                        ///< bf16_pairs only
  void (*tile_weights)(const TileWeightTask&) = nullptr;  ///< bf16_tiles only, instead of `weights`
};

const TrunkPasses& trunk_passes_scalar(Element element);
const TrunkPasses& trunk_passes_avx2(Element element);
const TrunkPasses& trunk_passes_avx512(Element element);
const TrunkPasses& trunk_passes_avx512bf16();
const TrunkPasses& trunk_passes_amx();
/// bf16_pairs and bf16_tiles in plain code: the reference for what the CPU has instructions for.
const TrunkPasses& trunk_passes_scalar_pairs();
const TrunkPasses& trunk_passes_scalar_tiles();

/// Asks the system for the use of tiles by this process; false where there are none.
bool may_use_tiles();

}  // namespace smcl::kernels
