#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/trunk_elementwise.h"
#include "kernels/trunk_fetcher.h"
#include "kernels/trunk_multiply.h"
#include "kernels/trunk_passes.h"
#include "kernels/trunk_tiles.h"
#include "kernels/trunk_winograd.h"

/// trunk_passes.h over a set of traits `P`, compiled once for each instruction set:
///   V          lanes (lanes_*.h)
///   D          dot(a, b, sum), the product of two vectors of cells, and dot_cell(a, b, sum), where
///              `a` points to one cell for all lanes
///   T          element of activations in memory: float or uint16_t (bf16)
///   E          element of maps: float or uint16_t
///   vectors(t) vectors of a panel of output channels: kMost or kLeast
///   kPixels    output pixels computed together, by vectors of a panel; in trunk_winograd.h
///   windows,
///              and rows of the weights' gradient
///   kRows      rows of the weights' gradient computed together, by vectors of a panel
/// and join() for bf16_pairs and bf16_tiles, pair() for bf16_pairs, Tiles and transpose() for
/// bf16_tiles (trunk_tiles.h).
namespace smcl::kernels {
namespace {

template <class P>
struct TrunkLoops : TrunkElementwise<P> {
  using Base = TrunkElementwise<P>;
  using V = typename Base::V;
  using Float = typename Base::Float;
  using T = typename Base::T;
  using E = typename Base::E;
  using All = typename Base::All;
  using Base::at;
  using Base::inside;
  using Base::kLanes;
  using Base::rounded;

  static int panel(const ConvTask& task) { return P::vectors(task) * kLanes; }

  /// kM neighbouring outputs of one panel.
  template <int kM, int kNv, int kStep>
  static void pixels(const ConvTask& task, const float* first, const float* weights, float* out) {
    constexpr int kPanel = kNv * kLanes;
    const std::ptrdiff_t step = kStep > 0 ? kStep : task.pixel_step;
    Sums<V, kM, kNv> sums;
    sums.clear();
    for (int i = 0; i < task.run_count; ++i) {
      const Run& run = task.runs[i];
      multiply<V, typename P::D, kM, kNv>(sums, first + run.offset, 1, step, weights, kPanel,
                                          run.cells);
      weights += static_cast<std::ptrdiff_t>(run.cells) * kPanel;
    }
    sums.store(out, kPanel);
  }

  /// One row of outputs of one panel: as many blocks of P::kPixels as fit, blocks of 4 before.
  template <int kNv, int kStep>
  static void row(const ConvTask& task, const float* first, const float* weights, float* out) {
    constexpr int kPanel = kNv * kLanes;
    constexpr int kM = P::template kPixels<kNv>;
    constexpr int kLess = kM < 4 ? kM : 4;
    const std::ptrdiff_t step = kStep > 0 ? kStep : task.pixel_step;
    int c = 0;
    for (; (task.width - c) % kM != 0; c += kLess) {
      pixels<kLess, kNv, kStep>(task, first + c * step, weights, out + c * kPanel);
    }
    for (; c < task.width; c += kM) {
      pixels<kM, kNv, kStep>(task, first + c * step, weights, out + c * kPanel);
    }
  }

  using Row = void (*)(const ConvTask&, const float*, const float*, float*);

  /// The usual distances between pixels are constants of the code.
  template <int kNv>
  static Row choose_row(int pixel_step) {
    switch (pixel_step) {
      case 2:
        return row<kNv, 2>;
      case 4:
        return row<kNv, 4>;
      case 8:
        return row<kNv, 8>;
      case 16:
        return row<kNv, 16>;
      case 32:
        return row<kNv, 32>;
      case 64:
        return row<kNv, 64>;
      default:
        return row<kNv, 0>;
    }
  }

  /// Calls end(row, first channel, outputs [width][panel]) for each row of each panel.
  template <int kNv, class End>
  static void convolve(const ConvTask& task, End end) {
    constexpr int kPanel = kNv * kLanes;
    if constexpr (P::kArithmetic == Arithmetic::bf16_tiles) {
      TileConvolution<P>(task).run(kPanel, end);
      return;
    }
    if constexpr (P::kArithmetic == Arithmetic::fp32) {
      if (task.points != nullptr) {
        Winograd<P>::template convolve<kNv>(task, end);
        return;
      }
    }
    int cells = 0;
    for (int i = 0; i < task.run_count; ++i) cells += task.runs[i].cells;
    const Row compute = choose_row<kNv>(task.pixel_step);
    const float* weights = task.weights;
    Fetcher fetcher(task.ahead, task.channels / kPanel * task.height);
    for (int ch = 0; ch < task.channels; ch += kPanel) {
      for (int r = 0; r < task.height; ++r) {
        fetcher.step();
        compute(task, task.map + r * task.row_step, weights, task.rows);
        end(r, ch, task.rows);
      }
      weights += static_cast<std::ptrdiff_t>(cells) * kPanel;
    }
  }

  /// The two sums of a panel's channels, in registers for the length of a row: those of even and of
  /// odd pixels apart, since an addition takes longer than all else that a pixel needs.
  template <int kNv>
  struct RowSums {
    RowSums(float* sums, int channels, int ch) : first(sums + ch), second(sums + channels + ch) {
      for (int v = 0; v < kNv; ++v) one[0][v] = one[1][v] = two[0][v] = two[1][v] = V::zero();
    }
    /// Counts `value` for the first sum, a * b for the second.
    void add(int pixel, int v, Float value, Float a, Float b) {
      one[pixel][v] = V::add(one[pixel][v], value);
      two[pixel][v] = V::fma(a, b, two[pixel][v]);
    }
    void store() const {
      for (int v = 0; v < kNv; ++v) {
        float* to = first + v * kLanes;
        V::store(to, V::add(V::load(to, All{}), V::add(one[0][v], one[1][v])), All{});
        to = second + v * kLanes;
        V::store(to, V::add(V::load(to, All{}), V::add(two[0][v], two[1][v])), All{});
      }
    }
    float* first;
    float* second;
    Float one[2][kNv];
    Float two[2][kNv];
  };

  /// Calls work(pixel, 0 or 1) for the pixels of a row, whose number is even, in their order.
  template <class Work>
  static void each_pixel(int width, Work work) {
    for (int c = 0; c < width; c += 2) {
      work(c, std::integral_constant<int, 0>{});
      work(c + 1, std::integral_constant<int, 1>{});
    }
  }

  template <int kNv>
  static void load_channels(const float* values, int ch, Float (&out)[kNv]) {
    for (int v = 0; v < kNv; ++v) out[v] = V::load(values + ch + v * kLanes, All{});
  }

  template <int kNv>
  static void forward_with(const ConvTask& task, const ForwardEnd& end) {
    constexpr int kPanel = kNv * kLanes;
    convolve<kNv>(task, [&](int r, int ch, const float* out) {
      RowSums<kNv> sums(end.sums, task.channels, ch);
      Float pivot[kNv];
      load_channels<kNv>(end.pivot, ch, pivot);
      T* y = at(end.y, r * end.place.row + ch);
      const std::ptrdiff_t pixel = end.place.pixel;
      each_pixel(task.width, [&](int c, auto parity) {
        for (int v = 0; v < kNv; ++v) {
          const Float value = rounded(V::load(out + c * kPanel + v * kLanes, All{}));
          Base::put(y + c * pixel + v * kLanes, value);
          const Float centred = V::sub(value, pivot[v]);
          sums.add(parity, v, centred, centred, centred);
        }
      });
      sums.store();
    });
  }

  template <int kNv, bool kAdded, bool kStored>
  static void backward_with(const ConvTask& task, const BackwardEnd& end) {
    constexpr int kPanel = kNv * kLanes;
    convolve<kNv>(task, [&](int r, int ch, const float* out) {
      RowSums<kNv> sums(end.sums, task.channels, ch);
      Float mean[kNv];
      Float scale[kNv];
      Float shift[kNv];
      load_channels<kNv>(end.mean, ch, mean);
      if constexpr (!kStored) {
        load_channels<kNv>(end.scale, ch, scale);
        load_channels<kNv>(end.shift, ch, shift);
      }
      const std::ptrdiff_t start = r * end.place.row + ch;
      const std::ptrdiff_t pixel = end.place.pixel;
      const T* y_row = at(end.y, start);
      T* g_row = at(end.g, start);
      const T* positive_row = kStored ? at(end.positive, start) : nullptr;
      const T* added = kAdded ? at(end.added, r * end.added_place.row + ch) : nullptr;
      const std::ptrdiff_t added_pixel = end.added_place.pixel;
      each_pixel(task.width, [&](int c, auto parity) {
        for (int v = 0; v < kNv; ++v) {
          const std::ptrdiff_t i = c * pixel + v * kLanes;
          Float value = V::load(out + c * kPanel + v * kLanes, All{});
          if constexpr (kAdded) {
            value = V::add(value, V::load(added + c * added_pixel + v * kLanes, All{}));
          }
          const Float y = V::load(y_row + i, All{});
          Float positive;
          if constexpr (kStored) {
            positive = V::load(positive_row + i, All{});
          } else {
            positive = V::fma(y, scale[v], shift[v]);
          }
          const Float g = V::where_positive(positive, rounded(value));
          Base::put(g_row + i, g);
          sums.add(parity, v, g, g, V::sub(y, mean[v]));
        }
      });
      sums.store();
    });
  }

  template <int kNv, bool kResidual>
  static void infer_with(const ConvTask& task, const InferEnd& end) {
    constexpr int kPanel = kNv * kLanes;
    convolve<kNv>(task, [&](int r, int ch, const float* out) {
      Float scale[kNv];
      Float shift[kNv];
      load_channels<kNv>(end.scale, ch, scale);
      load_channels<kNv>(end.shift, ch, shift);
      E* map = inside(end.map, end.size, r) + ch;
      const E* residual =
          kResidual ? inside(const_cast<float*>(end.residual), end.size, r) + ch : nullptr;
      for (int c = 0; c < task.width; ++c, out += kPanel) {
        for (int v = 0; v < kNv; ++v) {
          const std::ptrdiff_t i = static_cast<std::ptrdiff_t>(c) * end.size.channels + v * kLanes;
          Float value = V::fma(V::load(out + v * kLanes, All{}), scale[v], shift[v]);
          if constexpr (kResidual) value = V::add(value, V::load(residual + i, All{}));
          Base::round_and_put(map + i, V::relu(value));
        }
      }
    });
  }

  template <int kNv>
  static void backward_on(const ConvTask& task, const BackwardEnd& end) {
    if (end.positive != nullptr) {
      if (end.added != nullptr) return backward_with<kNv, true, true>(task, end);
      return backward_with<kNv, false, true>(task, end);
    }
    return backward_with<kNv, false, false>(task, end);
  }

  template <int kNv>
  static void infer_on(const ConvTask& task, const InferEnd& end) {
    if (end.residual != nullptr) return infer_with<kNv, true>(task, end);
    return infer_with<kNv, false>(task, end);
  }

  /// Calls work(constant) with the vectors of a panel.
  template <class Work>
  static void with_panel(const ConvTask& task, Work work) {
    if (P::vectors(task) == P::kMost) {
      work(std::integral_constant<int, P::kMost>{});
    } else {
      work(std::integral_constant<int, P::kLeast>{});
    }
  }

  static void forward(const ConvTask& task, const ForwardEnd& end) {
    with_panel(task, [&](auto vectors) { forward_with<vectors>(task, end); });
  }
  static void backward(const ConvTask& task, const BackwardEnd& end) {
    with_panel(task, [&](auto vectors) { backward_on<vectors>(task, end); });
  }
  static void infer(const ConvTask& task, const InferEnd& end) {
    with_panel(task, [&](auto vectors) { infer_on<vectors>(task, end); });
  }

  /// kM rows of dw in one panel of channels, over a band of rows of the image.
  template <int kM, int kNv>
  static void weight_block(const WeightTask& task, const float* x, const float* dy, int rows,
                           bool begins, float* dw) {
    Sums<V, kM, kNv> sums;
    sums.begin(dw, task.channels, begins);
    for (int r = 0; r < rows; ++r) {
      multiply<V, typename P::D, kM, kNv>(sums, x + r * task.x_row, task.x_step, 1,
                                          dy + r * task.dy_row, task.channels, task.steps);
    }
    sums.store(dw, task.channels);
  }

  template <int kNv, int kM>
  static void weights_with(const WeightTask& task) {
    constexpr int kBand = 8;  // rows whose cells stay in the first cache
    for (int first = 0; first < task.rows; first += kBand) {
      const int rows = std::min(kBand, task.rows - first);
      for (int ch = 0; ch < task.channels; ch += kNv * kLanes) {
        const float* dy = task.dy + first * task.dy_row + ch;
        for (int run = 0; run < 3; ++run) {
          const float* x = task.x + first * task.x_row + run * task.run_offset;
          float* dw =
              task.dw + static_cast<std::ptrdiff_t>(run) * task.run_cells * task.channels + ch;
          for (int m = 0; m < task.run_cells; m += kM) {
            weight_block<kM, kNv>(task, x + m, dy, rows, task.first && first == 0,
                                  dw + static_cast<std::ptrdiff_t>(m) * task.channels);
          }
        }
      }
    }
  }

  static void weights(const WeightTask& task) {
    ConvTask like;
    like.channels = task.channels;
    with_panel(like, [&](auto vectors) {
      constexpr int kM = P::template kRows<vectors>;
      if (task.run_cells % kM == 0) {
        weights_with<vectors, kM>(task);
      } else {
        weights_with<vectors, kM / 2>(task);
      }
    });
  }

  static void winograd_weights(const WinogradWeightTask& task) {
    ConvTask like;
    like.channels = task.channels;
    with_panel(like, [&](auto vectors) { Winograd<P>::template weights_with<vectors>(task); });
  }

  static void tile_weights(const TileWeightTask& task) { TileWeights<P>(task).run(); }

  static constexpr TrunkPasses table() {
    TrunkPasses out;
    out.panel = panel;
    out.image = Base::image;
    out.activate = Base::activate;
    out.gradient = Base::gradient;
    out.shortcut = Base::shortcut;
    out.pool = Base::pool;
    out.pool_map = Base::pool_map;
    out.unpool = Base::unpool;
    out.forward = forward;
    out.backward = backward;
    out.infer = infer;
    out.arithmetic = P::kArithmetic;
    if constexpr (P::kArithmetic == Arithmetic::bf16_tiles) {
      out.tile_weights = tile_weights;
    } else {
      out.weights = weights;
    }
    if constexpr (P::kArithmetic == Arithmetic::fp32) out.winograd_weights = winograd_weights;
    if constexpr (P::kArithmetic == Arithmetic::bf16_pairs) out.pair = Base::pair;
    return out;
  }
};

/// Products of floats.
template <class Lanes>
struct FloatDot {
  static typename Lanes::Float dot(typename Lanes::Float a, typename Lanes::Float b,
                                   typename Lanes::Float sum) {
    return Lanes::fma(a, b, sum);
  }
  static typename Lanes::Float dot_cell(const float* a, typename Lanes::Float b,
                                        typename Lanes::Float sum) {
    return Lanes::fma(Lanes::set(*a), b, sum);
  }
};

}  // namespace
}  // namespace smcl::kernels
