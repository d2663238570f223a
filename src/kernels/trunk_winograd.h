#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/trunk_fetcher.h"
#include "kernels/trunk_multiply.h"
#include "kernels/trunk_passes.h"

/// 3x3 convolutions at stride 1 by minimal filtering, F(2 x 2, 3 x 3) of Lavin and Gray (arXiv
/// 1509.09308): 16 products for a window of four outputs instead of 36, over the traits of
/// trunk_loops.h, for fp32 products. A window of 4 x 4 inputs becomes 16 *points* B^T d B, of which
/// each is multiplied by the weights of that point, G g G^T; what comes out becomes four outputs,
/// A^T m A. The gradient of the weights is G^T (sum of (B^T d B) (A dy A^T)) G.
namespace smcl::kernels {
namespace {

template <class P>
struct Winograd {
  using V = typename P::V;
  using Float = typename V::Float;
  using All = typename V::All;
  static constexpr int kLanes = static_cast<int>(V::kLanes);

  /// One column or row of points.
  struct Four {
    Float at[4];
  };

  /// B^T d; the transforms are these of columns first, then of the rows of what comes out.
  static Four input_transform(Float d0, Float d1, Float d2, Float d3) {
    return {{V::sub(d0, d2), V::add(d1, d2), V::sub(d2, d1), V::sub(d1, d3)}};
  }
  /// A dy
  static Four gradient_transform(Float d0, Float d1) {
    return {{d0, V::add(d0, d1), V::sub(d0, d1), V::sub(V::zero(), d1)}};
  }
  /// A^T m, its first and its second half
  static Float output_first(const Four& m) { return V::add(V::add(m.at[0], m.at[1]), m.at[2]); }
  static Float output_second(const Four& m) { return V::sub(V::sub(m.at[1], m.at[2]), m.at[3]); }

  static Four input_column(const float* map, std::ptrdiff_t row) {
    return input_transform(V::load(map, All{}), V::load(map + row, All{}),
                           V::load(map + 2 * row, All{}), V::load(map + 3 * row, All{}));
  }
  static Four gradient_column(const float* map, std::ptrdiff_t row) {
    return gradient_transform(V::load(map, All{}), V::load(map + row, All{}));
  }

  static void store_points(const Four& row, float* to, std::ptrdiff_t pitch) {
    unrolled<4>([&](auto j)
                    __attribute__((always_inline)) { V::store(to + j * pitch, row.at[j], All{}); });
  }

  /// The points of one row of windows; `map` is the first of its 4 rows of cells.
  static void input_points(const float* map, std::ptrdiff_t row, int windows, int channels,
                           float* points, std::ptrdiff_t pitch) {
    for (int ch = 0; ch < channels; ch += kLanes) {
      const float* in = map + ch;
      float* out = points + ch;
      Four a = input_column(in, row);
      Four b = input_column(in + channels, row);
      for (int w = 0; w < windows; ++w, out += channels) {
        in += 2 * static_cast<std::ptrdiff_t>(channels);
        const Four c = input_column(in, row);
        const Four d = input_column(in + channels, row);
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
          store_points(input_transform(a.at[i], b.at[i], c.at[i], d.at[i]), out + 4 * i * pitch,
                       pitch);
        });
        a = c;
        b = d;
      }
    }
  }

  /// The points of one row of windows of a gradient; `map` is the first of its 2 rows of cells.
  static void gradient_points(const float* map, std::ptrdiff_t row, int windows, int channels,
                              float* points, std::ptrdiff_t pitch) {
    for (int ch = 0; ch < channels; ch += kLanes) {
      const float* in = map + ch;
      float* out = points + ch;
      for (int w = 0; w < windows; ++w, out += channels) {
        const Four a = gradient_column(in, row);
        const Four b = gradient_column(in + channels, row);
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
          store_points(gradient_transform(a.at[i], b.at[i]), out + 4 * i * pitch, pitch);
        });
        in += 2 * static_cast<std::ptrdiff_t>(channels);
      }
    }
  }

  /// The outputs of one row of windows, two rows of [pixels][panel].
  template <int kNv>
  static void outputs(const float* products, std::ptrdiff_t pitch, int windows, float* upper,
                      float* lower) {
    constexpr int kPanel = kNv * kLanes;
    for (int w = 0; w < windows; ++w) {
      for (int v = 0; v < kNv; ++v) {
        const float* from = products + w * kPanel + v * kLanes;
        Four above;
        Four below;
        unrolled<4>([&](auto j) __attribute__((always_inline)) {
          const Four column{
              {V::load(from + j * pitch, All{}), V::load(from + (4 + j) * pitch, All{}),
               V::load(from + (8 + j) * pitch, All{}), V::load(from + (12 + j) * pitch, All{})}};
          above.at[j] = output_first(column);
          below.at[j] = output_second(column);
        });
        const std::ptrdiff_t to = 2 * static_cast<std::ptrdiff_t>(w) * kPanel + v * kLanes;
        V::store(upper + to, output_first(above), All{});
        V::store(upper + to + kPanel, output_second(above), All{});
        V::store(lower + to, output_first(below), All{});
        V::store(lower + to + kPanel, output_second(below), All{});
      }
    }
  }

  /// Calls work(first, constant) for blocks of `count`, which is even, that fill the registers.
  template <int kNv, class Work>
  static void each_block(int count, Work work) {
    constexpr int kM = P::template kPixels<kNv>;
    int first = 0;
    for (; first + kM <= count; first += kM) work(first, std::integral_constant<int, kM>{});
    if constexpr (kM > 4) {
      for (; first + 4 <= count; first += 4) work(first, std::integral_constant<int, 4>{});
    }
    if constexpr (kM > 2) {
      for (; first < count; first += 2) work(first, std::integral_constant<int, 2>{});
    }
  }

  /// What of a convolution is in work.
  struct Windows {
    int count = 0;
    int in = 0;  ///< channels
    std::ptrdiff_t points_pitch = 0;
    std::ptrdiff_t products_pitch = 0;
  };

  /// The products of all points with the weights of a panel, [16][in][panel].
  template <int kNv>
  static void multiply_points(const Windows& windows, const float* points, const float* weights,
                              float* products) {
    constexpr int kPanel = kNv * kLanes;
    const int in = windows.in;
    for (int k = 0; k < kWinogradPoints; ++k) {
      each_block<kNv>(windows.count, [&](int w, auto count) {
        Sums<V, count, kNv> sums;
        sums.clear();
        multiply<V, typename P::D, count, kNv>(sums, points + w * in, 1, in, weights, kPanel, in);
        sums.store(products + w * kPanel, kPanel);
      });
      points += windows.points_pitch;
      weights += static_cast<std::ptrdiff_t>(in) * kPanel;
      products += windows.products_pitch;
    }
  }

  /// Calls end(row, first channel, outputs [width][panel]) for each row of each panel.
  template <int kNv, class End>
  static void convolve(const ConvTask& task, End end) {
    constexpr int kPanel = kNv * kLanes;
    const int across = task.width / 2;
    const int down = winograd_rows(task.height, task.width);
    const int in = task.pixel_step;
    Windows windows{0, in, winograd_pitch(down * across, in),
                    winograd_pitch(down * across, kPanel)};
    float* products = task.points + kWinogradPoints * windows.points_pitch;
    float* lower = task.rows + static_cast<std::ptrdiff_t>(task.width) * kPanel;
    Fetcher fetcher(task.ahead, task.channels / kPanel * ((task.height / 2 + down - 1) / down));
    for (int first = 0; first < task.height; first += 2 * down) {
      const int rows = std::min(down, (task.height - first) / 2);
      windows.count = rows * across;
      for (int r = 0; r < rows; ++r) {
        input_points(task.map + (first + 2 * r) * task.row_step, task.row_step, across, in,
                     task.points + static_cast<std::ptrdiff_t>(r) * across * in,
                     windows.points_pitch);
      }
      const float* weights = task.weights;
      for (int ch = 0; ch < task.channels; ch += kPanel) {
        fetcher.step();
        multiply_points<kNv>(windows, task.points, weights, products);
        weights += static_cast<std::ptrdiff_t>(kWinogradPoints) * in * kPanel;
        for (int r = 0; r < rows; ++r) {
          outputs<kNv>(products + static_cast<std::ptrdiff_t>(r) * across * kPanel,
                       windows.products_pitch, across, task.rows, lower);
          end(first + 2 * r, ch, task.rows);
          end(first + 2 * r + 1, ch, lower);
        }
      }
    }
  }

  template <int kNv>
  static void weights_with(const WinogradWeightTask& task) {
    const int across = task.width / 2;
    const int down = winograd_rows(task.height, task.width);
    const int channels = task.channels;
    const std::ptrdiff_t pitch = winograd_pitch(down * across, channels);
    float* x = task.points;
    float* dy = x + kWinogradPoints * pitch;
    for (int first = 0; first < task.height; first += 2 * down) {
      const int rows = std::min(down, (task.height - first) / 2);
      for (int r = 0; r < rows; ++r) {
        const std::ptrdiff_t cells = (first + 2 * r) * task.row;
        const std::ptrdiff_t window = static_cast<std::ptrdiff_t>(r) * across * channels;
        input_points(task.x + cells, task.row, across, channels, x + window, pitch);
        gradient_points(task.dy + cells, task.row, across, channels, dy + window, pitch);
      }
      float* dw = task.dw;
      for (int k = 0; k < kWinogradPoints; ++k, dw += channels * channels) {
        for (int ch = 0; ch < channels; ch += kNv * kLanes) {
          each_block<kNv>(channels, [&](int m, auto count) {
            Sums<V, count, kNv> sums;
            float* to = dw + static_cast<std::ptrdiff_t>(m) * channels + ch;
            sums.begin(to, channels, task.first && first == 0);
            multiply<V, typename P::D, count, kNv>(sums, x + k * pitch + m, channels, 1,
                                                   dy + k * pitch + ch, channels, rows * across);
            sums.store(to, channels);
          });
        }
      }
    }
  }
};

}  // namespace
}  // namespace smcl::kernels
