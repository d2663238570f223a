#include "train/gpu_work.h"

#include <exception>

namespace smcl::train {

std::string GpuWork::run(tensor::Gpu& gpu, int warm_up, bool may_record,
                         const std::function<void()>& work) {
  std::string failure;
  if (graph_ == nullptr && runs_ >= warm_up && may_record) {
    try {
      graph_ = gpu.record(work);
    } catch (const std::exception& problem) {
      failure = problem.what();
      failure = failure.substr(0, failure.find('\n'));
    }
  }
  if (graph_ != nullptr) {
    graph_->launch();
  } else {
    gpu.eager(work);
  }
  ++runs_;
  return failure;
}

}  // namespace smcl::train
