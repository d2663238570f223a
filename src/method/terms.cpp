#include "method/terms.h"

#include "core/error.h"

namespace smcl::method {
namespace {

bool is_masked(const tensor::TensorBatch& batch, std::int64_t i) {
  return batch.masked && batch.is_masked[static_cast<std::size_t>(i)] != 0;
}

at::Tensor on_device(const std::vector<std::int64_t>& values, const at::Tensor& like) {
  return at::tensor(values, at::kLong).to(like.device());
}

}  // namespace

MixedLabels mixed_labels(const tensor::TensorBatch& batch) {
  MixedLabels out{batch.labels, batch.target_labels, batch.lambda, batch.contrast_lambda};
  if (!batch.has_plain) return out;
  out.own = at::cat({batch.labels, batch.labels});
  if (batch.target_labels.defined()) {
    out.target = at::cat({batch.target_labels, batch.target_labels});
  }
  const at::Tensor ones = at::ones_like(batch.lambda);
  out.lambda = at::cat({batch.lambda, ones});
  out.contrast_lambda = at::cat({batch.contrast_lambda, ones});
  return out;
}

at::Tensor own_weights(const tensor::TensorBatch& batch, const MixedLabels& labels, MceLabel rule) {
  // Without masks every lambda is 1.
  if (!batch.masked || rule == MceLabel::own) return {};
  if (rule == MceLabel::mixed) return labels.lambda;
  std::vector<std::int64_t> own(static_cast<std::size_t>(labels.own.size(0)), 1);
  for (std::int64_t i = 0; i < batch.count; ++i) {
    if (is_masked(batch, i)) own[static_cast<std::size_t>(i)] = 0;
  }
  return on_device(own, labels.lambda).to(labels.lambda.scalar_type());
}

at::Tensor mixed_classification(const loss::BaseLoss& base, const at::Tensor& logits,
                                const MixedLabels& labels, const at::Tensor& own_weight,
                                const at::Tensor& expected, const at::Tensor& class_weights) {
  const at::Tensor own = base(logits, labels.own, own_weight, class_weights).mean();
  if (!own_weight.defined()) return own;
  const at::Tensor target_weight = 1 - own_weight;
  if (expected.defined()) return own + base.soft(logits, expected, target_weight);
  if (!labels.target.defined()) {
    throw InternalError("a masked step needs target classes, the batch has none");
  }
  return own + base(logits, labels.target, target_weight, {}).mean();
}

ContrastMembers contrast_members(const tensor::TensorBatch& batch, ContrastSet set) {
  if (batch.target_blocks == 0 || !batch.target_labels.defined()) {
    throw InternalError("the contrastive part needs target images, the batch has none");
  }
  if (set == ContrastSet::target) return {{}, batch.target_labels, {}};

  const std::int64_t count = batch.count;
  const std::int64_t anchors = batch.has_plain ? 2 * count : count;
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> images;  // whose label a row carries
  std::vector<std::int64_t> excluded(static_cast<std::size_t>(anchors), -1);
  const auto join = [&](std::int64_t row, std::int64_t image) {
    excluded[static_cast<std::size_t>(row)] = count + static_cast<std::int64_t>(rows.size());
    rows.push_back(row);
    images.push_back(image);
  };
  for (std::int64_t i = 0; i < count; ++i) {
    if (batch.has_plain) join(count + i, i);
    if (is_masked(batch, i)) {
      if (set == ContrastSet::all) join(i, i);
    } else if (batch.has_plain) {
      // The same image stands in both blocks: one member, which neither anchor may meet.
      excluded[static_cast<std::size_t>(i)] = excluded[static_cast<std::size_t>(count + i)];
    } else {
      join(i, i);
    }
  }
  if (rows.empty()) return {{}, batch.target_labels, {}};
  const at::Tensor own = batch.labels.index_select(0, on_device(images, batch.labels));
  return {on_device(rows, batch.labels), at::cat({batch.target_labels, own}),
          on_device(excluded, batch.labels)};
}

at::Tensor contrastive_part(const at::Tensor& embeddings, const tensor::TensorBatch& batch,
                            const MixedLabels& labels, const ContrastRule& rule) {
  const ContrastMembers members = contrast_members(batch, rule.set);
  const std::int64_t anchors = labels.own.size(0);
  if (embeddings.size(0) != anchors + batch.count) {
    throw InternalError(concat("the step has ", embeddings.size(0), " embeddings, expected ",
                               anchors + batch.count));
  }
  const at::Tensor judged = embeddings.narrow(0, 0, anchors);
  at::Tensor set = embeddings.narrow(0, anchors, batch.count);
  if (rule.detach_target) set = set.detach();
  if (members.joining.defined()) set = at::cat({set, judged.index_select(0, members.joining)});
  return loss::mixed_contrast(judged, labels.own, labels.target, labels.contrast_lambda, set,
                              members.classes, members.excluded, rule.options);
}

std::vector<std::uint8_t> plain_rows(const tensor::TensorBatch& batch) {
  std::vector<std::uint8_t> rows;
  for (std::int64_t i = 0; i < batch.count; ++i) rows.push_back(is_masked(batch, i) ? 0 : 1);
  const auto count = static_cast<std::size_t>(batch.count);
  if (batch.has_plain) {
    // x_i stands in the plain block; unmasked images of the first would count twice.
    rows.assign(count, 0);
    rows.resize(2 * count, 1);
  }
  if (batch.target_blocks > 0) rows.resize(rows.size() + count, 0);
  return rows;
}

}  // namespace smcl::method
