#include "plan/settings.h"

#include "plan/policy.h"

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

const std::vector<config::Signature> kResizedCrops = {
    {"off", {}}, {"range", {{"lo", 0.2, 1e-4, 1.0}, {"hi", 1.0, 1e-4, 1.0}}}};
const std::vector<config::Signature> kRatios = {
    {"range", {{"lo", 3.0 / 4.0, 0.01, 100.0}, {"hi", 4.0 / 3.0, 0.01, 100.0}}}};
const std::vector<config::Signature> kSigmas = {
    {"range", {{"lo", 0.1, 1e-3, 100.0}, {"hi", 2.0, 1e-3, 100.0}}}};

void bind_on(config::Binder& binder, const char* key, On& on, const char* doc) {
  binder.choice<On>(key, on,
                    {{"all", On::all}, {"ordinary", On::ordinary}, {"further", On::further}}, doc);
}

void bind_colour(config::Binder& binder, AugmentSettings& settings) {
  binder.field("augment.colour", settings.colour, kShare, "probability of colour jitter; 0 = none");
  binder.field("augment.brightness", settings.brightness, kShare,
               "of the jitter: factors lie within 1 - this and 1 + this; 0 = not at all");
  binder.field("augment.contrast", settings.contrast, kShare, "of the jitter, the same");
  binder.field("augment.saturation", settings.saturation, kShare, "of the jitter, the same");
  binder.field("augment.hue", settings.hue, {0.0, 0.5},
               "of the jitter: the hue turns by up to this share of the circle, either way");
  binder.field("augment.grey", settings.grey, kShare, "probability that an image loses its colour");
  binder.field("augment.blur", settings.blur, kShare, "probability of a Gaussian blur");
  binder.field("augment.blur_sigma", settings.blur_sigma, kSigmas,
               "of the blur, uniform in this range, in pixels");
  bind_on(binder, "augment.colour_on", settings.colour_on,
          "which images get jitter, grey and blur (see augment.crop_on)");
}

}  // namespace

void bind(config::Binder& binder, AugmentSettings& settings) {
  binder.field("augment.crop_padding", settings.crop_padding, {0, 1024},
               "black pixels on each side before the random crop; 0 = no crop");
  binder.field("augment.flip", settings.flip, "flip every second image, on average, horizontally");
  binder.field(
      "augment.resized_crop", settings.resized_crop, kResizedCrops,
      "share of the area that a crop keeps, stretched to the image's size; off: crop_padding");
  binder.field("augment.resized_ratio", settings.resized_ratio, kRatios,
               "of the resized crop: its width over its height, uniform in the logarithm");
  bind_on(binder, "augment.crop_on", settings.crop_on,
          "which images get the resized crop: all, ordinary ones, or further views and targets");
  binder.choice<Policy>(
      "augment.policy", settings.policy,
      {{"none", Policy::none},
       {"autoaugment", Policy::autoaugment},
       {"randaugment", Policy::randaugment}},
      "operations behind crop and flip: AutoAugment's for CIFAR-10, or random ones");
  binder.field("augment.rand_ops", settings.rand_ops, {1, kMostPolicyOps},
               "randaugment: operations an image");
  binder.field("augment.rand_magnitude", settings.rand_magnitude, {0, kRandLevels - 1},
               "randaugment: strength of each operation, of 30");
  binder.field("augment.cutout", settings.cutout, {0, 1024},
               "side of a black square at a random place of each image, in pixels; 0 = none");
  binder.field("augment.cutout_prob", settings.cutout_prob, kShare, "probability of the square");
  bind_on(binder, "augment.policy_on", settings.policy_on,
          "which images get the policy and the square (see augment.crop_on)");
  bind_colour(binder, settings);
}

void bind(config::Binder& binder, MaskSettings& settings) {
  binder.choice<MaskKind>("mask.kind", settings.kind,
                          {{"saliency", MaskKind::saliency},
                           {"random", MaskKind::random},
                           {"centre", MaskKind::centre},
                           {"none", MaskKind::none},
                           {"oracle", MaskKind::oracle}},
                          "where the mask lies; none: labels and contrast as if masked");
  binder.field("saliency.detector", settings.detector,
               "what finds the most salient pixel: fine_grained, joint, random or centre");
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
  binder.choice<DrawUnit>(
      "mix.draw", settings.draw, {{"batch", DrawUnit::batch}, {"image", DrawUnit::image}},
      "one coin, share and place of a pasted box for the whole batch, or one an image");
  binder.field("mix.start", settings.start,
               "when mixing begins: a fraction of the run or an epoch");
  binder.field("mix.stop", settings.stop, "the first epoch without mixing again");
  binder.field("mix.kappa", settings.kappa, {1.0, 1e9},
               "remix: a class with this many times as many images gives its label away");
  binder.field("mix.tau", settings.tau, kShare,
               "remix: and does so where its own share is below this");
}

}  // namespace smcl::plan
