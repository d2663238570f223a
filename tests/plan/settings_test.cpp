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
