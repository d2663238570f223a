#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "method/method.h"
#include "method/rule.h"

namespace smcl::method {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

MethodSettings parse(const std::string& toml) {
  const auto document = config::Document::parse(toml, "test");
  config::Binder binder(document);
  MethodSettings settings;
  bind(binder, settings);
  binder.finish();
  return settings;
}

plan::MaskSettings masks_all() {
  plan::MaskSettings mask;
  mask.prob = 1;
  mask.start = {0, false};
  return mask;
}

TEST(MethodSettings, DefaultsAreTheLiteralReading) {
  const MethodSettings settings = parse("");
  EXPECT_EQ(settings.name, "smcl");
  EXPECT_EQ(settings.mu, 0.3);
  EXPECT_EQ(settings.tau, 0.1);
  EXPECT_TRUE(settings.own_term);
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
  EXPECT_NO_THROW(make_method(settings, 200, {}, {}));
}

TEST(MethodSettings, EveryKeyIsRead) {
  const MethodSettings s = parse(R"(
    method.name = "ce"
    mce.label = "target"
    mce.target = "expected"
    contrast.mu = 0.5
    contrast.tau = 0.2
    contrast.when = "masked"
    contrast.warm_up = 3
    contrast.set = "target+plain"
    contrast.own_term = false
    contrast.detach_target = true
    bn.stats = "plain_only"
    rule.name = "drw"
    rule.start = 160
    rule.b = 0.99)");
  EXPECT_EQ(s.name, "ce");
  EXPECT_EQ(s.label, MceLabel::target);
  EXPECT_EQ(s.target, MceTarget::expected);
  EXPECT_EQ(s.mu, 0.5);
  EXPECT_EQ(s.tau, 0.2);
  EXPECT_EQ(s.when, ContrastWhen::masked);
  EXPECT_EQ(s.warm_up, 3);
  EXPECT_EQ(s.set, ContrastSet::target_plain);
  EXPECT_FALSE(s.own_term);
  EXPECT_TRUE(s.detach_target);
  EXPECT_EQ(s.bn_stats, BnStats::plain_only);
  EXPECT_EQ(s.rule, Rule::drw);
  EXPECT_EQ(s.rule_start, (config::Moment{160, false}));
  EXPECT_EQ(s.rule_b, 0.99);
  EXPECT_THROW(parse("contrast.tau = 0.0"), UsageError);
  EXPECT_THROW(parse("contrast.mu = -1.0"), UsageError);
}

TEST(MethodSettings, UnknownNameListsTheKnown) {
  MethodSettings settings;
  settings.name = "smlc";
  const auto message = ThrowsMessage<UsageError>(testing::AllOf(
      HasSubstr("smlc"),
      HasSubstr("one of ce, mixup, remix, cutmix, saliencymix, cmo, supcon, bcl, smcl"),
      HasSubstr("mean smcl")));
  EXPECT_THAT([&] { needs_of(settings); }, message);
  EXPECT_THAT([&] { check_settings(settings, {}, 200); }, message);
  EXPECT_THAT([&] { make_method(settings, 1, {1}, {1}); }, message);
}

TEST(Needs, FollowTheContrastivePart) {
  MethodSettings settings;
  EXPECT_TRUE(needs_of(settings).masks);
  EXPECT_TRUE(needs_of(settings).target_classes);
  EXPECT_EQ(needs_of(settings).target_images, plan::TargetImages::always);
  settings.when = ContrastWhen::masked;
  EXPECT_EQ(needs_of(settings).target_images, plan::TargetImages::masked_steps);
  settings.mu = 0;
  EXPECT_TRUE(needs_of(settings).target_classes);
  EXPECT_EQ(needs_of(settings).target_images, plan::TargetImages::never);
  settings = {};
  settings.name = "ce";
  EXPECT_FALSE(needs_of(settings).masks);
  EXPECT_FALSE(needs_of(settings).target_classes);
  EXPECT_EQ(needs_of(settings).target_images, plan::TargetImages::never);
}

TEST(Needs, OfMethodsThatMixAreTheirPartners) {
  const auto mixing = [](const char* name) {
    MethodSettings settings;
    settings.name = name;
    const Needs needs = needs_of(settings);
    EXPECT_FALSE(needs.masks || needs.target_classes) << name;
    EXPECT_EQ(needs.target_images, plan::TargetImages::never);
    return needs.mixing;
  };
  EXPECT_EQ(mixing("ce").kind, plan::MixKind::none);
  EXPECT_EQ(mixing("mixup").kind, plan::MixKind::blend);
  EXPECT_FALSE(mixing("mixup").favours_rare);
  EXPECT_EQ(mixing("remix").kind, plan::MixKind::blend);
  EXPECT_TRUE(mixing("remix").favours_rare);
  EXPECT_EQ(mixing("cutmix").kind, plan::MixKind::paste);
  EXPECT_FALSE(mixing("cutmix").with_targets);
  EXPECT_EQ(mixing("saliencymix").kind, plan::MixKind::paste_peak);
  EXPECT_EQ(mixing("cmo").kind, plan::MixKind::paste);
  EXPECT_TRUE(mixing("cmo").with_targets);
}

TEST(Needs, OfMethodsThatCompareViews) {
  MethodSettings settings;
  settings.name = "supcon";
  EXPECT_EQ(needs_of(settings).views, 1);
  EXPECT_FALSE(needs_of(settings).prototypes || needs_of(settings).masks);
  settings.name = "bcl";
  EXPECT_EQ(needs_of(settings).views, 2);
  EXPECT_TRUE(needs_of(settings).prototypes);
  settings.mu = 0;  // cross-entropy alone
  EXPECT_EQ(needs_of(settings).views, 0);
}

TEST(CheckSettings, ContrastOnMaskedStepsNeedsMasks) {
  MethodSettings settings;
  settings.when = ContrastWhen::masked;
  plan::MaskSettings mask;
  mask.prob = 0;
  EXPECT_THAT([&] { check_settings(settings, mask, 200); },
              ThrowsMessage<UsageError>(HasSubstr("contrast.when = always")));
  settings.when = ContrastWhen::always;  // contrast alone
  EXPECT_NO_THROW(check_settings(settings, mask, 200));
  settings.when = ContrastWhen::masked;
  settings.mu = 0;
  EXPECT_NO_THROW(check_settings(settings, mask, 200));
}

TEST(CheckSettings, PlainMembersMustExist) {
  MethodSettings settings;
  settings.set = ContrastSet::target_plain;
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
  const auto message = ThrowsMessage<UsageError>(HasSubstr("mask.plain = add"));
  EXPECT_THAT([&] { check_settings(settings, masks_all(), 200); }, message);
  plan::MaskSettings mask = masks_all();
  mask.plain = plan::Plain::add;
  EXPECT_NO_THROW(check_settings(settings, mask, 200));

  settings.when = ContrastWhen::masked;
  EXPECT_THAT([&] { check_settings(settings, {}, 200); }, message);
  plan::MaskSettings by_image;
  by_image.draw = plan::DrawUnit::image;  // unmasked images beside masked ones
  EXPECT_NO_THROW(check_settings(settings, by_image, 200));
  settings.warm_up = 5;  // steps before the masks have them
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
  settings = {};
  settings.set = ContrastSet::target_plain;
  settings.mu = 0;
  EXPECT_NO_THROW(check_settings(settings, masks_all(), 200));
}

TEST(CheckSettings, ExpectedTargetNeedsATargetTerm) {
  MethodSettings settings;
  settings.target = MceTarget::expected;
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
  settings.label = MceLabel::own;
  EXPECT_THAT([&] { check_settings(settings, {}, 200); },
              ThrowsMessage<UsageError>(HasSubstr("mce.target = expected")));
}

TEST(CheckSettings, StatisticsNeedPlainImages) {
  MethodSettings settings;
  settings.bn_stats = BnStats::plain_only;
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
  EXPECT_THAT([&] { check_settings(settings, masks_all(), 200); },
              ThrowsMessage<UsageError>(HasSubstr("bn.stats = plain_only")));
  // A fraction that rounds to the first epoch is the first epoch.
  plan::MaskSettings almost = masks_all();
  almost.start = {0.002, true};
  EXPECT_THROW(check_settings(settings, almost, 200), UsageError);
  EXPECT_NO_THROW(check_settings(settings, almost, 1000));
}

TEST(CheckSettings, CrossEntropyIgnoresMaskSettings) {
  MethodSettings settings;
  settings.name = "ce";
  settings.when = ContrastWhen::masked;
  settings.bn_stats = BnStats::plain_only;
  EXPECT_NO_THROW(check_settings(settings, masks_all(), 200));
}

TEST(MakeMethod, RefusesWhatCannotWork) {
  MethodSettings settings;
  settings.rule = Rule::drw;
  EXPECT_THROW(make_method(settings, 10, {}, {0.5, 0.5}), UsageError);
  settings = {};
  settings.target = MceTarget::expected;
  EXPECT_THROW(make_method(settings, 10, {2, 1}, {}), UsageError);
  settings = {};
  settings.tau = 0;
  EXPECT_THROW(make_method(settings, 10, {2, 1}, {}), UsageError);
  settings = {};
  settings.mu = -0.1;
  EXPECT_THROW(make_method(settings, 10, {2, 1}, {}), UsageError);
}

TEST(ClassWeights, ReweightingActsFromTheFirstEpoch) {
  MethodSettings settings;
  settings.rule = Rule::reweight;
  settings.rule_b = 0.5;
  ClassWeights weights(settings, 10, {1, 2});
  ASSERT_TRUE(weights.at_epoch(0, at::kCPU).defined());
  EXPECT_FLOAT_EQ(weights.at_epoch(0, at::kCPU)[0].item<float>(), 1.2F);
  EXPECT_EQ(first_rule_epoch(settings, 10), 0);
  settings.rule = Rule::none;
  EXPECT_EQ(first_rule_epoch(settings, 10), 10);
}

TEST(ClassWeights, ReSamplingWeightsNothing) {
  MethodSettings settings;
  settings.rule = Rule::resample;
  EXPECT_EQ(first_rule_epoch(settings, 10), 0);
  EXPECT_FALSE(ClassWeights(settings, 10, {1, 2}).at_epoch(0, at::kCPU).defined());
  settings.rule = Rule::drs;
  EXPECT_EQ(first_rule_epoch(settings, 10), 8);
  EXPECT_FALSE(ClassWeights(settings, 10, {1, 2}).at_epoch(9, at::kCPU).defined());
}

TEST(CheckSettings, SoftLabelsNeedALossThatTakesThem) {
  MethodSettings settings;
  settings.target = MceTarget::expected;
  settings.base.kind = loss::BaseKind::ldam;
  EXPECT_THROW(check_settings(settings, {}, 200), UsageError);
  settings.base.kind = loss::BaseKind::logit_adjusted;
  EXPECT_NO_THROW(check_settings(settings, {}, 200));
}

TEST(ClassWeights, DeferredAndScaledToTheNumberOfClasses) {
  MethodSettings settings;
  settings.rule = Rule::drw;
  settings.rule_b = 0.5;
  settings.rule_start = {0.5, true};
  ClassWeights weights(settings, 10, {1, 2});
  EXPECT_FALSE(weights.at_epoch(4, at::kCPU).defined());
  // (1-b)/(1-b^n) = 1 and 0.5/0.75 = 2/3; scaled to sum 2: 1.2 and 0.8.
  const at::Tensor late = weights.at_epoch(5, at::kCPU);
  ASSERT_TRUE(late.defined());
  EXPECT_FLOAT_EQ(late[0].item<float>(), 1.2F);
  EXPECT_FLOAT_EQ(late[1].item<float>(), 0.8F);
  EXPECT_FALSE(ClassWeights({}, 10, {1, 2}).at_epoch(9, at::kCPU).defined());
}

}  // namespace
}  // namespace smcl::method
