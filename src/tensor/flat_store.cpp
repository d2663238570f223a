#include "tensor/flat_store.h"

#include <ATen/core/grad_mode.h>

#include <atomic>
#include <utility>

#include "core/error.h"
#include "kernels/sgd.h"
#include "tensor/on_threads.h"

namespace smcl::tensor {

namespace {

// Elements between starts of slots: 64 bytes in the bf16 shadow, whose offsets are the master's.
constexpr std::int64_t kAlign = 32;
// Elements that one thread takes at a time.
constexpr std::size_t kGrain = 1 << 16;

std::int64_t elements(const Slot& slot) {
  std::int64_t count = 1;
  for (const std::int64_t size : slot.shape) {
    if (size < 0) throw InternalError(concat("tensor '", slot.name, "' has a size of ", size));
    count *= size;
  }
  return count;
}

std::vector<std::int64_t> strides_of(const std::vector<std::int64_t>& shape) {
  if (shape.size() == 4) return {shape[1] * shape[2] * shape[3], 1, shape[1] * shape[3], shape[1]};
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// A view with a version counter of its own: writing to the buffer by the optimiser is no
/// modification in place that autograd should see.
at::Tensor view_of(const at::Tensor& buffer, const Slot& slot, std::int64_t offset) {
  const at::NoGradGuard no_grad;
  return buffer.as_strided(slot.shape, strides_of(slot.shape), offset).variable_data();
}

}  // namespace

FlatStore::FlatStore(std::vector<Slot> slots, batch::Precision precision, at::Device device)
    : slots_(std::move(slots)), precision_(precision) {
  std::int64_t parameters = 0;
  std::int64_t statistics = 0;
  for (const Slot& slot : slots_) {
    std::int64_t& end = slot.statistic ? statistics : parameters;
    if (!places_.try_emplace(slot.name, Place{end, {}, {}, {}, {}}).second) {
      throw InternalError(concat("two tensors are called '", slot.name, "'"));
    }
    end += (elements(slot) + kAlign - 1) / kAlign * kAlign;
  }
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  parameters_ = at::zeros({parameters}, options);
  gradients_ = at::zeros({parameters}, options);
  momentum_ = at::zeros({parameters}, options);
  statistics_ = at::zeros({statistics}, options);
  const bool shadowed = precision == batch::Precision::bf16;
  if (shadowed) shadow_ = at::zeros({parameters}, options.dtype(at::kBFloat16));
  for (const Slot& slot : slots_) {
    Place& place = places_.at(slot.name);
    place.view = view_of(slot.statistic ? statistics_ : parameters_, slot, place.offset);
    if (slot.statistic) continue;
    place.gradient = view_of(gradients_, slot, place.offset);
    place.velocity = view_of(momentum_, slot, place.offset);
    place.view.set_requires_grad(true);
    place.view.mutable_grad() = place.gradient;
    if (shadowed && slot.shadow) place.shadow = view_of(shadow_, slot, place.offset);
  }
}

const FlatStore::Place& FlatStore::place(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) throw InternalError(concat("no tensor is called '", name, "'"));
  return found->second;
}

at::Tensor FlatStore::view(const std::string& name) const {
  return place(name).view;
}

at::Tensor FlatStore::compute(const std::string& name) const {
  const Place& found = place(name);
  return found.shadow.defined() ? found.shadow : found.view;
}

at::Tensor FlatStore::gradient(const std::string& name) const {
  const Place& found = place(name);
  if (!found.gradient.defined()) throw InternalError(concat("'", name, "' has no gradient"));
  return found.gradient;
}

at::Tensor FlatStore::velocity(const std::string& name) const {
  const Place& found = place(name);
  if (!found.velocity.defined()) throw InternalError(concat("'", name, "' has no momentum"));
  return found.velocity;
}

void FlatStore::refresh_shadow() {
  if (shadow_.defined()) shadow_.copy_(parameters_);
}

void FlatStore::zero_gradients() {
  gradients_.zero_();
}

void FlatStore::check_gradients() const {
  for (const auto& [name, place] : places_) {
    if (!place.gradient.defined()) continue;
    const at::Tensor& held = place.view.grad();
    if (!held.defined() || held.data_ptr() != place.gradient.data_ptr() ||
        held.strides() != place.gradient.strides()) {
      throw InternalError(concat("the gradient of '", name, "' left the flat buffer"));
    }
  }
}

std::int64_t FlatStore::parameter_count() const {
  std::int64_t count = 0;
  for (const Slot& slot : slots_) {
    if (!slot.statistic) count += elements(slot);
  }
  return count;
}

bool sgd_step(FlatStore& store, double rate, double momentum, double decay) {
  if (!store.parameters().is_cpu()) throw InternalError("sgd_step runs on the CPU only");
  auto* parameters = store.parameters().data_ptr<float>();
  const auto* gradients = store.gradients().const_data_ptr<float>();
  auto* velocities = store.momentum().data_ptr<float>();
  std::uint16_t* shadow = nullptr;
  if (store.shadow().defined()) shadow = static_cast<std::uint16_t*>(store.shadow().data_ptr());
  const auto count = static_cast<std::size_t>(store.parameters().numel());

  std::atomic<bool> finite{true};
  on_threads(count, kGrain, [&](std::size_t begin, std::size_t end) {
    if (!kernels::all_finite(gradients + begin, end - begin)) finite = false;
  });
  if (!finite) return false;
  const kernels::SgdRates rates{static_cast<float>(rate), static_cast<float>(momentum),
                                static_cast<float>(decay)};
  on_threads(count, kGrain, [&](std::size_t begin, std::size_t end) {
    kernels::sgd({parameters + begin, gradients + begin, velocities + begin,
                  shadow == nullptr ? nullptr : shadow + begin, end - begin},
                 rates);
  });
  return true;
}

}  // namespace smcl::tensor
