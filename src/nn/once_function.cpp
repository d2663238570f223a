#include "nn/once_function.h"

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace smcl::nn {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// What the backward pass needs, kept by autograd's graph.
struct Kept : torch::CustomClassHolder {
  at::Tensor value;  ///< until the forward pass returns it
  OnceBackward backward;
};

struct OnceFunction : Function<OnceFunction> {
  /// `parameters` only tells autograd what the result depends on.
  static at::Tensor forward(AutogradContext* context, at::TensorList /*parameters*/,
                            const c10::intrusive_ptr<Kept>& kept) {
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return std::exchange(kept->value, at::Tensor());
  }

  static variable_list backward(AutogradContext* context, variable_list& gradients) {
    const auto kept =
        c10::static_intrusive_pointer_cast<Kept>(context->saved_data["kept"].toCapsule());
    const OnceBackward backward = std::exchange(kept->backward, nullptr);
    TORCH_CHECK(backward != nullptr, "the gradient of a fused trunk can be taken once");
    TORCH_CHECK(!at::GradMode::is_enabled(), "a fused trunk has no second derivatives");
    variable_list out = backward(gradients[0]);
    out.emplace_back();  // of `kept`
    return out;
  }
};

}  // namespace

at::Tensor differentiable_once(at::TensorList parameters, at::Tensor value, OnceBackward backward) {
  auto kept = c10::make_intrusive<Kept>();
  kept->value = std::move(value);
  kept->backward = std::move(backward);
  return OnceFunction::apply(parameters, kept);
}

}  // namespace smcl::nn
