#include "train/epoch_sums.h"

namespace smcl::train {
namespace {

/// Mean cosine of two different rows of L2-normalised `embeddings`.
double mean_cosine(const at::Tensor& embeddings) {
  const double n = static_cast<double>(embeddings.size(0));
  const double square = embeddings.sum(0).square().sum().item<double>();
  return (square - n) / (n * (n - 1.0));
}

/// Share of the marked rows that are all but zero; nothing without such rows.
std::optional<double> zero_share(const at::Tensor& features, const at::Tensor& marks) {
  constexpr double kNearZero = 1e-3;  // root mean square over the features of an image
  const at::Tensor masked = features.index({marks.to(at::kBool)});
  if (masked.size(0) == 0) return std::nullopt;
  const at::Tensor size = masked.square().mean(1).sqrt();
  return size.lt(kNearZero).to(at::kDouble).mean().item<double>();
}

}  // namespace

EpochSums::EpochSums(at::Device device)
    : sums_(at::zeros({3}, at::TensorOptions().dtype(at::kDouble).device(device))) {}

void EpochSums::start(const RunPoint& begin) {
  before_ = begin;
  sums_.copy_(at::tensor({begin.loss, begin.classification, begin.contrast}, at::kDouble));
  signs_ = {};
  images_ = begin.images;
  contrast_images_ = begin.contrast_images;
  masked_steps_ = begin.masked_steps;
}

void EpochSums::add(const method::StepLoss& loss, std::int64_t images) {
  const auto add = [&](std::int64_t place, const at::Tensor& value) {
    sums_.select(0, place).add_(value.detach().to(at::kDouble) * static_cast<double>(images));
  };
  add(0, loss.total);
  add(1, loss.classification);
  if (loss.contrast.defined()) add(2, loss.contrast);
}

void EpochSums::count(const StepSigns& signs, std::int64_t images, bool masked) {
  images_ += images;
  if (signs.contrast) contrast_images_ += images;
  masked_steps_ += masked ? 1 : 0;
  if (signs.embeddings.defined()) signs_.embeddings = signs.embeddings;
  if (signs.features.defined()) {
    signs_.features = signs.features;
    signs_.marks = signs.marks;
  }
}

RunPoint EpochSums::point(int step) const {
  const at::Tensor sums = sums_.cpu();
  const auto* values = sums.const_data_ptr<double>();
  RunPoint out = before_;
  out.step = step;
  out.loss = values[0];
  out.classification = values[1];
  out.contrast = values[2];
  out.images = images_;
  out.contrast_images = contrast_images_;
  out.masked_steps = masked_steps_;
  if (signs_.embeddings.defined()) {
    out.mean_cosine.reset();
    if (signs_.embeddings.size(0) > 1) out.mean_cosine = mean_cosine(signs_.embeddings);
  }
  if (signs_.features.defined()) {
    out.zero_features = zero_share(signs_.features, signs_.marks);  // nothing, where none is masked
  }
  return out;
}

}  // namespace smcl::train
