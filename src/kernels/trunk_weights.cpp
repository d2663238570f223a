#include "kernels/trunk_weights.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace smcl::kernels {
namespace {

int padded(int in, Arithmetic arithmetic) {
  return in == 3 ? stem_channels(arithmetic) : in;
}

/// Cells of a run that its weights are summed over.
int run_cells(int sum, std::size_t columns, const PanelLayout& layout) {
  const int pixels = static_cast<int>(columns) + (layout.pixel_pairs ? 1 : 0);
  const int cells = sum / cell_channels(layout.arithmetic) * pixels;
  return layout.arithmetic == Arithmetic::bf16_tiles ? (cells + 15) / 16 * 16 : cells;
}

int lanes(const PanelLayout& layout) {
  return layout.pixel_pairs ? 2 * layout.panel : layout.panel;
}

float as_float(float value) {
  return value;
}
float as_float(std::uint16_t bf16) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(bf16) << 16);
}

/// Where a run's weights lie: those of a tap at base + column, a lane (output) and a channel
/// (summed) further by their steps.
template <class T>
struct RunSource {
  const T* base = nullptr;
  std::ptrdiff_t lane = 0;
  std::ptrdiff_t channel = 0;
  std::ptrdiff_t columns[3] = {};
  int column_count = 0;
  int channels = 0;  ///< that there are; others count as 0
};

template <class T>
float cell_of(const T* weight, std::ptrdiff_t next, bool pairs) {
  if (!pairs) return as_float(*weight);
  const auto bits = [](T value) { return __builtin_bit_cast(std::uint32_t, as_float(value)); };
  const std::uint32_t high = next == 0 ? 0U : bits(weight[next]);
  return __builtin_bit_cast(float, bits(*weight) >> 16 | high);
}

/// One run, `sum` channels of it.
template <class T>
float* write_run(const RunSource<T>& from, int sum, const PanelLayout& layout, float* out) {
  const int share = cell_channels(layout.arithmetic);
  const int per_pixel = sum / share;
  const int cells = run_cells(sum, static_cast<std::size_t>(from.column_count), layout);
  const int outputs = layout.pixel_pairs ? 2 : 1;
  for (int k = 0; k < cells; ++k) {
    const int channel = k % per_pixel * share;
    for (int output = 0; output < outputs; ++output, out += layout.panel) {
      const int column = k / per_pixel - output;
      if (column < 0 || column >= from.column_count || channel >= from.channels) {
        std::fill_n(out, layout.panel, 0.0F);
        continue;
      }
      const T* weight = from.base + from.columns[column] + channel * from.channel;
      const std::ptrdiff_t next = channel + 1 < from.channels ? from.channel : 0;
      for (int lane = 0; lane < layout.panel; ++lane) {
        out[lane] = cell_of(weight + lane * from.lane, next, share == 2);
      }
    }
  }
  return out;
}

/// A row or column of three weights to its share of four points: G of trunk_winograd.h.
void to_points(const float* g, std::ptrdiff_t g_step, float* out, std::ptrdiff_t out_step) {
  const float ends = 0.5F * (g[0] + g[2 * g_step]);
  const float middle = 0.5F * g[g_step];
  out[0] = g[0];
  out[out_step] = ends + middle;
  out[2 * out_step] = ends - middle;
  out[3 * out_step] = g[2 * g_step];
}

/// G g G^T of all pairs of channels. Weights of a tap (row, column), a lane (output) and a channel
/// (summed) lie at row * rows + column * columns + lane * lanes + channel * channels.
struct WinogradSource {
  std::ptrdiff_t rows, columns, lanes, channels;
};

template <class T>
void write_winograd(const T* weights, const WinogradSource& step, int sum, int panel, float* out) {
  for (int channel = 0; channel < sum; ++channel) {
    for (int lane = 0; lane < panel; ++lane) {
      const T* from = weights + lane * step.lanes + channel * step.channels;
      float g[9];
      for (int tap = 0; tap < 9; ++tap) {
        g[tap] = as_float(from[tap / 3 * step.rows + tap % 3 * step.columns]);
      }
      float half[12];  // [points][columns]
      for (int column = 0; column < 3; ++column) to_points(g + column, 3, half + column, 3);
      float* to = out + static_cast<std::ptrdiff_t>(channel) * panel + lane;
      const std::ptrdiff_t point = static_cast<std::ptrdiff_t>(sum) * panel;
      for (int row = 0; row < 4; ++row) to_points(half + 3 * row, 1, to + 4 * row * point, point);
    }
  }
}

template <class T>
void pack_forward_of(const T* weights, const WeightShape& shape, const PanelLayout& layout,
                     float* out) {
  const std::ptrdiff_t in = shape.in;
  for (int first = 0; first < shape.out; first += layout.panel) {
    if (layout.winograd) {
      write_winograd(weights + first * 9 * in, {3 * in, in, 9 * in, 1}, shape.in, layout.panel,
                     out);
      out += kWinogradPoints * in * layout.panel;
      continue;
    }
    for (int row = 0; row < 3; ++row) {
      const RunSource<T> from{
          weights + (first * 9 + row * 3) * in, 9 * in, 1, {0, in, 2 * in}, 3, shape.in};
      out = write_run(from, padded(shape.in, layout.arithmetic), layout, out);
    }
  }
}

template <class T>
void pack_backward_of(const T* weights, const WeightShape& shape, const Taps& taps,
                      const PanelLayout& layout, float* out) {
  const std::ptrdiff_t in = shape.in;
  for (int first = 0; first < shape.in; first += layout.panel) {
    if (layout.winograd) {  // all taps, flipped
      write_winograd(weights + 8 * in + first, {-3 * in, -in, 1, 9 * in}, shape.out, layout.panel,
                     out);
      out += static_cast<std::ptrdiff_t>(kWinogradPoints) * shape.out * layout.panel;
      continue;
    }
    for (const int row : taps.rows) {
      RunSource<T> from{weights + row * 3 * in + first, 1, 9 * in, {}, 0, shape.out};
      for (const int column : taps.columns) from.columns[from.column_count++] = column * in;
      out = write_run(from, shape.out, layout, out);
    }
  }
}

/// A column or row of four sums of points to its three taps: G^T of trunk_winograd.h.
std::array<float, 3> to_taps(float p0, float p1, float p2, float p3) {
  const float sum = 0.5F * (p1 + p2);
  return {p0 + sum, 0.5F * (p1 - p2), sum + p3};
}

/// Of floats that follow one another, in each of `parts` blocks.
template <std::size_t kCount>
std::array<float, kCount> sum_of_parts(const float* from, std::size_t parts, std::size_t part) {
  std::array<float, kCount> sums;
  for (std::size_t k = 0; k < kCount; ++k) sums[k] = from[k];
  for (std::size_t p = 1; p < parts; ++p) {
    from += part;
    for (std::size_t k = 0; k < kCount; ++k) sums[k] += from[k];
  }
  return sums;
}

/// Floats of the panels for `outputs` channels from sums over `sum` channels.
std::size_t panel_floats(int outputs, int sum, const Taps& taps, const PanelLayout& layout) {
  if (layout.winograd) {
    return static_cast<std::size_t>(kWinogradPoints) * static_cast<std::size_t>(outputs) *
           static_cast<std::size_t>(sum);
  }
  return static_cast<std::size_t>(outputs / layout.panel) * taps.rows.size() *
         static_cast<std::size_t>(run_cells(sum, taps.columns.size(), layout)) *
         static_cast<std::size_t>(lanes(layout));
}

}  // namespace

std::size_t forward_floats(const WeightShape& shape, const PanelLayout& layout) {
  return panel_floats(shape.out, padded(shape.in, layout.arithmetic), {{0, 1, 2}, {0, 1, 2}},
                      layout);
}

std::size_t backward_floats(const WeightShape& shape, const Taps& taps, const PanelLayout& layout) {
  return panel_floats(shape.in, shape.out, taps, layout);
}

void pack_forward(const void* weights, const WeightShape& shape, const PanelLayout& layout,
                  float* panels) {
  if (layout.element == Element::fp32) {
    pack_forward_of(static_cast<const float*>(weights), shape, layout, panels);
  } else {
    pack_forward_of(static_cast<const std::uint16_t*>(weights), shape, layout, panels);
  }
}

void pack_backward(const void* weights, const WeightShape& shape, const Taps& taps,
                   const PanelLayout& layout, float* panels) {
  if (layout.element == Element::fp32) {
    pack_backward_of(static_cast<const float*>(weights), shape, taps, layout, panels);
  } else {
    pack_backward_of(static_cast<const std::uint16_t*>(weights), shape, taps, layout, panels);
  }
}

void unpack_gradient(const float* gradients, std::size_t parts, const WeightShape& shape,
                     Arithmetic arithmetic, int first, int last, float* out) {
  const auto in = static_cast<std::size_t>(shape.in);
  const auto channels = static_cast<std::size_t>(shape.out);
  const auto stored = static_cast<std::size_t>(padded(shape.in, arithmetic));
  const std::size_t part = 9 * stored * channels;
  if (arithmetic == Arithmetic::bf16_tiles) {
    for (auto o = static_cast<std::size_t>(first); o < static_cast<std::size_t>(last); ++o) {
      for (std::size_t tap = 0; tap < 9; ++tap) {
        const float* from = gradients + tap * stored * channels + o * stored;
        float* to = out + (o * 9 + tap) * in;
        for (std::size_t i = 0; i < in; ++i) to[i] = sum_of_parts<1>(from + i, parts, part)[0];
      }
    }
    return;
  }
  for (auto o = static_cast<std::size_t>(first); o < static_cast<std::size_t>(last); o += 4) {
    for (std::size_t tap = 0; tap < 9; ++tap) {
      for (std::size_t i = 0; i < in; ++i) {
        const float* from = gradients + (tap * stored + i) * channels + o;
        const auto sums = sum_of_parts<4>(from, parts, part);
        for (std::size_t k = 0; k < 4; ++k) out[((o + k) * 9 + tap) * in + i] = sums[k];
      }
    }
  }
}

void unpack_winograd_gradient(const float* gradients, std::size_t parts, const WeightShape& shape,
                              int first, int last, float* out) {
  constexpr std::size_t kBlock = 4;
  const std::ptrdiff_t in = shape.in;
  const std::ptrdiff_t point = in * shape.out;
  const auto part = static_cast<std::size_t>(kWinogradPoints * point);
  for (int o = first; o < last; o += static_cast<int>(kBlock)) {
    for (std::ptrdiff_t i = 0; i < in; ++i) {
      std::array<float, kBlock> points[kWinogradPoints];
      for (int k = 0; k < kWinogradPoints; ++k) {
        points[k] = sum_of_parts<kBlock>(gradients + k * point + i * shape.out + o, parts, part);
      }
      float half[3][4][kBlock];  // [rows of taps][columns of points], G^T points
      for (int j = 0; j < 4; ++j) {
        for (std::size_t c = 0; c < kBlock; ++c) {
          const auto at = [&](int row) { return points[4 * row + j][c]; };
          const auto taps = to_taps(at(0), at(1), at(2), at(3));
          for (std::size_t row = 0; row < 3; ++row) half[row][j][c] = taps[row];
        }
      }
      for (int row = 0; row < 3; ++row) {
        for (std::size_t c = 0; c < kBlock; ++c) {
          const auto at = [&](int j) { return half[row][j][c]; };
          const auto taps = to_taps(at(0), at(1), at(2), at(3));
          float* to = out + ((o + static_cast<std::ptrdiff_t>(c)) * 9 + row * 3) * in + i;
          for (int column = 0; column < 3; ++column)
            to[column * in] = taps[static_cast<std::size_t>(column)];
        }
      }
    }
  }
}

Taps flipped_taps() {
  return {{2, 1, 0}, {2, 1, 0}};
}

Taps parity_taps(bool odd_row, bool odd_column) {
  const auto taps = [](bool odd) { return odd ? std::vector<int>{2, 0} : std::vector<int>{1}; };
  return {taps(odd_row), taps(odd_column)};
}

}  // namespace smcl::kernels
