#include "plan/settings.h"

namespace smcl::plan {
namespace {

const std::vector<config::Signature> kAreas = {
    {"beta", {{"a", 1.0, 1e-3, 1e3}, {"b", 1.0, 1e-3, 1e3}}},
    {"range", {{"lo", 0.2, 0.0, 1.0}, {"hi", 0.5, 0.0, 1.0}}},
    {"fixed", {{"v", 0.25, 0.0, 1.0}}}};

const std::vector<config::Signature> kDistributions = {{"effective", {{"b", 0.9999, 0.0, 1.0}}},
                                                       {"inverse", {}},
                                                       {"sqrt_inverse", {}},
                                                       {"uniform", {}}};

const std::vector<config::Signature> kLambdas = {
    {"area", {}}, {"constant", {{"w", 0.5, 0.0, 1.0}}}, {"removed_saliency", {}}};

constexpr config::Range kShare{0.0, 1.0};

}  // namespace

void bind(config::Binder& binder, AugmentSettings& settings) {
  binder.field("augment.crop_padding", settings.crop_padding, {0, 1024},
               "black pixels on each side before the random crop; 0 = no crop");
  binder.field("augment.flip", settings.flip, "flip every second image, on average, horizontally");
}

void bind(config::Binder& binder, MaskSettings& settings) {
  binder.choice<MaskKind>("mask.kind", settings.kind,
                          {{"saliency", MaskKind::saliency},
                           {"random", MaskKind::random},
                           {"centre", MaskKind::centre},
                           {"none", MaskKind::none},
                           {"oracle", MaskKind::oracle}},
                          "where the mask lies; none: labels and contrast as if masked");
  binder.field("saliency.detector", settings.detector, "what finds the most salient pixel");
  binder.choice<SaliencyOn>("saliency.on", settings.on,
                            {{"visible", SaliencyOn::visible},
                             {"original", SaliencyOn::original},
                             {"reflect", SaliencyOn::reflect},
                             {"padded", SaliencyOn::padded}},
                            "what the detector looks at; padded lets it see the black border");
  binder.field("mask.area", settings.area, kAreas,
               "share masked: 1 - Beta(a, b), uniform in a range, or fixed");
  binder.choice<Border>("mask.border", settings.border,
                        {{"clip", Border::clip}, {"shift", Border::shift}},
                        "a box over the border is cut off, or moved inside with its whole area");
  binder.choice<Fill>(
      "mask.fill", settings.fill,
      {{"mean", Fill::mean}, {"noise", Fill::noise}, {"blur", Fill::blur}, {"other", Fill::other}},
      "what the box shows; other: the same place of another image");
  binder.field("mask.prob", settings.prob, kShare,
               "probability that a step (or image, see mask.draw) is masked; 0 = never");
  binder.field("mask.start", settings.start, "when masks begin: a fraction of the run or an epoch");
  binder.choice<DrawUnit>("mask.draw", settings.draw,
                          {{"batch", DrawUnit::batch}, {"image", DrawUnit::image}},
                          "one coin and area for the whole batch, or one an image");
  binder.choice<Plain>("mask.plain", settings.plain,
                       {{"replace", Plain::replace}, {"add", Plain::add}},
                       "the masked image stands for the original, or both are used");
  binder.field("plain.cutout", settings.cutout_prob, kShare,
               "probability of the same box on an unmasked image, own label, from mask.start on");
}

void bind(config::Binder& binder, LambdaSettings& settings) {
  config::Call call{"area", {}};
  if (settings.rule == LambdaRule::constant) call = {"constant", {settings.constant}};
  if (settings.rule == LambdaRule::removed_saliency) call = {"removed_saliency", {}};
  binder.field("mce.lambda", call, kLambdas,
               "weight of the own label on a masked image in the cross-entropy");
  settings.rule = call.name == "constant"           ? LambdaRule::constant
                  : call.name == "removed_saliency" ? LambdaRule::removed_saliency
                                                    : LambdaRule::area;
  if (settings.rule == LambdaRule::constant) settings.constant = call.args.at(0);
}

void bind(config::Binder& binder, TargetSettings& settings) {
  binder.field("target.distribution", settings.distribution, kDistributions,
               "how target classes are drawn: by effective(b) or plain counts");
  binder.choice<bool>("target.unit", settings.unit_sample, {{"class", false}, {"sample", true}},
                      "whether a weight is a class's probability or that of each of its samples");
}

void bind(config::Binder& binder, MixSettings& settings) {
  binder.field("mix.prob", settings.prob, kShare,
               "probability that a step (or image, see mix.draw) is mixed; 0 = never");
  binder.field("mix.alpha", settings.alpha, {1e-3, 1e3},
               "the share that an image keeps is drawn from Beta(alpha, alpha)");
  binder.choice<DrawUnit>("mix.draw", settings.draw,
                          {{"batch", DrawUnit::batch}, {"image", DrawUnit::image}},
                          "one coin and share for the whole batch, or one an image");
  binder.field("mix.start", settings.start,
               "when mixing begins: a fraction of the run or an epoch");
  binder.field("mix.stop", settings.stop, "the first epoch without mixing again");
  binder.field("mix.kappa", settings.kappa, {1.0, 1e9},
               "remix: a class with this many times as many images gives its label away");
  binder.field("mix.tau", settings.tau, kShare,
               "remix: and does so where the other image's share is below this");
}

}  // namespace smcl::plan
