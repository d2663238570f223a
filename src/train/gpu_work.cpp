#include "train/gpu_work.h"

#include <exception>

#include "core/error.h"

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

std::string graph_of(const std::string& why, bool recorded) {
  if (!why.empty()) return concat("eager: ", why);
  return recorded ? "captured" : "eager: nothing came often enough to be recorded";
}

}  // namespace smcl::train
