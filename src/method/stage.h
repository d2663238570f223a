#pragma once

#include <optional>
#include <string>

#include "core/config.h"
#include "core/export.h"
#include "method/method.h"
#include "nn/stage_classifier.h"

namespace smcl::method {

enum class StageName { none, crt, lws, tau_norm };

/// Section [stage] of a recipe: what becomes of the classifier behind the last epoch of [train],
/// while the rest of the network stays as it is (Kang et al. 2020).
struct StageSettings {
  StageName name = StageName::none;
  int epochs = 10;                         ///< behind those of [train]; as many images each
  double rate = 0.1;                       ///< start of a half cosine down to 0
  int batch_size = 0;                      ///< 0: train.batch_size
  config::Call momentum{"train", {}};      ///< a number, or train: train.momentum
  config::Call weight_decay{"train", {}};  ///< a number, or train: train.weight_decay
  config::Call tau{"auto", {}};  ///< tau_norm: a number, or auto: the best on validation images
};
SMCL_API void bind(config::Binder& binder, StageSettings& settings);

/// "crt"; empty for none.
SMCL_API std::string text_of(StageName name);

/// Epochs behind those of [train]: tau_norm counts as one without images.
inline int stage_epochs(const StageSettings& settings) {
  if (settings.name == StageName::none) return 0;
  return settings.name == StageName::tau_norm ? 1 : settings.epochs;
}

/// Whether steps train something in the stage.
inline bool stage_learns(const StageSettings& settings) {
  return settings.name == StageName::crt || settings.name == StageName::lws;
}

/// Throws UsageError, in one sentence, where the stage has no meaning for such a network.
SMCL_API void check_stage(const StageSettings& settings, const nn::NetworkSettings& network);

/// Plain cross-entropy of a second stage's classifier on features of the network in evaluation mode
/// (running statistics, which stay), without class weights.
class SMCL_API SecondStage : public Method {
 public:
  /// `classifier` outlives it.
  explicit SecondStage(nn::StageClassifier& classifier) : classifier_(classifier) {}
  Needs needs() const override { return {}; }
  tensor::FlatStore& trained(nn::Network& /*network*/) override { return classifier_.store(); }
  void install(nn::Network& network) const override { classifier_.install(network); }
  /// Throws InternalError for masked images and for targets.
  StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) override;

 private:
  nn::StageClassifier& classifier_;
};

}  // namespace smcl::method
