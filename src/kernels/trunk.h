#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "kernels/batch_norm.h"

/// The convolutional trunk of a ResNet for small images (He et al. 2016, section 4.2) in own
/// kernels: 3x3 stem, basic blocks with option-A shortcuts, global average pooling, forward and
/// backward. Convolution, batch norm, ReLU and addition are fused; an image passes a layer while it
/// lies in the core's own cache. docs/cpu-step.md tells how.
namespace smcl::kernels {

struct TrunkBlock {
  int in = 0;
  int out = 0;     ///< in at stride 1, 2 * in at stride 2
  int stride = 1;  ///< 1 or 2
};

struct TrunkShape {
  int height = 0;  ///< of the images; halved by each block of stride 2
  int width = 0;
  int stem = 0;  ///< channels of the first layer
  std::vector<TrunkBlock> blocks;
  Element element = Element::fp32;  ///< of images, activations and the weights computed with
};

/// Whether the kernels can compute this: channels are multiples of 16 up to 256, heights halve
/// evenly, every width is a multiple of 4, blocks as TrunkBlock says. Tiles want 16 channels or
/// multiples of 32.
bool trunk_fits(const TrunkShape& shape);
bool tiles_fit(const TrunkShape& shape);

/// One 3x3 convolution with the batch norm behind it, in the order stem, then the blocks' two.
struct TrunkLayer {
  const void* weight = nullptr;        ///< [out][3][3][in] of the element type
  const float* norm_weight = nullptr;  ///< [out]
  const float* norm_bias = nullptr;
  float* running_mean = nullptr;  ///< [out]; written in training
  float* running_var = nullptr;
};

/// Where a layer's gradients go; overwritten.
struct TrunkGradient {
  float* weight = nullptr;  ///< [out][3][3][in]
  float* norm_weight = nullptr;
  float* norm_bias = nullptr;
};

struct NormRule {
  double momentum = 0.1;  ///< of the running statistics
  double epsilon = 1e-5;
};

/// How products are formed. fp32 multiplies floats (in bf16 the operands are rounded to bf16
/// beforehand); bf16_pairs adds two products of bf16 values at a time to a float (AVX512_BF16);
/// bf16_tiles multiplies matrices of them (AMX).
enum class Arithmetic { fp32, bf16_pairs, bf16_tiles };

/// What the kernels run on. bf16_pairs and bf16_tiles are for bf16 only, on avx512_bf16, or, as a
/// reference, on scalar.
struct TrunkKernels {
  Isa isa = Isa::scalar;
  Arithmetic arithmetic = Arithmetic::fp32;
};
/// "avx2, fp32 products", "avx512_bf16, bf16 tiles (AMX)"...: for logs and fingerprints.
std::string name(const TrunkKernels& kernels);

/// What a forward pass in training leaves for its backward pass.
class TrunkTape;

/// Not to be called from two threads at once; it starts threads through `Parallel` only.
class Trunk {
 public:
  /// Sums over the batch are formed in parts of it, at least 8 and the same number for every
  /// thread: results are the same for 1, 2, 4 and 8 threads, and for two runs with another number.
  /// Throws InternalError where the shape does not fit or the CPU lacks the instruction set.
  Trunk(const TrunkShape& shape, const TrunkKernels& kernels, int threads);
  ~Trunk();
  Trunk(Trunk&&) noexcept;

  int features() const;

  /// Training: features [count][features()] of images [count][height][width][3], which must stay as
  /// they are until the backward pass. Batch norm uses the batch's statistics; the running ones
  /// move towards those of the images with a 1 in `statistics_rows`, [count], of all where it is
  /// empty.
  std::shared_ptr<TrunkTape> forward(const void* images, int count,
                                     const std::vector<TrunkLayer>& layers,
                                     const std::vector<std::uint8_t>& statistics_rows,
                                     const NormRule& rule, float* features,
                                     const Parallel& parallel);

  /// The gradients of all layers from that of the features. Takes the tape's memory: once a tape.
  void backward(TrunkTape& tape, const float* features, const std::vector<TrunkLayer>& layers,
                const std::vector<TrunkGradient>& gradients, const Parallel& parallel);

  /// Evaluation with the running statistics, image by image.
  void infer(const void* images, int count, const std::vector<TrunkLayer>& layers,
             const NormRule& rule, float* features, const Parallel& parallel);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace smcl::kernels
