#include "experiment/features.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "train/evaluate.h"

namespace smcl::experiment {
namespace {

constexpr std::size_t kStep = 256;

Seen nothing_seen(const nn::Network& network) {
  Seen seen;
  seen.features.dim = network.feature_dim();
  seen.predictions.classes = network.classes();
  return seen;
}

void append(const at::Tensor& tensor, std::vector<float>& to) {
  const at::Tensor values = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* first = values.const_data_ptr<float>();
  to.insert(to.end(), first, first + values.numel());
}

/// `count` normalised images of the network's precision at `pixels`.
void look(nn::Network& network, std::byte* pixels, std::size_t count, int height, int width,
          Seen& seen) {
  const at::NoGradGuard no_gradient;
  const bool bf16 = network.store().precision() == batch::Precision::bf16;
  const at::Tensor images =
      at::from_blob(pixels, {static_cast<std::int64_t>(count), height, width, 3},
                    at::TensorOptions().dtype(bf16 ? at::kBFloat16 : at::kFloat))
          .permute({0, 3, 1, 2});
  const nn::Output output = network.forward(images, {});
  append(output.features, seen.features.values);
  append(output.logits, seen.predictions.logits);
}

void check(const Seen& seen, const std::vector<std::uint32_t>& samples) {
  train::check_finite(seen.predictions, samples);
  const auto& values = seen.features.values;
  const auto bad =
      std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  if (bad == values.end()) return;
  const auto row = (bad - values.begin()) / seen.features.dim;
  throw DivergedError(concat("the network's features are not finite: ", *bad, " for image ",
                             samples[static_cast<std::size_t>(row)],
                             " of the set; the training diverged: lower schedule.rate"));
}

}  // namespace

Seen see(nn::Network& network, const data::Dataset& set, const std::vector<std::uint32_t>& samples,
         const data::Normalisation& normalisation) {
  Seen seen = nothing_seen(network);
  if (samples.empty()) return seen;
  std::vector<std::uint8_t> scratch;
  const ImageView first = set.image(samples[0], 0, scratch);
  const auto precision = network.store().precision();
  const std::size_t value_bytes = precision == batch::Precision::bf16 ? 2 : 4;
  std::vector<std::byte> pixels(std::min(kStep, samples.size()) *
                                static_cast<std::size_t>(first.height) *
                                static_cast<std::size_t>(first.width) * 3 * value_bytes);
  for (std::size_t begin = 0; begin < samples.size(); begin += kStep) {
    const std::size_t count = std::min(kStep, samples.size() - begin);
    batch::evaluation_pixels(set, samples, begin, count, normalisation, precision, pixels.data());
    look(network, pixels.data(), count, first.height, first.width, seen);
  }
  check(seen, samples);
  for (const std::uint32_t sample : samples) seen.predictions.labels.push_back(set.label(sample));
  return seen;
}

SeenMasked see(nn::Network& network, const MaskedImages& images) {
  SeenMasked seen{nothing_seen(network), nothing_seen(network), {}, {}};
  std::vector<std::uint32_t> samples;
  batch::Batch batch;
  for (std::size_t begin = 0; begin < images.size(); begin += kStep) {
    const std::size_t end = std::min(begin + kStep, images.size());
    images.make(begin, end, network.store().precision(), batch);
    const std::size_t block = batch.pixels.size() / 2;
    look(network, batch.pixels.data(), end - begin, batch.height, batch.width, seen.masked);
    look(network, batch.pixels.data() + block, end - begin, batch.height, batch.width, seen.plain);
    samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
    for (Seen* each : {&seen.masked, &seen.plain}) {
      auto& labels = each->predictions.labels;
      labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    }
    seen.peaks.insert(seen.peaks.end(), batch.peaks.begin(), batch.peaks.end());
    seen.boxes.insert(seen.boxes.end(), batch.boxes.begin(), batch.boxes.end());
  }
  check(seen.masked, samples);
  check(seen.plain, samples);
  return seen;
}

}  // namespace smcl::experiment
