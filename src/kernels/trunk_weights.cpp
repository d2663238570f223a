#include "kernels/trunk_weights.h"

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

/// One run: value(lane of the panel, column, channel) is the weight, for `sum` channels.
template <class Value>
float* write_run(int sum, int columns, const PanelLayout& layout, const Value& value, float* out) {
  const int share = cell_channels(layout.arithmetic);
  const int per_pixel = sum / share;
  const int cells = run_cells(sum, static_cast<std::size_t>(columns), layout);
  for (int k = 0; k < cells; ++k) {
    for (int lane = 0; lane < lanes(layout); ++lane) {
      const int column = k / per_pixel - lane / layout.panel;
      const int channel = k % per_pixel * share;
      const auto weight = [&](int at) {
        return column < 0 || column >= columns ? 0.0F : value(lane % layout.panel, column, at);
      };
      if (share == 1) {
        *out++ = weight(channel);
        continue;
      }
      const auto bits = [&](int at) { return __builtin_bit_cast(std::uint32_t, weight(at)); };
      *out++ = __builtin_bit_cast(float, bits(channel) >> 16 | (bits(channel + 1) & 0xffff0000U));
    }
  }
  return out;
}

template <class T>
void pack_forward_of(const T* weights, const WeightShape& shape, const PanelLayout& layout,
                     float* out) {
  for (int first = 0; first < shape.out; first += layout.panel) {
    for (int row = 0; row < 3; ++row) {
      const auto value = [&](int lane, int column, int channel) {
        if (channel >= shape.in) return 0.0F;
        const auto place = static_cast<std::ptrdiff_t>(first + lane) * 9 + row * 3 + column;
        return as_float(weights[place * shape.in + channel]);
      };
      out = write_run(padded(shape.in, layout.arithmetic), 3, layout, value, out);
    }
  }
}

template <class T>
void pack_backward_of(const T* weights, const WeightShape& shape, const Taps& taps,
                      const PanelLayout& layout, float* out) {
  const auto columns = static_cast<int>(taps.columns.size());
  for (int first = 0; first < shape.in; first += layout.panel) {
    for (const int row : taps.rows) {
      const auto value = [&](int lane, int column, int channel) {
        const int tap = row * 3 + taps.columns[static_cast<std::size_t>(column)];
        const auto place = static_cast<std::ptrdiff_t>(channel) * 9 + tap;
        return as_float(weights[place * shape.in + first + lane]);
      };
      out = write_run(shape.out, columns, layout, value, out);
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
