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
  const at::Tensor logits = network.forward(batch.images, options).logits;
  StepLoss out;
  out.total =
      loss::cross_entropy(logits, batch.labels, {}, weights_.at_epoch(epoch, logits.device()))
          .mean();
  out.classification = out.total.detach();
  return out;
}

}  // namespace smcl::method
