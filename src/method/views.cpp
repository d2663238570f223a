#include "method/views.h"

#include "core/error.h"
#include "loss/loss.h"

namespace smcl::method {

at::Tensor view_contrast(const at::Tensor& views, const at::Tensor& labels,
                         const at::Tensor& prototypes, double tau) {
  const at::Tensor classes = labels.repeat({views.size(0) / labels.size(0)});
  const at::Tensor own = at::arange(views.size(0), classes.options());
  if (!prototypes.defined()) {
    return loss::supervised_contrast(views, classes, views, classes, own, {tau, false, false})
        .mean();
  }
  const at::Tensor set = at::cat({views, prototypes});
  const at::Tensor set_classes =
      at::cat({classes, at::arange(prototypes.size(0), classes.options())});
  return loss::supervised_contrast(views, classes, set, set_classes, own, {tau, false, true})
      .mean();
}

ViewContrast::ViewContrast(const MethodSettings& settings, loss::BaseLoss base,
                           ClassWeights weights)
    : settings_(settings), base_(std::move(base)), weights_(std::move(weights)) {}

StepLoss ViewContrast::loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) {
  const Needs wanted = needs();
  if (batch.masked || batch.has_plain || batch.target_blocks != wanted.views) {
    throw InternalError(concat("method ", settings_.name, " got a batch with ", batch.target_blocks,
                               " further views, expected ", wanted.views, " and no masks"));
  }
  nn::ForwardOptions options;
  options.training = true;
  options.embeddings = true;
  const nn::Output seen = network.forward(batch.images, options);
  StepLoss out;
  out.total = base_(seen.logits.narrow(0, 0, batch.count), batch.labels, {},
                    weights_.at_epoch(epoch, seen.logits.device()))
                  .mean();
  out.classification = out.total.detach();

  const std::int64_t first = wanted.prototypes ? batch.count : 0;
  const at::Tensor views = seen.embeddings.narrow(0, first, seen.embeddings.size(0) - first);
  const at::Tensor part = view_contrast(views, batch.labels, seen.prototypes, settings_.tau);
  out.total = out.total + settings_.mu * part;
  out.contrast = part.detach();
  // The first view alone: two views of one image are alike however many others there are.
  out.embeddings = views.narrow(0, 0, batch.count).detach();
  return out;
}

}  // namespace smcl::method
