#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/export.h"
#include "loss/base_loss.h"
#include "nn/network.h"
#include "plan/settings.h"
#include "tensor/tensor_batch.h"

namespace smcl::method {

enum class MceLabel { mixed, own, target };
enum class MceTarget { sampled, expected };
enum class ContrastWhen { always, masked };
enum class ContrastSet { target, target_plain, all };
enum class BnStats { all, plain_only };
enum class Rule { none, reweight, drw, resample, drs };

/// What the method adds to data, plan and network (docs/method.md, table of settings).
struct MethodSettings {
  /// ce, mixup, remix, cutmix, saliencymix, cmo, supcon, bcl, smcl
  std::string name = "smcl";
  loss::BaseLossSettings base;
  MceLabel label = MceLabel::mixed;
  MceTarget target = MceTarget::sampled;
  double mu = 0.3;  ///< weight of the contrastive part; 0 = off
  double tau = 0.1;
  ContrastWhen when = ContrastWhen::always;
  int warm_up = 0;  ///< with when = masked: epochs before mask.start with contrast
  ContrastSet set = ContrastSet::target;
  bool own_term = true;
  bool detach_target = false;
  BnStats bn_stats = BnStats::all;
  Rule rule = Rule::none;
  config::Moment rule_start{0.8, true};
  double rule_b = 0.9999;  ///< of the class-balanced weights, also those that re-sample
};
SMCL_API void bind(config::Binder& binder, MethodSettings& settings);
/// The first epoch with the rule's class weights or re-sampling; `epochs` where there is none.
SMCL_API int first_rule_epoch(const MethodSettings& settings, int epochs);

/// What a method wants planned.
struct Needs {
  bool masks = false;  ///< without: mask.prob counts as 0
  bool target_classes = false;
  plan::TargetImages target_images = plan::TargetImages::never;
  plan::Mixing mixing;
  int views = 0;            ///< further views of the ordinary images
  bool prototypes = false;  ///< of the network (nn::NetworkSettings)
};

/// Losses of a step. `total` is differentiable, the parts are detached means for the record
/// (undefined where the step had none).
struct StepLoss {
  at::Tensor total;
  at::Tensor classification;
  at::Tensor contrast;
  at::Tensor embeddings;  ///< detached [N, D], of the anchors; for failure signs
  at::Tensor features;  ///< detached [B, D], of the first block on a masked step; for failure signs
};

/// From a batch to a loss. The trainer knows no method by name.
class SMCL_API Method {
 public:
  virtual ~Method() = default;
  virtual Needs needs() const = 0;
  /// Whether loss() looks at TensorBatch::is_masked: then what it computes differs between steps of
  /// one shape, and cannot be recorded on a GPU.
  virtual bool reads_marks() const { return false; }
  /// Steps of one shape compute the same in all epochs of one phase.
  virtual int phase(int /*epoch*/) const { return 0; }
  virtual StepLoss loss(nn::Network& network, const tensor::TensorBatch& batch, int epoch) = 0;
  /// What the optimiser moves: the network, or what a second stage has beside it.
  virtual tensor::FlatStore& trained(nn::Network& network) { return network.store(); }
  /// Puts what was learned beside the network into it, for whoever looks at it between steps.
  virtual void install(nn::Network& /*network*/) const {}
};

/// `train_counts` for rules and losses, `target_probabilities` for mce.target = expected;
/// `logit_scale` is that of the network (nn::logit_scale). Throws UsageError for an unknown name
/// and for settings that contradict each other.
SMCL_API std::unique_ptr<Method> make_method(const MethodSettings& settings, int epochs,
                                             const std::vector<int>& train_counts,
                                             const std::vector<double>& target_probabilities,
                                             double logit_scale = 1.0);

/// Needs without making the method (the planner is made first). Throws UsageError where method.name
/// is unknown; the text lists those that are known.
SMCL_API Needs needs_of(const MethodSettings& settings);

/// Whether the method's contrastive part, where mu is above 0, is between views of its images.
SMCL_API bool contrasts_views(const MethodSettings& settings);

/// Checks that span method and mask settings of a run of so many epochs; throws UsageError with one
/// sentence.
SMCL_API void check_settings(const MethodSettings& settings, const plan::MaskSettings& mask,
                             int epochs);

}  // namespace smcl::method
