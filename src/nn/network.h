#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/export.h"
#include "format/safetensors.h"
#include "tensor/flat_store.h"

namespace smcl::tensor {
class Gpu;
}

namespace smcl::nn {

enum class Classifier {
  linear,
  cosine,  ///< scale times the cosine of features and a class's weights; no bias (LDAM, BCL)
};

struct NetworkSettings {
  std::string arch = "resnet32";  ///< resnet20, resnet32, resnet44, resnet56
  double width = 1.0;             ///< factor on the widths 16/32/64
  int head_dim = 128;             ///< of the embeddings
  Classifier classifier = Classifier::linear;
  double scale = 30.0;      ///< of cosines, with Classifier::cosine
  bool prototypes = false;  ///< beside the head an MLP that makes a prototype of each class (BCL)
  int head_hidden = 0;      ///< width of the hidden layer of heads; 0: as wide as the features
};
SMCL_API void bind(config::Binder& binder, NetworkSettings& settings);
/// What logits are of cosines: 1 for a linear classifier.
SMCL_API double logit_scale(const NetworkSettings& settings);

/// What a forward pass gives; all float32.
struct Output {
  at::Tensor features;    ///< [N, D], after global average pooling
  at::Tensor logits;      ///< [N, C]
  at::Tensor embeddings;  ///< [N, head_dim], L2-normalised; undefined unless asked for
  /// [C, head_dim], L2-normalised, of the classifier's weights; undefined unless the network has
  /// them and embeddings are asked for.
  at::Tensor prototypes;
};

/// What computes the convolutions, batch norm, ReLU and addition.
enum class FusedBackend {
  automatic,  ///< own kernels where they apply (docs/cpu-step.md)
  torch,      ///< LibTorch's operations: the reference
};

/// What computes such a network on the CPU for images of this size, for logs and fingerprints:
/// "avx2, fp32 products", "LibTorch"...
SMCL_API std::string describe_kernels(const NetworkSettings& settings, int classes, int height,
                                      int width, batch::Precision precision);

/// What a training pass does beside computing.
struct ForwardOptions {
  bool training = false;  ///< batch statistics, and running ones updated
  bool embeddings = false;
  /// Which images update the running statistics (bn.stats = plain_only): one byte an image;
  /// empty = all. All are normalised by the statistics of the whole batch either way.
  std::vector<std::uint8_t> statistics_rows;
  FusedBackend backend = FusedBackend::automatic;
};

/// ResNet for 32x32 images (He et al. 2016, section 4.2): 3x3 stem, three stages of n basic blocks,
/// option-A shortcuts, global average pooling, linear classifier; beside it a 2-layer MLP
/// projection head (linear, ReLU, linear, L2) that is dropped after training. Parameters live in
/// one FlatStore. Names are torchvision's (conv1, bn1, layer1.0.conv1, ..., fc); the head's begin
/// with "head.".
class SMCL_API Network {
 public:
  /// Weights are Kaiming-normal (fan-out for convolutions as He et al. 2015; linear: fan-in), from
  /// RandomStream(seed, Purpose::init, 0, slot). Everything lies, and is computed, on `device`: the
  /// CPU or this process's GPU. Throws UsageError for an unknown arch and without a usable GPU.
  Network(const NetworkSettings& settings, int classes, std::uint64_t seed,
          batch::Precision precision, at::Device device);
  /// The same on a GPU, which outlives the network.
  Network(const NetworkSettings& settings, int classes, std::uint64_t seed,
          batch::Precision precision, tensor::Gpu& gpu);
  ~Network();
  Network(Network&& other) noexcept;

  /// `images` [N, 3, H, W] channels-last of the network's precision. Differentiable (once) where
  /// gradient mode is on; until then images and weights must stay as they are. Throws InternalError
  /// for another type or shape, or for statistics_rows that are not N.
  Output forward(const at::Tensor& images, const ForwardOptions& options);

  tensor::FlatStore& store();
  const tensor::FlatStore& store() const;
  int classes() const;
  int feature_dim() const;
  std::int64_t batches_tracked() const;  ///< training passes seen by batch norm
  void set_batches_tracked(std::int64_t n);

  /// Weights and statistics without the head, with int64 num_batches_tracked a batch norm, as
  /// Python's model has them.
  void save_weights(const std::string& file,
                    const std::map<std::string, std::string>& metadata = {}) const;
  /// Strict: every name there, none left over, same shapes. The head keeps what it has. Throws
  /// DataError.
  void load_weights(const std::string& file);

  /// Whether all that training changes is: weights, momentum, running statistics.
  bool is_finite() const;

  /// All that training changes: weights with the head, running statistics, the momentum of every
  /// parameter ("momentum.NAME"), the counter ("num_batches_tracked"); `metadata` beside them, and
  /// the tensors of a second stage under way ("stage.NAME", "momentum.stage.NAME").
  void save_state(const std::string& file, const std::map<std::string, std::string>& metadata,
                  const tensor::FlatStore* stage = nullptr) const;
  /// Strict, as load_weights, and the head, the momentum and the second stage too. Throws
  /// DataError; everything is then as it was.
  void load_state(const format::SafetensorsFile& file, tensor::FlatStore* stage = nullptr);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace smcl::nn
