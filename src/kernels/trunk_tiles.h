#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/trunk_fetcher.h"
#include "kernels/trunk_passes.h"

/// Convolutions and gradients of weights in tiles: matrices of 16 rows of 64 bytes (Intel AMX),
/// over traits `P` (trunk_loops.h) with P::Tiles, the eight tiles of a core:
///   configure(rows)      tiles 0 to 5 get `rows` rows, 6 and 7 get 16
///   release()
///   zero<t>(), load<t>(from, pitch), store<t>(to, pitch), pitches in bytes
///   dot<c, a, b>()       c[m][n] += sum over k of the two products of the cells a[m][k], b[k][n]
/// Convolutions sum over 16 cells (32 channels) at a time, so runs are padded to 16 cells and
/// weights with zeros. Where a pixel has 8 cells (16 channels), two neighbouring pixels are one row
/// of a tile and its outputs are those of both: 64 bytes on a cache line's border, which matters
/// most.
namespace smcl::kernels {
namespace {

/// The most rows, up to 16, that part `count` evenly.
inline int tile_rows(int count) {
  int rows = std::min(16, count);
  while (count % rows != 0) --rows;
  return rows;
}

template <class P>
struct TileConvolution {
  using Tiles = typename P::Tiles;

  explicit TileConvolution(const ConvTask& convolution)
      : task(convolution),
        pairs(task.pixel_step == kPairCells),
        lanes(pairs ? 32 : P::vectors(task) * static_cast<int>(P::V::kLanes)),
        count(pairs ? task.width / 2 : task.width),
        step(pairs ? 2 * kPairCells : task.pixel_step),
        rows(tile_rows(count)),
        a_row(count / rows) {}

  /// Tiles of outputs from tile `first` on, of all rows of the image in their order, to `out`.
  template <int kTiles, int kLanes16>
  void block(int first, const float* weights, float* out) const {
    const float* a[kTiles];
    for (int i = 0; i < kTiles; ++i) {
      const int r = (first + i) / a_row;
      const int t = (first + i) % a_row;
      a[i] = task.map + r * task.row_step + static_cast<std::ptrdiff_t>(t) * rows * step;
    }
    const std::ptrdiff_t pitch = static_cast<std::ptrdiff_t>(step) * 4;
    constexpr std::ptrdiff_t kWeightPitch = kLanes16 * 64;
    clear<kTiles * kLanes16>();
    for (int i = 0; i < task.run_count; ++i) {
      const Run& run = task.runs[i];
      for (int k = 0; k < run.cells; k += 16) {
        const std::ptrdiff_t at = run.offset + k;
        Tiles::template load<6>(weights, kWeightPitch);
        Tiles::template load<4>(a[0] + at, pitch);
        Tiles::template dot<0, 4, 6>();
        if constexpr (kLanes16 == 2) {
          Tiles::template load<7>(weights + 16, kWeightPitch);
          Tiles::template dot<1, 4, 7>();
          if constexpr (kTiles == 2) {
            Tiles::template load<5>(a[1] + at, pitch);
            Tiles::template dot<2, 5, 6>();
            Tiles::template dot<3, 5, 7>();
          }
        } else if constexpr (kTiles == 4) {
          Tiles::template load<5>(a[1] + at, pitch);
          Tiles::template dot<1, 5, 6>();
          Tiles::template load<4>(a[2] + at, pitch);
          Tiles::template dot<2, 4, 6>();
          Tiles::template load<5>(a[3] + at, pitch);
          Tiles::template dot<3, 5, 6>();
        }
        weights += static_cast<std::ptrdiff_t>(16) * 16 * kLanes16;
      }
    }
    const std::ptrdiff_t tile = static_cast<std::ptrdiff_t>(rows) * 16 * kLanes16;
    Tiles::template store<0>(out, kWeightPitch);
    if constexpr (kLanes16 == 2) {
      Tiles::template store<1>(out + 16, kWeightPitch);
      if constexpr (kTiles == 2) {
        Tiles::template store<2>(out + tile, kWeightPitch);
        Tiles::template store<3>(out + tile + 16, kWeightPitch);
      }
    } else if constexpr (kTiles == 4) {
      Tiles::template store<1>(out + tile, kWeightPitch);
      Tiles::template store<2>(out + 2 * tile, kWeightPitch);
      Tiles::template store<3>(out + 3 * tile, kWeightPitch);
    }
  }

  template <int kCount>
  static void clear() {
    Tiles::template zero<0>();
    if constexpr (kCount > 1) Tiles::template zero<1>();
    if constexpr (kCount > 2) {
      Tiles::template zero<2>();
      Tiles::template zero<3>();
    }
  }

  /// Image rows [first, last) to `out`, [rows][width][panel].
  template <int kTiles, int kLanes16>
  void group(int first, int last, const float* weights, float* out) const {
    const std::ptrdiff_t tile = static_cast<std::ptrdiff_t>(rows) * 16 * kLanes16;
    int t = first * a_row;
    const int end = last * a_row;
    for (; t + kTiles <= end; t += kTiles, out += kTiles * tile) {
      block<kTiles, kLanes16>(t, weights, out);
    }
    for (; t < end; ++t, out += tile) block<1, kLanes16>(t, weights, out);
  }

  /// As TrunkLoops::convolve. A group's outputs are used while the next one's tiles are at work.
  template <class End>
  void run(int panel, End end) const {
    Tiles::configure(rows);
    const bool wide = lanes == 32;
    const int tiles = wide ? 2 : 4;
    const int group_rows = std::max(1, tiles / a_row);
    std::ptrdiff_t weights_size = 0;
    for (int i = 0; i < task.run_count; ++i) weights_size += (task.runs[i].cells + 15) / 16 * 16;
    weights_size *= lanes;
    const float* weights = task.weights;
    float* buffers[2] = {task.rows, task.rows + group_floats(task.width)};
    Fetcher fetcher(task.ahead, task.channels / panel * ((task.height - 1) / group_rows + 1));
    for (int ch = 0; ch < task.channels; ch += panel, weights += weights_size) {
      int waiting = -1;  // the first row of the group that is computed and not yet used
      for (int r = 0, which = 0; r < task.height; r += group_rows, which ^= 1) {
        const int last = std::min(task.height, r + group_rows);
        fetcher.step();
        if (wide) {
          group<2, 2>(r, last, weights, buffers[which]);
        } else {
          group<4, 1>(r, last, weights, buffers[which]);
        }
        use(waiting, r, ch, panel, buffers[which ^ 1], end);
        waiting = r;
        if (last == task.height) use(waiting, last, ch, panel, buffers[which], end);
      }
    }
    Tiles::release();
  }

  template <class End>
  void use(int first, int last, int ch, int panel, const float* out, End end) const {
    if (first < 0) return;
    for (int r = first; r < last; ++r) {
      end(r, ch, out + static_cast<std::ptrdiff_t>(r - first) * task.width * panel);
    }
  }

  static constexpr int kPairCells = 8;
  const ConvTask& task;
  bool pairs;
  int lanes;  ///< of a row of weights
  int count;  ///< rows of tiles that a row of the image has
  int step;   ///< cells from one to the next
  int rows;   ///< of a tile
  int a_row;  ///< tiles of a row of the image
};

/// The gradient of the weights. The sums run over the pixels of an image, 32 at a time: one operand
/// is dy with its channels as rows, the other pairs of neighbouring pixels of x, packed for each
/// column of taps without a border so that the pixels follow one another from row to row.
template <class P>
struct TileWeights {
  using Tiles = typename P::Tiles;

  explicit TileWeights(const TileWeightTask& gradient)
      : task(gradient),
        pairs(task.out.width / 2),
        steps((task.out.height * task.out.width + 31) / 32),
        plane_rows(task.stride == 1 ? task.in.height + 2 : task.in.height / 2 + 1),
        plane(static_cast<std::ptrdiff_t>(plane_rows) * pairs * task.in.channels),
        x_place(static_cast<std::ptrdiff_t>(tile_x_floats(task.in, task.stride))),
        dy_place(static_cast<std::ptrdiff_t>(tile_dy_floats(task.out))) {}

  /// x_pairs [3 columns of taps][stride parities of the row][rows][pairs][channels].
  void pack_x() const {
    const int channels = task.in.channels;
    float* planes = task.x_pairs + task.place * x_place;
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(task.in.width + 2) * channels;
    const auto* map = reinterpret_cast<const std::uint16_t*>(task.x);
    for (int column = 0; column < 3; ++column) {
      for (int r = 0; r < task.stride * plane_rows; ++r) {
        const std::uint16_t* in = map + r * row + static_cast<std::ptrdiff_t>(column) * channels;
        float* out = planes + (column * task.stride + r % task.stride) * plane +
                     static_cast<std::ptrdiff_t>(r / task.stride) * pairs * channels;
        const std::ptrdiff_t next = static_cast<std::ptrdiff_t>(task.stride) * channels;
        for (int k = 0; k < pairs; ++k, in += 2 * next, out += channels) {
          P::join(in, in + next, out, channels);
        }
      }
    }
    // What the last step reads behind the last pixel is multiplied by 0, but may be a NaN.
    std::fill_n(planes + 3 * task.stride * plane, step_cells(), 0.0F);
  }

  /// dy_tiles [channels / 16][steps][16 channels][16 pairs].
  void pack_dy() const {
    const int channels = task.out.channels;
    float* tiles = task.dy_tiles + task.place * dy_place;
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(task.out.width + 2) * channels;
    const auto* map = reinterpret_cast<const std::uint16_t*>(task.dy) + row + channels;
    alignas(64) float cells[16 * 16];
    const int all = task.out.height * pairs;
    for (int ch = 0; ch < channels; ch += 16) {
      for (int step = 0; step < steps; ++step) {
        for (int k = 0; k < 16; ++k) {
          const int pair = step * 16 + k;
          if (pair >= all) {
            std::fill_n(cells + 16 * k, 16, 0.0F);
            continue;
          }
          const std::uint16_t* in = map + (pair / pairs) * row +
                                    static_cast<std::ptrdiff_t>(pair % pairs) * 2 * channels + ch;
          P::join(in, in + channels, cells + 16 * k, 16);
        }
        P::transpose(cells, tiles + (ch / 16 * steps + step) * 256);
      }
    }
  }

  struct Column {
    const float* x;
    float* dw;
  };
  /// Column `i` of 9 * in / 16: a tap and 16 input channels.
  Column column(int i, int out_channel) const {
    const int slices = task.in.channels / 16;
    const int tap = i / slices;
    const int ch = i % slices * 16;
    const int r = tap / 3;
    const std::ptrdiff_t parity = (tap % 3) * task.stride + r % task.stride;
    return {task.x_pairs + parity * plane +
                static_cast<std::ptrdiff_t>(r / task.stride) * pairs * task.in.channels + ch,
            task.dw +
                (static_cast<std::ptrdiff_t>(tap) * task.out.channels + out_channel) *
                    task.in.channels +
                ch};
  }

  static constexpr std::ptrdiff_t kTile = 256;  ///< floats
  /// Cells of x that a step reads.
  std::ptrdiff_t step_cells() const { return static_cast<std::ptrdiff_t>(16) * task.in.channels; }

  /// One tile of output channels and three columns.
  void one_by_three(int out_channel, int first) const {
    const std::ptrdiff_t pitch = static_cast<std::ptrdiff_t>(task.in.channels) * 4;
    const Column c[3] = {column(first, out_channel), column(first + 1, out_channel),
                         column(first + 2, out_channel)};
    Tiles::template load<0>(c[0].dw, pitch);
    Tiles::template load<1>(c[1].dw, pitch);
    Tiles::template load<2>(c[2].dw, pitch);
    const float* dy = task.dy_tiles + static_cast<std::ptrdiff_t>(out_channel / 16) * steps * 256;
    for (int image = 0; image < task.images; ++image) {
      for (int s = 0; s < steps; ++s) {
        const std::ptrdiff_t at = image * x_place + s * step_cells();
        Tiles::template load<4>(dy + image * dy_place + s * kTile, 64);
        Tiles::template load<6>(c[0].x + at, pitch);
        Tiles::template dot<0, 4, 6>();
        Tiles::template load<7>(c[1].x + at, pitch);
        Tiles::template dot<1, 4, 7>();
        Tiles::template load<5>(c[2].x + at, pitch);
        Tiles::template dot<2, 4, 5>();
      }
    }
    Tiles::template store<0>(c[0].dw, pitch);
    Tiles::template store<1>(c[1].dw, pitch);
    Tiles::template store<2>(c[2].dw, pitch);
  }

  /// Two tiles of output channels and kColumns columns, one or two.
  template <int kColumns>
  void two_by(int out_channel, int first) const {
    const std::ptrdiff_t pitch = static_cast<std::ptrdiff_t>(task.in.channels) * 4;
    const std::ptrdiff_t below = static_cast<std::ptrdiff_t>(16) * task.in.channels;
    const Column c[2] = {column(first, out_channel), column(first + kColumns - 1, out_channel)};
    Tiles::template load<0>(c[0].dw, pitch);
    Tiles::template load<2>(c[0].dw + below, pitch);
    if constexpr (kColumns == 2) {
      Tiles::template load<1>(c[1].dw, pitch);
      Tiles::template load<3>(c[1].dw + below, pitch);
    }
    const float* dy = task.dy_tiles + static_cast<std::ptrdiff_t>(out_channel / 16) * steps * 256;
    for (int image = 0; image < task.images; ++image) {
      for (int s = 0; s < steps; ++s) {
        const std::ptrdiff_t at = image * x_place + s * step_cells();
        const float* here = dy + image * dy_place + s * kTile;
        Tiles::template load<4>(here, 64);
        Tiles::template load<6>(c[0].x + at, pitch);
        Tiles::template dot<0, 4, 6>();
        Tiles::template load<5>(here + steps * kTile, 64);
        Tiles::template dot<2, 5, 6>();
        if constexpr (kColumns == 2) {
          Tiles::template load<7>(c[1].x + at, pitch);
          Tiles::template dot<1, 4, 7>();
          Tiles::template dot<3, 5, 7>();
        }
      }
    }
    Tiles::template store<0>(c[0].dw, pitch);
    Tiles::template store<2>(c[0].dw + below, pitch);
    if constexpr (kColumns == 2) {
      Tiles::template store<1>(c[1].dw, pitch);
      Tiles::template store<3>(c[1].dw + below, pitch);
    }
  }

  void run() const {
    pack_x();
    pack_dy();
    if (task.images == 0) return;
    Tiles::configure(16);
    const int columns = 9 * task.in.channels / 16;
    if (task.out.channels % 32 != 0) {
      for (int ch = 0; ch < task.out.channels; ch += 16) {
        for (int i = 0; i < columns; i += 3) one_by_three(ch, i);
      }
    } else {
      for (int ch = 0; ch < task.out.channels; ch += 32) {
        int i = 0;
        for (; i + 2 <= columns; i += 2) two_by<2>(ch, i);
        if (i < columns) two_by<1>(ch, i);
      }
    }
    Tiles::release();
  }

  const TileWeightTask& task;
  int pairs;       ///< of a row of dy
  int steps;       ///< of 32 pixels
  int plane_rows;  ///< rows of x of one parity
  std::ptrdiff_t plane;
  std::ptrdiff_t x_place;  ///< floats from image to image
  std::ptrdiff_t dy_place;
};

}  // namespace
}  // namespace smcl::kernels
