#include "experiment/device.h"

#include "core/error.h"
#include "core/log.h"

namespace smcl::experiment {

tensor::Gpu* gpu_of(const Recipe& recipe) {
  if (recipe.runtime.device != "cuda") return nullptr;
  const tensor::GpuAnswer& answer = tensor::find_gpu();
  if (answer.gpu == nullptr) throw UsageError(concat("run.device = cuda: ", answer.why_not));
  return answer.gpu;
}

void tell_device(const Recipe& recipe) {
  if (recipe.runtime.device == "cuda" || !recipe.device_was_auto()) return;
  const tensor::GpuAnswer& answer = tensor::find_gpu();
  if (answer.built) log::info(concat("training on the CPU: ", answer.why_not));
}

}  // namespace smcl::experiment
