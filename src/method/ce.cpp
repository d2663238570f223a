#include "method/ce.h"

#include "core/error.h"
#include "loss/loss.h"

namespace smcl::method {

StepLoss CrossEntropy::loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) {
  if (batch.masked || batch.has_targets) {
    throw InternalError("method ce got a batch with masks or targets, expected a plain one");
  }
  nn::ForwardOptions options;
  options.training = true;
  const nn::Output seen = network.forward(batch.images, options);
  StepLoss out;
  out.total =
      base_(seen.logits, batch.labels, {}, weights_.at_epoch(epoch, seen.logits.device())).mean();
  out.classification = out.total.detach();
  return out;
}

}  // namespace smcl::method
