#include "kernels/trunk_weights.h"

#include <algorithm>
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

template <class T>
void pack_forward_of(const T* weights, const WeightShape& shape, const PanelLayout& layout,
                     float* out) {
  const std::ptrdiff_t in = shape.in;
  for (int first = 0; first < shape.out; first += layout.panel) {
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
    for (const int row : taps.rows) {
      RunSource<T> from{weights + row * 3 * in + first, 1, 9 * in, {}, 0, shape.out};
      for (const int column : taps.columns) from.columns[from.column_count++] = column * in;
      out = write_run(from, shape.out, layout, out);
    }
  }
}

/// Floats of the panels for `outputs` channels from sums over `sum` channels.
std::size_t panel_floats(int outputs, int sum, const Taps& taps, const PanelLayout& layout) {
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
  const bool tiles = arithmetic == Arithmetic::bf16_tiles;
  const std::size_t i_step = tiles ? 1 : channels;
  const std::size_t o_step = tiles ? stored : 1;
  const std::size_t part = 9 * stored * channels;
  for (auto o = static_cast<std::size_t>(first); o < static_cast<std::size_t>(last); ++o) {
    for (std::size_t tap = 0; tap < 9; ++tap) {
      const float* from = gradients + tap * stored * channels + o * o_step;
      float* to = out + (o * 9 + tap) * in;
      for (std::size_t i = 0; i < in; ++i) {
        float sum = from[i * i_step];
        for (std::size_t p = 1; p < parts; ++p) sum += from[p * part + i * i_step];
        to[i] = sum;
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
