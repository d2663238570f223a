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

Error error_of_device(const c10::Error& problem, bool gpu) {
  const std::string text = problem.what_without_backtrace();
  const std::string line = text.substr(0, text.find('\n'));
  if (dynamic_cast<const c10::OutOfMemoryError*>(&problem) != nullptr) {
    return {ExitCode::io,
            concat("out of GPU memory: ", line,
                   " Use a smaller train.batch_size, fewer runs at once, or end other programs "
                   "on the device (nvidia-smi lists them)")};
  }
  if (line.find("DefaultCPUAllocator") != std::string::npos) {
    return {ExitCode::io, concat("out of memory: ", line.substr(line.find("DefaultCPUAllocator")),
                                 "; use a smaller train.batch_size or network, or fewer runs at "
                                 "once (--parallel, --jobs)")};
  }
  if (!gpu) return InternalError(concat("internal error in LibTorch: ", line));
  return {ExitCode::io, concat("the GPU failed: ", line,
                               "; run the same command again, which goes on from the last "
                               "checkpoint, or use --device cpu")};
}

}  // namespace smcl::experiment
