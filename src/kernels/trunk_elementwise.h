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

  /// Stores a value that `rounded` has seen.
  static void put(float* to, Float value) { V::store(to, value, All{}); }
  static void put(std::uint16_t* to, Float value) { V::store_exact(to, value); }
  /// Rounds and stores.
  static void round_and_put(float* to, Float value) { put(to, rounded(value)); }
  static void round_and_put(std::uint16_t* to, Float value) { V::store(to, value, All{}); }

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

  /// Calls work(channel, offset in the row, value not yet rounded) for each vector of a row of
  /// ActivateTask, the pixels of some channels one after another.
  template <bool kScaled, bool kResidual, class Work>
  static void activated_row(const ActivateTask& task, int row, Work work) {
    const MapSize& size = task.size;
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(row) * size.width * size.channels;
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
          value = V::relu(value);
        }
        work(ch, i, value);
      }
    }
  }

  template <class Work>
  static void activated(const ActivateTask& task, int row, Work work) {
    if (task.scale == nullptr) {
      activated_row<false, false>(task, row, work);
    } else if (task.residual == nullptr) {
      activated_row<true, false>(task, row, work);
    } else {
      activated_row<true, true>(task, row, work);
    }
  }

  /// Cells of pixels p and p + 1, of the border's too.
  static void activate_pairs(const ActivateTask& task) {
    const MapSize& size = task.size;
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(size.width + 1) * size.channels;
    const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(size.width - 1) * size.channels;
    float* out = task.pairs;
    std::fill_n(out, row, 0.0F);
    for (int r = 0; r < size.height; ++r) {
      out += row;
      Float before = V::zero();
      activated(task, r, [&](int ch, std::ptrdiff_t i, Float value) {
        const Float here = rounded(value);
        V::store(out + i, P::pair(i == ch ? V::zero() : before, here), All{});
        before = here;
        if (i == ch + last) V::store(out + i + size.channels, P::pair(here, V::zero()), All{});
      });
    }
    std::fill_n(out + row, row, 0.0F);
  }

  static void activate(const ActivateTask& task) {
    if constexpr (P::kArithmetic == Arithmetic::bf16_pairs) {
      if (task.pairs != nullptr) {
        activate_pairs(task);
        return;
      }
    }
    for (int r = 0; r < task.size.height; ++r) {
      E* map = inside(task.map, task.size, r);
      if (task.z == nullptr) {
        activated(task, r,
                  [&](int, std::ptrdiff_t i, Float value) { round_and_put(map + i, value); });
        continue;
      }
      T* z = at(task.z, static_cast<std::ptrdiff_t>(r) * task.size.width * task.size.channels);
      activated(task, r, [&](int, std::ptrdiff_t i, Float value) {
        const Float kept = rounded(value);
        put(z + i, kept);
        put(map + i, kept);
      });
    }
  }

  static void pool(const PoolTask& task) {
    const MapSize& size = task.activate.size;
    std::fill_n(task.features, size.channels, 0.0F);
    for (int r = 0; r < size.height; ++r) {
      T* z = at(task.activate.z, static_cast<std::ptrdiff_t>(r) * size.width * size.channels);
      activated(task.activate, r, [&](int ch, std::ptrdiff_t i, Float value) {
        const Float kept = rounded(value);
        put(z + i, kept);
        V::store(task.features + ch, V::add(V::load(task.features + ch, All{}), kept), All{});
      });
    }
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
        put(z, g);
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
        const auto value = [&](std::ptrdiff_t i) {
          const Float rest = V::fma(V::load(at(task.y, start + i), All{}), b, c);
          return V::fma(V::load(at(task.gradient, start + i), All{}), a, rest);
        };
        for (int p = 0; p < size.width; p += 2) {
          const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(p) * size.channels + ch;
          if constexpr (P::kArithmetic == Arithmetic::bf16_pairs) {
            const Float one = rounded(value(i));
            const Float two = rounded(value(i + size.channels));
            put(map + i, one);
            put(map + i + size.channels, two);
            V::store(task.pairs + (start + i - ch) / 2 + ch, P::pair(one, two), All{});
          } else {
            round_and_put(map + i, value(i));
            round_and_put(map + i + size.channels, value(i + size.channels));
          }
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
        const std::ptrdiff_t here = static_cast<std::ptrdiff_t>(p) * task.channels;
        P::join(row + here, row + here + static_cast<std::ptrdiff_t>(task.distance) * task.channels,
                out, task.channels);
      }
    }
  }
};

}  // namespace
}  // namespace smcl::kernels
