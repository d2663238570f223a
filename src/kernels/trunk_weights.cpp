#include "kernels/trunk_weights.h"

#include <cstdint>

namespace smcl::kernels {
namespace {

int padded(int in) {
  return in == 3 ? kStemChannels : in;
}

/// Cells of `sum` channels: value(lane, channel) is a bf16 pattern or a float, 0 behind the last.
template <class Value>
float* write_cells(int sum, int panel, Arithmetic arithmetic, const Value& value, float* out) {
  if (arithmetic == Arithmetic::fp32) {
    for (int i = 0; i < sum; ++i) {
      for (int j = 0; j < panel; ++j) *out++ = value(j, i);
    }
    return out;
  }
  const auto pattern = [&](int lane, int channel) {
    return __builtin_bit_cast(std::uint32_t, static_cast<float>(value(lane, channel)));
  };
  for (int i = 0; i < sum; i += 2) {
    for (int j = 0; j < panel; ++j) {
      *out++ = __builtin_bit_cast(float, pattern(j, i) >> 16 | (pattern(j, i + 1) & 0xffff0000U));
    }
  }
  return out;
}

float as_float(float value) {
  return value;
}
float as_float(std::uint16_t bf16) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(bf16) << 16);
}

template <class T>
void pack_forward_of(const T* weights, const WeightShape& shape, const PanelLayout& layout,
                     float* out) {
  for (int first = 0; first < shape.out; first += layout.panel) {
    for (int tap = 0; tap < 9; ++tap) {
      const auto value = [&](int lane, int channel) {
        if (channel >= shape.in) return 0.0F;
        const auto row = static_cast<std::ptrdiff_t>(first + lane) * 9 + tap;
        return as_float(weights[row * shape.in + channel]);
      };
      out = write_cells(padded(shape.in), layout.panel, layout.arithmetic, value, out);
    }
  }
}

template <class T>
void pack_backward_of(const T* weights, const WeightShape& shape, const Taps& taps,
                      const PanelLayout& layout, float* out) {
  for (int first = 0; first < shape.in; first += layout.panel) {
    for (const int row : taps.rows) {
      for (const int column : taps.columns) {
        const auto value = [&](int lane, int channel) {
          const auto place = static_cast<std::ptrdiff_t>(channel) * 9 + row * 3 + column;
          return as_float(weights[place * shape.in + first + lane]);
        };
        out = write_cells(shape.out, layout.panel, layout.arithmetic, value, out);
      }
    }
  }
}

}  // namespace

std::size_t panel_cells(const WeightShape& shape, const Taps& taps, const PanelLayout& layout) {
  const std::size_t weights = static_cast<std::size_t>(shape.out) *
                              static_cast<std::size_t>(padded(shape.in)) * taps.rows.size() *
                              taps.columns.size();
  return weights / static_cast<std::size_t>(cell_channels(layout.arithmetic));
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

void unpack_gradient(const float* gradients, std::size_t parts, const WeightShape& shape, int first,
                     int last, float* out) {
  const auto in = static_cast<std::size_t>(shape.in);
  const auto channels = static_cast<std::size_t>(shape.out);
  const auto stored = static_cast<std::size_t>(padded(shape.in));
  const std::size_t part = 9 * stored * channels;
  for (std::size_t tap = 0; tap < 9; ++tap) {
    for (std::size_t i = 0; i < in; ++i) {
      const float* row = gradients + (tap * stored + i) * channels;
      for (auto o = static_cast<std::size_t>(first); o < static_cast<std::size_t>(last); ++o) {
        float sum = row[o];
        for (std::size_t p = 1; p < parts; ++p) sum += row[p * part + o];
        out[(o * 9 + tap) * in + i] = sum;
      }
    }
  }
}

Taps all_taps() {
  return {{0, 1, 2}, {0, 1, 2}};
}

Taps flipped_taps() {
  return {{2, 1, 0}, {2, 1, 0}};
}

Taps parity_taps(bool odd_row, bool odd_column) {
  const auto taps = [](bool odd) { return odd ? std::vector<int>{2, 0} : std::vector<int>{1}; };
  return {taps(odd_row), taps(odd_column)};
}

}  // namespace smcl::kernels
