#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/trunk_passes.h"

/// The passes of trunk_passes.h that work value by value, over the traits of trunk_loops.h.
namespace smcl::kernels {
namespace {

template <class P>
struct TrunkElementwise {
  using V = typename P::V;
  using Float = typename V::Float;
  using T = typename P::T;
  using E = typename P::E;
  using All = typename V::All;
  static constexpr int kLanes = static_cast<int>(V::kLanes);

  static Float rounded(Float v) {
    if constexpr (std::is_same_v<T, float>) {
      return v;
    } else {
      return V::to_bf16(v);
    }
  }

  static T* at(void* base, std::ptrdiff_t offset) { return static_cast<T*>(base) + offset; }
  static const T* at(const void* base, std::ptrdiff_t offset) {
    return static_cast<const T*>(base) + offset;
  }
  static E* inside(float* map, const MapSize& size, int row) {
    return reinterpret_cast<E*>(map) +
           (static_cast<std::ptrdiff_t>(row + 1) * (size.width + 2) + 1) * size.channels;
  }

  static void image(const ImageTask& task) {
    const T* in = static_cast<const T*>(task.image);
    for (int r = 0; r < task.size.height; ++r) {
      E* out = inside(task.map, task.size, r);
      for (int c = 0; c < task.size.width; ++c, in += 3, out += task.size.channels) {
        for (int k = 0; k < 3; ++k) {
          if constexpr (std::is_same_v<T, E>) {
            out[k] = in[k];
          } else {
            out[k] = __builtin_bit_cast(float, static_cast<std::uint32_t>(in[k]) << 16);
          }
        }
      }
    }
  }

  /// One row of ActivateTask; `work` sees every result: work(channel, value).
  template <bool kScaled, bool kResidual, class Work>
  static void activate_row(const ActivateTask& task, int row, Work work) {
    const MapSize& size = task.size;
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(row) * size.width * size.channels;
    E* map = task.map == nullptr ? nullptr : inside(task.map, size, row);
    for (int ch = 0; ch < size.channels; ch += kLanes) {
      Float scale{};
      Float shift{};
      if constexpr (kScaled) {
        scale = V::load(task.scale + ch, All{});
        shift = V::load(task.shift + ch, All{});
      }
      for (int c = 0; c < size.width; ++c) {
        const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(c) * size.channels + ch;
        Float value = V::load(at(task.y, start + i), All{});
        if constexpr (kScaled) {
          value = V::fma(value, scale, shift);
          if constexpr (kResidual) {
            value = V::add(value, V::load(at(task.residual, start + i), All{}));
          }
          value = rounded(V::relu(value));
        }
        if (task.z != nullptr) V::store(at(task.z, start + i), value, All{});
        if (map != nullptr) V::store(map + i, value, All{});
        work(ch, value);
      }
    }
  }

  template <class Work>
  static void activate_rows(const ActivateTask& task, Work work) {
    for (int r = 0; r < task.size.height; ++r) {
      if (task.scale == nullptr) {
        activate_row<false, false>(task, r, work);
      } else if (task.residual == nullptr) {
        activate_row<true, false>(task, r, work);
      } else {
        activate_row<true, true>(task, r, work);
      }
    }
  }

  static void activate(const ActivateTask& task) {
    activate_rows(task, [](int, Float) {});
  }

  static void pool(const PoolTask& task) {
    const MapSize& size = task.activate.size;
    std::fill_n(task.features, size.channels, 0.0F);
    activate_rows(task.activate, [&](int ch, Float value) {
      V::store(task.features + ch, V::add(V::load(task.features + ch, All{}), value), All{});
    });
    const float pixels = static_cast<float>(size.height) * static_cast<float>(size.width);
    for (int ch = 0; ch < size.channels; ++ch) task.features[ch] /= pixels;
  }

  static void pool_map(const PoolMapTask& task) {
    const MapSize& size = task.size;
    const float pixels = static_cast<float>(size.height) * static_cast<float>(size.width);
    for (int ch = 0; ch < size.channels; ch += kLanes) {
      Float sum = V::zero();
      for (int r = 0; r < size.height; ++r) {
        const E* in = inside(const_cast<float*>(task.map), size, r) + ch;
        for (int c = 0; c < size.width; ++c, in += size.channels) {
          sum = V::add(sum, V::load(in, All{}));
        }
      }
      V::store(task.features + ch, sum, All{});
      for (int k = ch; k < ch + kLanes; ++k) task.features[k] /= pixels;
    }
  }

  static void unpool(const UnpoolTask& task) {
    const MapSize& size = task.size;
    const int pixels = size.height * size.width;
    const Float share = V::set(1.0F / static_cast<float>(pixels));
    for (int ch = 0; ch < size.channels; ch += kLanes) {
      const Float given = rounded(V::fma(V::load(task.features + ch, All{}), share, V::zero()));
      const Float mean = V::load(task.mean + ch, All{});
      Float sum = V::load(task.sums + ch, All{});
      Float dot = V::load(task.sums + size.channels + ch, All{});
      for (int p = 0; p < pixels; ++p) {
        const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(p) * size.channels + ch;
        T* z = at(task.z, i);
        const Float g = V::where_positive(V::load(z, All{}), given);
        sum = V::add(sum, g);
        dot = V::fma(g, V::sub(V::load(at(task.y, i), All{}), mean), dot);
        V::store(z, g, All{});
      }
      V::store(task.sums + ch, sum, All{});
      V::store(task.sums + size.channels + ch, dot, All{});
    }
  }

  static void gradient(const GradientTask& task) {
    const MapSize& size = task.size;
    for (int r = 0; r < size.height; ++r) {
      const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(r) * size.width * size.channels;
      E* map = inside(task.map, size, r);
      for (int ch = 0; ch < size.channels; ch += kLanes) {
        const Float a = V::load(task.a + ch, All{});
        const Float b = V::load(task.b + ch, All{});
        const Float c = V::load(task.c + ch, All{});
        for (int p = 0; p < size.width; ++p) {
          const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(p) * size.channels + ch;
          const Float rest = V::fma(V::load(at(task.y, start + i), All{}), b, c);
          const Float value = V::fma(V::load(at(task.gradient, start + i), All{}), a, rest);
          V::store(map + i, rounded(value), All{});
        }
      }
    }
  }

  /// Rows are `in_row` and `out_row` elements apart.
  template <class Value>
  static void take_second_pixels(const MapSize& size, const Value* in, std::ptrdiff_t in_row,
                                 Value* out, std::ptrdiff_t out_row) {
    const int channels = size.channels;
    for (int r = 0; r < size.height; r += 2, in += 2 * in_row, out += out_row) {
      for (int c = 0; c < size.width; c += 2) {
        const Value* from = in + static_cast<std::ptrdiff_t>(c) * channels;
        Value* to = out + static_cast<std::ptrdiff_t>(c) * channels;  // half as many, twice as wide
        std::fill_n(to, channels / 2, Value{});
        std::copy_n(from, channels, to + channels / 2);
        std::fill_n(to + channels / 2 + channels, channels / 2, Value{});
      }
    }
  }

  static void shortcut(const ShortcutTask& task) {
    const MapSize& size = task.size;
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(size.width) * size.channels;
    if (!task.maps) {
      take_second_pixels(size, static_cast<const T*>(task.in), row, static_cast<T*>(task.out), row);
      return;
    }
    const MapSize half{size.height / 2, size.width / 2, 2 * size.channels};
    const E* in = static_cast<const E*>(task.in) + row + 3 * size.channels;
    take_second_pixels(size, in, row + 2 * size.channels,
                       inside(static_cast<float*>(task.out), half, 0), row + 2 * half.channels);
  }

  static void pair(const PairTask& task) {
    float* out = task.cells;
    for (int r = 0; r < task.rows; ++r) {
      const auto* row = reinterpret_cast<const std::uint16_t*>(task.map + r * task.row);
      for (int p = 0; p < task.pixels; ++p, out += task.channels) {
        const std::ptrdiff_t here = static_cast<std::ptrdiff_t>(p) * task.step * task.channels;
        P::join(row + here, row + here + static_cast<std::ptrdiff_t>(task.distance) * task.channels,
                out, task.channels);
      }
    }
  }
};

}  // namespace
}  // namespace smcl::kernels
