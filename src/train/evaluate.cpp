#include "train/evaluate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "batch/batch.h"
#include "core/error.h"

namespace smcl::train {

void check_finite(const metrics::Predictions& predictions,
                  const std::vector<std::uint32_t>& samples) {
  const auto& logits = predictions.logits;
  const auto bad = std::find_if_not(logits.begin(), logits.end(),
                                    [](float logit) { return std::isfinite(logit); });
  if (bad == logits.end()) return;
  const auto place = static_cast<std::size_t>(bad - logits.begin());
  const auto classes = static_cast<std::size_t>(predictions.classes);
  throw DivergedError(concat("the network's output is not finite: logit ", *bad, " of class ",
                             place % classes, " for image ", samples[place / classes],
                             " of the set; the training diverged: lower schedule.rate or "
                             "contrast.mu"));
}
metrics::Predictions evaluate(nn::Network& network, const data::Dataset& dataset,
                              const std::vector<std::uint32_t>& samples,
                              const data::Normalisation& normalisation, int batch_size) {
  return *evaluate_unless({}, network, dataset, samples, normalisation, batch_size);
}

std::optional<metrics::Predictions> evaluate_unless(const std::function<bool()>& stop,
                                                    nn::Network& network,
                                                    const data::Dataset& dataset,
                                                    const std::vector<std::uint32_t>& samples,
                                                    const data::Normalisation& normalisation,
                                                    int batch_size) {
  metrics::Predictions result;
  result.classes = network.classes();
  result.labels.reserve(samples.size());
  result.logits.resize(samples.size() * static_cast<std::size_t>(result.classes));
  if (samples.empty()) return result;

  std::vector<std::uint8_t> scratch;
  const ImageView first = dataset.image(samples[0], 0, scratch);
  const auto precision = network.store().precision();
  const auto type = precision == batch::Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const std::size_t image_bytes = static_cast<std::size_t>(first.height) * first.width * 3 *
                                  (precision == batch::Precision::bf16 ? 2 : 4);
  const std::size_t step = static_cast<std::size_t>(batch_size);
  std::vector<std::byte> pixels(std::min(step, samples.size()) * image_bytes);

  const at::NoGradGuard no_gradient;
  for (std::size_t begin = 0; begin < samples.size(); begin += step) {
    if (stop && stop()) return std::nullopt;
    const std::size_t count = std::min(step, samples.size() - begin);
    batch::evaluation_pixels(dataset, samples, begin, count, normalisation, precision,
                             pixels.data());
    const at::Tensor images =
        at::from_blob(pixels.data(),
                      {static_cast<std::int64_t>(count), first.height, first.width, 3},
                      at::TensorOptions().dtype(type))
            .permute({0, 3, 1, 2})
            .to(network.store().parameters().device());
    const at::Tensor logits =
        network.forward(images, {}).logits.to(at::kCPU, at::kFloat).contiguous();
    std::copy_n(logits.const_data_ptr<float>(), logits.numel(),
                result.logits.begin() +
                    static_cast<std::ptrdiff_t>(begin * static_cast<std::size_t>(result.classes)));
  }
  check_finite(result, samples);
  for (const std::uint32_t sample : samples) result.labels.push_back(dataset.label(sample));
  return result;
}

}  // namespace smcl::train
