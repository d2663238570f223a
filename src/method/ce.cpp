#include "method/ce.h"

#include "core/error.h"
#include "loss/loss.h"

namespace smcl::method {

StepLoss CrossEntropy::loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) {
  const bool mixes = needs_.mixing.kind != plan::MixKind::none;
  if ((batch.masked && !mixes) || batch.target_blocks > 0 || batch.has_plain) {
    throw InternalError("method ce got a batch with masks or targets, expected a plain one");
  }
  nn::ForwardOptions options;
  options.training = true;
  const nn::Output seen = network.forward(batch.images, options);
  StepLoss out;
  const at::Tensor weights = weights_.at_epoch(epoch, seen.logits.device());
  if (batch.masked) {
    out.total = base_(seen.logits, batch.labels, batch.lambda, weights).mean() +
                base_(seen.logits, batch.target_labels, 1 - batch.lambda, weights).mean();
  } else {
    out.total = base_(seen.logits, batch.labels, {}, weights).mean();
  }
  out.classification = out.total.detach();
  return out;
}

}  // namespace smcl::method
