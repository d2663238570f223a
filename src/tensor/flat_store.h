#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "batch/batch.h"
#include "core/export.h"

namespace smcl::tensor {

/// One named tensor of a network.
struct Slot {
  std::string name;  ///< as in torchvision: "layer1.0.conv1.weight"
  std::vector<std::int64_t> shape;
  bool shadow = false;     ///< convolution weight: has a bf16 twin in bf16 (linear layers: none)
  bool statistic = false;  ///< running mean or variance: no gradient, not decayed
};

/// All state of a network in four flat fp32 buffers (parameters, gradients, momentum, statistics)
/// and, in bf16, a flat bf16 shadow of the weights that the network computes with. Views keep
/// names and channels-last strides for 4-d tensors; `.grad` of every parameter view is a view of
/// the gradient buffer set beforehand. Slots start on 64-byte borders; the gaps stay 0.
class SMCL_API FlatStore {
 public:
  /// Throws InternalError for a name given twice or a negative size.
  FlatStore(std::vector<Slot> slots, batch::Precision precision, at::Device device);
  FlatStore(const FlatStore&) = delete;  // a copy would share the buffers
  FlatStore& operator=(const FlatStore&) = delete;
  FlatStore(FlatStore&&) = default;
  FlatStore& operator=(FlatStore&&) = default;

  const std::vector<Slot>& slots() const { return slots_; }
  /// fp32 view: a leaf that requires a gradient (parameters) or a plain tensor (statistics).
  at::Tensor view(const std::string& name) const;
  /// What the network computes with: the bf16 twin where there is one, else view(name).
  at::Tensor compute(const std::string& name) const;
  at::Tensor gradient(const std::string& name) const;
  /// The optimiser's momentum of a parameter.
  at::Tensor velocity(const std::string& name) const;

  at::Tensor parameters() const { return parameters_; }
  at::Tensor gradients() const { return gradients_; }
  at::Tensor momentum() const { return momentum_; }
  at::Tensor statistics() const { return statistics_; }
  /// bf16 twin of the whole parameter buffer, offset for offset; undefined in fp32.
  at::Tensor shadow() const { return shadow_; }
  /// Parameters to shadow, after parameters were written from outside the optimiser.
  void refresh_shadow();
  void zero_gradients();
  /// Throws InternalError where some `.grad` left its buffer.
  void check_gradients() const;
  /// Elements of all parameters, gaps not counted.
  std::int64_t parameter_count() const;
  batch::Precision precision() const { return precision_; }

 private:
  struct Place {
    std::int64_t offset = 0;
    at::Tensor velocity;
    at::Tensor view;
    at::Tensor shadow;
    at::Tensor gradient;
  };
  const Place& place(const std::string& name) const;

  std::vector<Slot> slots_;
  std::map<std::string, Place> places_;
  batch::Precision precision_;
  at::Tensor parameters_, gradients_, momentum_, statistics_, shadow_;
};

/// One SGD step over the flat buffers (docs/protocol.md: momentum, no Nesterov, decay on every
/// parameter): g += decay * p; v = momentum * v + g; p -= rate * v; shadow = bf16(p).
/// Returns false, and changes nothing, where a gradient is not finite.
SMCL_API bool sgd_step(FlatStore& store, double rate, double momentum, double decay);

}  // namespace smcl::tensor
