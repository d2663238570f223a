#include "train/tau_norm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/error.h"
#include "nn/stage_classifier.h"

namespace smcl::train {
namespace {

class TauSteps : public Steps {
 public:
  TauSteps(nn::Network& network, double tau, tensor::Gpu* gpu)
      : network_(network), tau_(tau), gpu_(gpu) {}

  void start(const RunPoint& begin, double /*rate*/) override { point_ = begin; }
  std::optional<StepTaken> next() override {
    if (point_.step > 0) return std::nullopt;
    const auto divide = [this] { nn::tau_normalise(network_, tau_); };
    if (gpu_ != nullptr) {
      gpu_->eager(divide);
    } else {
      divide();
    }
    point_.step = 1;
    return StepTaken{0, false};
  }
  RunPoint point() override { return point_; }
  double seconds_waited() const override { return 0.0; }

 private:
  nn::Network& network_;
  double tau_;
  tensor::Gpu* gpu_;
  RunPoint point_;
};

}  // namespace

std::vector<double> tau_grid() {
  std::vector<double> taus;
  for (int tenth = 0; tenth <= 20; ++tenth) taus.push_back(tenth / 10.0);
  return taus;
}

std::vector<TauScore> score_taus(const metrics::Predictions& predictions,
                                 const nn::Network& network, std::span<const double> taus,
                                 std::span<const int> train_counts,
                                 const metrics::GroupBounds& bounds) {
  const auto classes = static_cast<std::size_t>(network.classes());
  if (static_cast<std::size_t>(predictions.classes) != classes) {
    throw InternalError(
        concat("predictions of ", predictions.classes, " classes for a network of ", classes));
  }
  const at::Tensor norms = nn::class_norms(network);
  const at::Tensor biases = network.store().view("fc.bias").detach().to(at::kCPU, at::kDouble);
  std::vector<TauScore> scores;
  for (const double tau : taus) {
    metrics::Predictions scaled = predictions;
    for (std::size_t i = 0; i < scaled.logits.size(); ++i) {
      const std::size_t k = i % classes;
      const double norm = norms.const_data_ptr<double>()[k];
      const double plain = predictions.logits[i] - biases.const_data_ptr<double>()[k];
      scaled.logits[i] = static_cast<float>(norm > 0.0 ? plain / std::pow(norm, tau) : plain);
    }
    scores.push_back({tau, metrics::accuracy(scaled, train_counts, bounds).balanced});
  }
  return scores;
}

TauScore best_tau(std::span<const TauScore> scores) {
  if (scores.empty()) throw InternalError("no power of tau-normalisation to choose from");
  return *std::max_element(scores.begin(), scores.end(), [](const TauScore& a, const TauScore& b) {
    return a.balanced < b.balanced;
  });
}

std::unique_ptr<Steps> make_tau_steps(nn::Network& network, double tau, tensor::Gpu* gpu) {
  return std::make_unique<TauSteps>(network, tau, gpu);
}

}  // namespace smcl::train
