#include "plan/settings.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace smcl::plan {
namespace {

struct All {
  AugmentSettings augment;
  MaskSettings mask;
  LambdaSettings lambda;
  TargetSettings target;
};

All bound(const std::string& toml) {
  const auto document = config::Document::parse(toml, "test");
  config::Binder binder(document);
  All all;
  bind(binder, all.augment);
  bind(binder, all.mask);
  bind(binder, all.lambda);
  bind(binder, all.target);
  binder.finish();
  return all;
}

TEST(PlanSettings, DefaultsAreThePapers) {
  const All all = bound("");
  EXPECT_EQ(all.augment.crop_padding, 4);
  EXPECT_TRUE(all.augment.flip);
  EXPECT_EQ(all.augment.resized_crop.name, "off");
  EXPECT_EQ(all.augment.policy, Policy::none);
  EXPECT_EQ(all.augment.cutout, 0);
  EXPECT_EQ(all.augment.colour + all.augment.grey + all.augment.blur, 0.0);
  EXPECT_EQ(all.mask.kind, MaskKind::saliency);
  EXPECT_EQ(all.mask.detector, "fine_grained");
  EXPECT_EQ(all.mask.area, (config::Call{"beta", {1.0, 1.0}}));
  EXPECT_EQ(all.mask.prob, 0.2);
  EXPECT_EQ(all.mask.start.epoch(200), 160);
  EXPECT_EQ(all.mask.cutout_prob, 0.0);
  EXPECT_EQ(all.lambda.rule, LambdaRule::area);
  EXPECT_EQ(all.target.distribution, (config::Call{"effective", {0.9999}}));
  EXPECT_FALSE(all.target.unit_sample);
}

TEST(PlanSettings, EveryKeyOfAugmentationIsRead) {
  const AugmentSettings a = bound(
                                "augment.resized_crop = [0.3, 0.9]\n"
                                "augment.resized_ratio = [0.5, 2.0]\n"
                                "augment.crop_on = 'further'\n"
                                "augment.policy = 'randaugment'\n"
                                "augment.rand_ops = 3\n"
                                "augment.rand_magnitude = 14\n"
                                "augment.cutout = 12\n"
                                "augment.cutout_prob = 0.5\n"
                                "augment.policy_on = 'ordinary'\n"
                                "augment.colour = 0.8\n"
                                "augment.brightness = 0.1\n"
                                "augment.contrast = 0.2\n"
                                "augment.saturation = 0.3\n"
                                "augment.hue = 0.05\n"
                                "augment.grey = 0.25\n"
                                "augment.blur = 0.75\n"
                                "augment.blur_sigma = [0.5, 1.0]\n"
                                "augment.colour_on = 'further'\n")
                                .augment;
  EXPECT_EQ(a.resized_crop, (config::Call{"range", {0.3, 0.9}}));
  EXPECT_EQ(a.resized_ratio, (config::Call{"range", {0.5, 2.0}}));
  EXPECT_TRUE(a.crop_on == On::further && a.policy_on == On::ordinary &&
              a.colour_on == On::further);
  EXPECT_EQ(a.policy, Policy::randaugment);
  EXPECT_EQ(a.rand_ops, 3);
  EXPECT_EQ(a.rand_magnitude, 14);
  EXPECT_EQ(a.cutout, 12);
  EXPECT_EQ(a.cutout_prob, 0.5);
  EXPECT_EQ(a.colour, 0.8);
  EXPECT_EQ(a.brightness, 0.1);
  EXPECT_EQ(a.contrast, 0.2);
  EXPECT_EQ(a.saturation, 0.3);
  EXPECT_EQ(a.hue, 0.05);
  EXPECT_EQ(a.grey, 0.25);
  EXPECT_EQ(a.blur, 0.75);
  EXPECT_EQ(a.blur_sigma, (config::Call{"range", {0.5, 1.0}}));
  EXPECT_EQ(bound("augment.policy = 'autoaugment'").augment.policy, Policy::autoaugment);
  for (const char* wrong :
       {"augment.policy = 'trivial'", "augment.rand_ops = 5", "augment.rand_magnitude = 31",
        "augment.resized_crop = [0.5, 1.2]", "augment.resized_crop = 0.5", "augment.hue = 0.6",
        "augment.cutout = -1", "augment.blur_sigma = [0, 1]", "augment.crop_on = 'views'"}) {
    EXPECT_THROW(bound(wrong), UsageError) << wrong;
  }
}

TEST(PlanSettings, EveryKeyIsRead) {
  const All all = bound(
      "augment.crop_padding = 2\n"
      "augment.flip = false\n"
      "saliency.detector = 'joint'\n"
      "saliency.on = 'reflect'\n"
      "mask.kind = 'random'\n"
      "mask.area = 'range(0.1, 0.3)'\n"
      "mask.border = 'shift'\n"
      "mask.fill = 'noise'\n"
      "mask.prob = 0.5\n"
      "mask.start = 3\n"
      "mask.draw = 'image'\n"
      "mask.plain = 'add'\n"
      "plain.cutout = 0.25\n"
      "mce.lambda = 'constant(0.3)'\n"
      "target.distribution = 'inverse'\n"
      "target.unit = 'sample'\n");
  EXPECT_EQ(all.augment.crop_padding, 2);
  EXPECT_FALSE(all.augment.flip);
  EXPECT_EQ(all.mask.detector, "joint");
  EXPECT_EQ(all.mask.on, SaliencyOn::reflect);
  EXPECT_EQ(all.mask.kind, MaskKind::random);
  EXPECT_EQ(all.mask.area, (config::Call{"range", {0.1, 0.3}}));
  EXPECT_EQ(all.mask.border, Border::shift);
  EXPECT_EQ(all.mask.fill, Fill::noise);
  EXPECT_EQ(all.mask.prob, 0.5);
  EXPECT_EQ(all.mask.start.epoch(200), 3);
  EXPECT_EQ(all.mask.draw, DrawUnit::image);
  EXPECT_EQ(all.mask.plain, Plain::add);
  EXPECT_EQ(all.mask.cutout_prob, 0.25);
  EXPECT_EQ(all.lambda.rule, LambdaRule::constant);
  EXPECT_EQ(all.lambda.constant, 0.3);
  EXPECT_EQ(all.target.distribution.name, "inverse");
  EXPECT_TRUE(all.target.unit_sample);
  EXPECT_EQ(bound("mce.lambda = \"removed_saliency\"").lambda.rule, LambdaRule::removed_saliency);
}

TEST(PlanSettings, RefuseValuesOutOfRange) {
  for (const char* text :
       {"mask.prob = 1.5", "mask.kind = \"middle\"", "mask.area = \"fixed(2)\"",
        "mask.area = \"beta(0, 1)\"", "plain.cutout = -0.1", "augment.crop_padding = -1",
        "mce.lambda = \"constant(1.5)\"", "target.unit = \"image\"",
        "target.distribution = \"effective(2)\"", "mask.probability = 0.5"}) {
    EXPECT_THROW(bound(text), UsageError) << text;
  }
}

}  // namespace
}  // namespace smcl::plan
