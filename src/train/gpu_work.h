#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tensor/gpu.h"

namespace smcl::train {

/// Work of one shape that a GPU does again and again: launched as it is a few times, in which
/// libraries settle on algorithms and take their memory, then recorded and from then on replayed.
class GpuWork {
 public:
  /// Enqueues `work`, which must be the same each time; `warm_up` times it is launched as it is.
  /// Where `may_record` is false, or recording fails, it always is. Returns why recording failed,
  /// in one line, at the call where it did; else nothing.
  std::string run(tensor::Gpu& gpu, int warm_up, bool may_record,
                  const std::function<void()>& work);
  bool recorded() const { return graph_ != nullptr; }

 private:
  int runs_ = 0;
  std::unique_ptr<tensor::GpuGraph> graph_;
};

/// As Steps::graph(): "captured", or "eager: " with `why`; where that is empty but nothing was
/// recorded, the work did not come often enough.
std::string graph_of(const std::string& why, bool recorded);

}  // namespace smcl::train
