#include <algorithm>
#include <limits>

#include "core/error.h"
#include "method/method.h"

namespace smcl::method {
namespace {

/// Whether no image of a run of so many epochs stays as it is.
bool masks_everything(const plan::MaskSettings& mask, int epochs) {
  return mask.prob >= 1.0 && mask.start.epoch(epochs) <= 0 && mask.plain == plan::Plain::replace;
}

/// Whether no step with a contrastive part can hold a plain image.
bool no_plain_members(const MethodSettings& settings, const plan::MaskSettings& mask, int epochs) {
  if (masks_everything(mask, epochs)) return true;
  const bool only_masked_steps = settings.when == ContrastWhen::masked && settings.warm_up == 0;
  return only_masked_steps && mask.plain == plan::Plain::replace &&
         (mask.draw == plan::DrawUnit::batch || mask.prob >= 1.0);
}

void check_contrast(const MethodSettings& settings, const plan::MaskSettings& mask, int epochs) {
  if (settings.mu == 0) return;
  if (settings.when == ContrastWhen::masked && mask.prob == 0) {
    throw UsageError(
        "contrast.when = masked with mask.prob = 0 leaves no step with a contrastive part: set "
        "contrast.when = always, or contrast.mu = 0");
  }
  if (settings.set == ContrastSet::target_plain && no_plain_members(settings, mask, epochs)) {
    throw UsageError(
        "contrast.set = target+plain, but no step with a contrastive part has plain images: set "
        "mask.plain = add, or contrast.set = target");
  }
}

struct Name {
  std::string name;
  plan::Mixing mixing;
  int views = 0;  ///< where there is a contrastive part
  bool prototypes = false;
};

const std::vector<Name> kNames = {
    {"ce", {}, 0, false},
    {"mixup", {plan::MixKind::blend, false, false}, 0, false},
    {"remix", {plan::MixKind::blend, false, true}, 0, false},
    {"cutmix", {plan::MixKind::paste, false, false}, 0, false},
    {"saliencymix", {plan::MixKind::paste_peak, false, false}, 0, false},
    {"cmo", {plan::MixKind::paste, true, false}, 0, false},
    {"supcon", {}, 1, false},
    {"bcl", {}, 2, true},
    {"smcl", {}, 0, false},
};

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const Name& known : kNames) out.push_back(known.name);
  return out;
}

/// "ce, mixup, ..."
std::string known_names() {
  std::string out;
  for (const std::string& name : names()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

const Name& named(const std::string& name) {
  for (const Name& known : kNames) {
    if (known.name == name) return known;
  }
  const std::string near = config::nearest(name, names());
  throw UsageError(concat("method.name is \"", name, "\", expected one of ", known_names(),
                          near.empty() ? "" : concat(" (did you mean ", near, "?)")));
}

}  // namespace

void bind(config::Binder& binder, MethodSettings& settings) {
  const double most = std::numeric_limits<double>::max();
  binder.field("method.name", settings.name, concat("what is trained: ", known_names()));
  bind(binder, settings.base);
  binder.choice("mce.label", settings.label,
                {{"mixed", MceLabel::mixed}, {"own", MceLabel::own}, {"target", MceLabel::target}},
                "labels of a masked image in the cross-entropy part");
  binder.choice("mce.target", settings.target,
                {{"sampled", MceTarget::sampled}, {"expected", MceTarget::expected}},
                "target label: the drawn class, or the distribution as a soft label");
  binder.field("contrast.mu", settings.mu, {0.0, most}, "weight of the contrastive part; 0 = off");
  binder.field("contrast.tau", settings.tau, {1e-3, most}, "temperature of similarities");
  binder.choice("contrast.when", settings.when,
                {{"always", ContrastWhen::always}, {"masked", ContrastWhen::masked}},
                "steps with a contrastive part: all, or those with a masked image");
  binder.field("contrast.warm_up", settings.warm_up, {0.0, 1e9},
               "with contrast.when = masked: epochs before mask.start that have it too");
  binder.choice("contrast.set", settings.set,
                {{"target", ContrastSet::target},
                 {"target+plain", ContrastSet::target_plain},
                 {"all", ContrastSet::all}},
                "images that anchors are compared with");
  binder.field("contrast.own_term", settings.own_term,
               "the anchor's own embedding joins the denominator");
  binder.field("contrast.detach_target", settings.detach_target,
               "no gradient through the embeddings of target images");
  binder.choice("bn.stats", settings.bn_stats,
                {{"all", BnStats::all}, {"plain_only", BnStats::plain_only}},
                "images that update the running statistics of batch norm");
  binder.choice("rule.name", settings.rule,
                {{"none", Rule::none},
                 {"reweight", Rule::reweight},
                 {"drw", Rule::drw},
                 {"resample", Rule::resample},
                 {"drs", Rule::drs}},
                "class-balanced weights on own-label terms, or images drawn by them; drw, drs: "
                "from rule.start on");
  binder.field("rule.start", settings.rule_start,
               "first epoch of the rule: an epoch, or a fraction of the run");
  binder.field("rule.b", settings.rule_b, {0.0, 1.0},
               "b of class-balanced weights, also of those that re-sample");
}

bool contrasts_views(const MethodSettings& settings) {
  return named(settings.name).views > 0;
}

Needs needs_of(const MethodSettings& settings) {
  const Name& known = named(settings.name);
  Needs needs;
  needs.mixing = known.mixing;
  needs.prototypes = known.prototypes && settings.mu > 0;
  if (settings.mu > 0) needs.views = known.views;
  if (known.name != "smcl") return needs;
  needs.masks = true;
  needs.target_classes = true;
  if (settings.mu > 0) {
    needs.target_images = settings.when == ContrastWhen::always ? plan::TargetImages::always
                                                                : plan::TargetImages::masked_steps;
  }
  return needs;
}

void check_settings(const MethodSettings& settings, const plan::MaskSettings& mask, int epochs) {
  if (!needs_of(settings).masks) return;
  check_contrast(settings, mask, epochs);
  if (settings.target == MceTarget::expected && !loss::takes_soft_labels(settings.base.kind)) {
    throw UsageError(
        "mce.target = expected is a soft label, which loss.name = focal and ldam do not take: set "
        "mce.target = sampled, or loss.name = ce or logit_adjusted");
  }
  if (settings.label == MceLabel::own && settings.target == MceTarget::expected) {
    throw UsageError(
        "mce.target = expected changes the target term, which mce.label = own leaves out: set "
        "mce.label = mixed, or mce.target = sampled");
  }
  if (settings.bn_stats == BnStats::plain_only && masks_everything(mask, epochs)) {
    throw UsageError(
        "bn.stats = plain_only, but every image of the run is masked: set mask.plain = add, or "
        "bn.stats = all");
  }
}

}  // namespace smcl::method
