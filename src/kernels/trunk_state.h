#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/trunk.h"
#include "kernels/trunk_passes.h"
#include "kernels/trunk_weights.h"

/// What trunk.h's functions share: geometry, memory, and how work is parted.
namespace smcl::kernels {

/// Memory on a cache line's border, not initialised; big blocks on huge pages where there are any.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes);
  float* floats() const { return static_cast<float*>(data_.get()); }
  std::byte* bytes() const { return static_cast<std::byte*>(data_.get()); }
  void zero();
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* data) const;
  };
  std::unique_ptr<void, Free> data_;
  std::size_t size_ = 0;
};

/// Keeps the memory of tapes that are done with: fresh pages cost a tenth of a step.
class BufferPool {
 public:
  AlignedBuffer take(std::size_t bytes);
  void give_back(AlignedBuffer buffer);

 private:
  std::mutex mutex_;
  std::vector<AlignedBuffer> idle_;
};

/// One convolution: layer 0 is the stem, 2 * b + 1 and 2 * b + 2 are those of block b.
struct LayerPlan {
  WeightShape weight;
  int stride = 1;
  MapSize in;   ///< of its input map
  MapSize out;  ///< of its output
};

/// Batch norm of one layer: statistics and the factors that follow from them, [channels] each.
struct LayerNorm {
  explicit LayerNorm(std::size_t channels)
      : pivot(channels),
        mean(channels),
        inverse(channels),
        scale(channels),
        shift(channels),
        a(channels),
        b(channels),
        c(channels) {}
  std::vector<float> pivot;  ///< of the sums
  std::vector<float> mean, inverse;
  std::vector<float> scale, shift;  ///< forward
  std::vector<float> a, b, c;       ///< backward
};

/// Maps and rows of one thread.
struct TrunkScratch {
  AlignedBuffer stem;                  ///< the image
  std::vector<AlignedBuffer> maps[3];  ///< [a resolution of the trunk]
  AlignedBuffer pairs_x, pairs_dy;     ///< of bf16_pairs and bf16_tiles
  AlignedBuffer rows;                  ///< of ConvTask
  AlignedBuffer points;                ///< of ConvTask and WinogradWeightTask
  int waiting = 0;                     ///< images packed and not yet summed, of bf16_tiles
  AlignedBuffer shortcut;              ///< the shortcut of one image
};

class TrunkTape {
 public:
  TrunkTape(const std::vector<LayerPlan>& plans, std::size_t element_size, const void* images,
            int count, std::shared_ptr<BufferPool> pool);
  ~TrunkTape() { pool_->give_back(std::move(memory_)); }
  TrunkTape(const TrunkTape&) = delete;
  TrunkTape& operator=(const TrunkTape&) = delete;

  /// The convolution's output of layer `l` for image `n`.
  std::byte* y(std::size_t l, int n) const { return at(y_[l], plans_[l].out, n); }
  /// The input of block `b` for image `n`; b = number of blocks: the trunk's output.
  std::byte* z(std::size_t b, int n) const { return at(z_[b], plans_[2 * b].out, n); }
  const std::byte* image(int n) const;
  int count() const { return count_; }
  LayerNorm& norm(std::size_t l) { return norms_[l]; }

 private:
  std::byte* at(std::size_t offset, const MapSize& size, int n) const;

  std::vector<LayerPlan> plans_;
  std::size_t element_size_;
  const std::byte* images_;
  int count_;
  std::vector<std::size_t> y_, z_;  ///< offsets in bytes
  std::vector<LayerNorm> norms_;
  std::shared_ptr<BufferPool> pool_;
  AlignedBuffer memory_;
};

/// An image's turn in a pass.
struct Visit {
  int image = 0;
  int next = -1;  ///< the image after it in the same part
  std::size_t part = 0;
  bool first = false;  ///< of its part
  bool last = false;
};

struct Trunk::State {
  State(const TrunkShape& shape, const TrunkKernels& kernels, int threads);

  /// Of the panels of layer `l`, for its outputs or for the gradient of its input.
  PanelLayout layout(std::size_t l, bool backward) const;
  /// Whether layer `l` is computed in the way of trunk_winograd.h.
  bool winograd(std::size_t l) const;
  /// Whether the backward pass makes pairs of layer `l`'s input instead of its map.
  bool activates_pairs(std::size_t l) const {
    return passes.arithmetic == Arithmetic::bf16_pairs && l > 0 && plans[l].stride == 1;
  }
  /// Floats of the weights' gradient as it is summed.
  std::size_t gradient_floats(std::size_t l) const;
  int cells(int channels) const { return channels / cell_channels(passes.arithmetic); }
  /// Which resolution of the trunk a map belongs to.
  std::size_t level(const MapSize& size) const;
  float* map(TrunkScratch& scratch, int which, const MapSize& size) const {
    return scratch.maps[which][level(size)].floats();
  }
  /// The first cell inside the border.
  const float* inside(const float* map, const MapSize& size) const {
    return map + static_cast<std::ptrdiff_t>(size.width + 3) * cells(size.channels);
  }
  /// Cells from row to row of a map.
  std::ptrdiff_t row_cells(const MapSize& size) const {
    return static_cast<std::ptrdiff_t>(size.width + 2) * cells(size.channels);
  }
  /// The first image of a part.
  int part_begin(std::size_t part, int count) const;

  /// Calls work(visit, scratch) for all images, those of a part in one order by one thread. Every
  /// second call goes through the images backwards: what was used last is still near.
  template <class Work>
  void each_image(int count, const Parallel& parallel, const Work& work) {
    backwards = !backwards;
    const bool reverse = backwards;
    const auto run = [&](std::size_t begin, std::size_t end) {
      std::unique_ptr<TrunkScratch> scratch = borrow();
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t part = reverse ? begin + (end - 1 - i) : i;
        const int first = part_begin(part, count);
        const int images = part_begin(part + 1, count) - first;
        for (int k = 0; k < images; ++k) {
          const int step = reverse ? -1 : 1;
          const int n = reverse ? first + images - 1 - k : first + k;
          const bool last = k == images - 1;
          work(Visit{n, last ? -1 : n + step, part, k == 0, last}, *scratch);
        }
      }
      give_back(std::move(scratch));
    };
    run_parts(parallel, parts, run);
  }
  static void run_parts(const Parallel& parallel, std::size_t count,
                        const std::function<void(std::size_t, std::size_t)>& run);

  void pack(const std::vector<TrunkLayer>& layers, bool backward, const Parallel& parallel);
  /// relu(norm(y) + shortcut), the input of block `b` for image `n`: from the layer before it to z.
  ActivateTask block_input(TrunkTape& tape, std::size_t b, int n, TrunkScratch& scratch) const;
  /// The input map of layer `l` for image `n`; in the forward pass a block's input is made by it,
  /// in the backward pass its pairs instead where activates_pairs(l).
  float* input_map(TrunkTape& tape, std::size_t l, int n, bool make, TrunkScratch& scratch) const;
  void finish_forward(TrunkTape& tape, std::size_t l, const TrunkLayer& layer,
                      const std::vector<std::uint8_t>& rows, const NormRule& rule);
  /// The gradient of layer `l`'s weights and the input of its data gradient, for all images:
  /// end(visit, gradient map, scratch) follows for each.
  template <class End>
  void backward_layer(TrunkTape& tape, std::size_t l, const TrunkGradient& gradient,
                      const Parallel& parallel, const End& end);
  void weight_gradient(std::size_t l, const float* x, const float* dy, const Visit& visit,
                       float* dw, TrunkScratch& scratch) const;
  /// Where passes.weights finds the operands: maps, or pairs, which are made of x where
  /// the backward pass has not made them.
  WeightTask float_sums(std::size_t l, const float* x, const float* dy) const;
  WeightTask pair_sums(std::size_t l, const float* x, TrunkScratch& scratch) const;
  void tile_weight_gradient(std::size_t l, const float* x, const float* dy, bool last, float* dw,
                            TrunkScratch& scratch) const;
  /// Images whose weight gradients are summed together, of bf16_tiles.
  static int tile_places(const LayerPlan& plan);
  void backward_second(TrunkTape& tape, std::size_t b, const Visit& visit, const float* dy,
                       TrunkScratch& scratch);
  void backward_first(TrunkTape& tape, std::size_t b, const Visit& visit, const float* dy,
                      TrunkScratch& scratch);
  void backward_stride2(TrunkTape& tape, std::size_t b, const Visit& visit, const float* dy,
                        TrunkScratch& scratch);
  /// What the forward and the backward pass of layer `l` will read of an image; none for -1.
  Ahead forward_ahead(const TrunkTape& tape, std::size_t l, int n) const;
  Ahead backward_ahead(const TrunkTape& tape, std::size_t l, int n) const;
  /// From the sums of layer `l`: the gradients of its batch norm, and the factors through it.
  void finish_backward(TrunkTape& tape, std::size_t l, const TrunkLayer& layer,
                       const TrunkGradient& gradient);
  const float* infer_image(const void* image, const std::vector<LayerNorm>& norms,
                           TrunkScratch& scratch) const;
  ConvTask convolution(std::size_t l, const float* map, TrunkScratch& scratch) const;
  void make_room(int count);
  float* image_sums(std::size_t l, int n);
  /// The same, set to 0.
  float* cleared_sums(std::size_t l, int n);
  /// Sums over the images of `rows` (all where empty) of image_sums(l, n): [2][channels].
  std::vector<double> add_sums(std::size_t l, int count, const std::vector<std::uint8_t>& rows);

  std::unique_ptr<TrunkScratch> borrow();
  void give_back(std::unique_ptr<TrunkScratch> scratch);

  TrunkShape shape;
  TrunkPasses passes;
  std::vector<LayerPlan> plans;
  std::vector<MapSize> levels;
  std::size_t parts;
  std::size_t element_size;
  bool backwards = false;
  std::vector<AlignedBuffer> panels, backward_panels;  ///< [layer]
  AlignedBuffer weight_sums;                           ///< [parts] of the layer at work
  std::size_t weight_sums_bytes = 0;
  std::vector<float> norm_sums;  ///< [images][2][channels]
  std::shared_ptr<BufferPool> tapes = std::make_shared<BufferPool>();
  std::mutex mutex;
  std::vector<std::unique_ptr<TrunkScratch>> idle;
};

}  // namespace smcl::kernels
