#include "experiment/idle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "experiment/check.h"

// What acts where was read off docs/method.md and batch/placement.h.
namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refused(const std::string& toml) {
  try {
    resolve_recipe(config::Document::parse(toml, "test.toml"), "a");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

struct Case {
  const char* toml;
  const char* key;
};

TEST(Idle, ChangedSettingsThatDoNothingAreRefusedByName) {
  const std::vector<Case> cases{
      {"mce.label = 'target'\nmce.lambda = 'constant(0.3)'", "mce.lambda"},
      {"mce.label = 'own'\nmce.lambda = 'removed_saliency'", "mce.lambda"},
      {"rule.b = 0.99", "rule.b"},
      {"augment.rand_ops = 3", "augment.rand_ops"},
      {"augment.policy = 'autoaugment'\naugment.rand_magnitude = 3", "augment.rand_magnitude"},
      {"augment.cutout_prob = 0.5", "augment.cutout_prob"},
      {"augment.cutout = 8\naugment.cutout_prob = 0.0", "augment.cutout"},
      {"augment.policy_on = 'ordinary'", "augment.policy_on"},
      {"augment.hue = 0.2", "augment.hue"},
      {"augment.colour = 0.5\naugment.brightness = 0.0\naugment.contrast = 0.0\n"
       "augment.saturation = 0.0\naugment.hue = 0.0",
       "augment.colour"},
      {"augment.blur_sigma = [0.5, 1.0]", "augment.blur_sigma"},
      {"augment.colour_on = 'further'", "augment.colour_on"},
      {"augment.resized_ratio = [0.5, 2.0]", "augment.resized_ratio"},
      {"augment.crop_on = 'further'", "augment.crop_on"},
      {"augment.resized_crop = [0.2, 1.0]\naugment.crop_padding = 2", "augment.crop_padding"},
      {"method.name = 'ce'\naugment.grey = 0.2\naugment.colour_on = 'further'", "augment.grey"},
      {"method.name = 'ce'\naugment.grey = 0.2\naugment.colour_on = 'ordinary'",
       "augment.colour_on"},
      {"method.name = 'ce'\naugment.cutout = 8\naugment.policy_on = 'further'", "augment.cutout"},
      {"loss.gamma = 2.0", "loss.gamma"},
      {"loss.name = 'focal'\nloss.weight_inside = true", "loss.weight_inside"},
      {"loss.name = 'focal'\nloss.max_margin = 0.3", "loss.max_margin"},
      {"loss.name = 'ldam'\nloss.tau = 2.0", "loss.tau"},
      {"network.scale = 16.0", "network.scale"},
      {"contrast.mu = 0.0\ncontrast.when = 'masked'", "contrast.when"},
      {"contrast.mu = 0.0\ncontrast.set = 'all'", "contrast.set"},
      {"contrast.mu = 0.0\ncontrast.tau = 0.2", "contrast.tau"},
      {"contrast.mu = 0.0\ncontrast.own_term = false", "contrast.own_term"},
      {"contrast.mu = 0.0\ncontrast.detach_target = true", "contrast.detach_target"},
      {"contrast.mu = 0.0\ncontrast.warm_up = 2", "contrast.warm_up"},
      {"contrast.mu = 0.0\nnetwork.head_dim = 64", "network.head_dim"},
      {"method.name = 'cmo'\nnetwork.head_hidden = 512", "network.head_hidden"},
      {"contrast.warm_up = 2", "contrast.warm_up"},
      {"contrast.when = 'masked'\ncontrast.warm_up = 2\nmask.start = 0", "contrast.warm_up"},
      {"contrast.mu = 0.0\nmce.label = 'own'\ntarget.unit = 'sample'", "target.unit"},
      {"mask.kind = 'random'\nsaliency.on = 'padded'", "saliency.on"},
      {"mask.kind = 'centre'\nsaliency.detector = 'joint'", "saliency.detector"},
      {"mask.kind = 'none'\nsaliency.on = 'original'", "saliency.on"},
      {"mask.kind = 'oracle'\nsaliency.on = 'reflect'", "saliency.on"},
      {"mask.kind = 'oracle'\nmask.area = 0.25", "mask.area"},
      {"mask.kind = 'none'\nmask.fill = 'noise'", "mask.fill"},
      {"method.name = 'ce'\nmask.plain = 'add'", "mask.plain"},
      {"method.name = 'ce'\nmce.label = 'own'", "mce.label"},
      {"method.name = 'ce'\nmce.target = 'expected'", "mce.target"},
      {"method.name = 'ce'\nmce.lambda = 'removed_saliency'", "mce.lambda"},
      {"method.name = 'ce'\nbn.stats = 'plain_only'", "bn.stats"},
      {"method.name = 'ce'\ncontrast.tau = 0.2", "contrast.tau"},
      {"method.name = 'ce'\ntarget.distribution = 'inverse'", "target.distribution"},
      {"method.name = 'ce'\nplain.cutout = 0.2\nmask.plain = 'add'", "mask.plain"},
      {"method.name = 'mixup'\nmask.border = 'shift'", "mask.border"},
      {"method.name = 'cutmix'\nmask.kind = 'random'", "mask.kind"},
      {"method.name = 'cutmix'\nsaliency.on = 'padded'", "saliency.on"},
      {"method.name = 'cutmix'\ntarget.unit = 'sample'", "target.unit"},
      {"method.name = 'cutmix'\nmix.kappa = 2.0", "mix.kappa"},
      {"method.name = 'ce'\nmix.alpha = 0.5", "mix.alpha"},
      {"mix.prob = 0.5", "mix.prob"},
      {"method.name = 'ce'\nmix.start = 4\nmix.stop = 0.5", "mix.stop"},
      {"method.name = 'supcon'\ncontrast.set = 'all'", "contrast.set"},
      {"method.name = 'bcl'\ntarget.unit = 'sample'", "target.unit"},
      {"method.name = 'cutmix'\ncontrast.mu = 0.5", "contrast.mu"},
      {"method.name = 'cmo'\ncontrast.tau = 0.2", "contrast.tau"},
      {"schedule.kind = 'cosine'\nschedule.drops = [0.5, 0.6]", "schedule.drops"},
      {"data.name = 'cifar10'\ndata.dir = 'x'\nscenes.kind_zipf = 1.0", "scenes.kind_zipf"},
  };
  for (const Case& one : cases) {
    const std::string text = refused(one.toml);
    EXPECT_EQ(text.rfind(concat(one.key, " = "), 0), 0U) << one.toml << "\n" << text;
    EXPECT_THAT(text, HasSubstr("test.toml:")) << "says where it was set";
    EXPECT_THAT(text, HasSubstr("has no effect with ")) << one.toml;
  }
}

TEST(Idle, TheSentenceSaysWhatToDo) {
  EXPECT_EQ(refused("[mask]\nkind = 'none'\nfill = 'noise'"),
            "mask.fill = \"noise\" (test.toml:3) has no effect with mask.kind = none, which hides "
            "nothing: leave it out, or choose another mask.kind (mask.kind: test.toml:2)");
}

TEST(Idle, WhatActsIsAccepted) {
  for (const char* toml : {
           "mask.kind = 'random'\nmce.lambda = 'removed_saliency'\nsaliency.on = 'padded'",
           "mask.kind = 'none'\nmask.area = 0.25\nmask.border = 'shift'",
           "mask.kind = 'oracle'\nmask.border = 'shift'",
           "mask.kind = 'oracle'\nmask.fill = 'noise'",
           "method.name = 'ce'\nmask.start = 0.5\nrule.start = 0.7",  // keep checkpoints
           "method.name = 'ce'\nmix.start = 0.5",
           "method.name = 'ce'\nplain.cutout = 0.2\nmask.kind = 'random'\nmask.start = 0.5",
           "method.name = 'ce'\nplain.cutout = 0.2\nmask.fill = 'noise'\nmask.draw = 'image'",
           "contrast.mu = 0.0\nmce.label = 'target'\ntarget.unit = 'sample'",
           "mce.label = 'own'\ntarget.unit = 'sample'",
           "rule.name = 'drw'\nrule.start = 0.5\nrule.b = 0.99",
           "rule.name = 'drs'\nrule.start = 0.5\nrule.b = 0.99",
           "method.name = 'supcon'\ncontrast.mu = 1.0\ncontrast.tau = 0.07",
           "method.name = 'bcl'\nloss.name = 'logit_adjusted'\ncontrast.tau = 0.07",
           "method.name = 'supcon'\nnetwork.head_dim = 64\nnetwork.head_hidden = 512",
           "method.name = 'remix'\nmix.kappa = 2.0\nmix.tau = 0.4",
           "method.name = 'cutmix'\nmix.prob = 0.5\nmask.border = 'shift'",
           "method.name = 'saliencymix'\nsaliency.on = 'padded'\nsaliency.detector = 'joint'",
           "method.name = 'cmo'\ntarget.unit = 'sample'\nmix.start = 4\nmix.stop = 0.985",
           "contrast.when = 'masked'\ncontrast.warm_up = 2",
           "augment.policy = 'randaugment'\naugment.rand_ops = 3\naugment.policy_on = 'further'",
           "method.name = 'cmo'\naugment.grey = 0.2\naugment.colour_on = 'ordinary'",
           "method.name = 'bcl'\nloss.name = 'logit_adjusted'\naugment.resized_crop = [0.2, 1]\n"
           "augment.crop_on = 'further'\naugment.crop_padding = 2",
           "method.name = 'bcl'\nloss.name = 'logit_adjusted'\naugment.resized_crop = [0.2, 1]\n"
           "augment.crop_on = 'further'\ncontrast.mu = 0",
           "saliency.on = 'original'\naugment.colour = 0.5\naugment.cutout = 8",
           "saliency.on = 'original'\naugment.policy = 'autoaugment'\n"
           "augment.policy_on = 'further'",
       }) {
    EXPECT_THAT(refused(toml), IsEmpty()) << toml;
  }
}

// The one pixel that this detector draws can be cut off, or be the middle of a random mask.
TEST(Idle, TheRandomDetectorIsAControlForThePeakAlone) {
  const std::string random = "saliency.detector = 'random'\n";
  EXPECT_THAT(refused(random + "saliency.on = 'original'"), HasSubstr("augment.crop_padding = 0"));
  for (const std::string kind : {"random", "none"}) {
    EXPECT_THAT(refused(random + "mce.lambda = 'removed_saliency'\nmask.kind = '" + kind + "'"),
                HasSubstr("mask.kind = " + kind));
  }
  for (const char* good : {"", "saliency.on = 'original'\naugment.crop_padding = 0",
                           "mce.lambda = 'removed_saliency'"}) {
    EXPECT_THAT(refused(random + good), IsEmpty()) << good;
  }
}

TEST(Idle, SaliencyThatAugmentationLeavesBehindIsRefused) {
  EXPECT_THAT(refused("saliency.on = 'original'\naugment.policy = 'autoaugment'"),
              HasSubstr("saliency.on = original finds places"));
  EXPECT_THAT(refused("saliency.on = 'original'\nmask.prob = 0\naugment.policy = 'autoaugment'"),
              HasSubstr("saliency.on = original finds places"));
  EXPECT_THAT(refused("saliency.on = 'reflect'\naugment.grey = 0.2"),
              HasSubstr("saliency.on = reflect looks at"));
  EXPECT_THAT(refused("method.name = 'saliencymix'\nsaliency.on = 'original'\n"
                      "augment.resized_crop = [0.2, 1]"),
              HasSubstr("saliency.on = original finds places"));
}

// The ends of a sweep over mask.prob or contrast.mu.
TEST(Idle, OffValuesAndDefaultsAreAccepted) {
  for (const char* toml :
       {"method.name = 'ce'\nmask.prob = 0.0\ncontrast.mu = 0.0",
        "mask.prob = 0.0\nmask.plain = 'add'\nmask.start = 0.5\nmce.lambda = 'constant(0.3)'",
        "contrast.mu = 0.0\ncontrast.tau = 0.1\ncontrast.own_term = true"}) {
    EXPECT_THAT(refused(toml), IsEmpty()) << toml;
  }
}

TEST(Idle, AFolderThatSetsEveryKeyIsAccepted) {
  for (const char* toml : {"method.name = 'ce'", "mask.kind = 'none'", "contrast.mu = 0.0",
                           "data.name = 'cifar10'\ndata.dir = 'x'"}) {
    const Recipe recipe = resolve_recipe(config::Document::parse(toml, "test.toml"), "a");
    EXPECT_THAT(refused(config::to_toml(recipe.resolved, false)), IsEmpty()) << toml;
  }
}

// docs/versioning.md: a finished run can be evaluated and compared by every later version.
TEST(Idle, StoredRunsAreTakenAsTheyAre) {
  const auto document = config::Document::parse(
      "train.epochs = 10\nmask.kind = 'none'\nmask.fill = 'noise'\nmask.start = 10\n"
      "schedule.drops = [2, 10]",
      "config.toml");
  EXPECT_NO_THROW(resolve_stored(document, "run"));
  EXPECT_THROW(resolve_recipe(document, "run"), UsageError);
}

// 0.95 * 10 rounds to 10, and epochs count from 0.
TEST(Moments, ChosenOnesThatNeverComeAreRefused) {
  for (const char* toml :
       {"train.epochs = 10\nmask.start = 0.95", "mask.start = 1.0",
        "train.epochs = 10\nmethod.name = 'ce'\nplain.cutout = 0.2\nmask.start = 10",
        "train.epochs = 10\nrule.name = 'drw'\nrule.start = 0.95",
        "train.epochs = 40\nschedule.drops = [20, 40]",
        "train.epochs = 10\nschedule.drops = [0.5, 0.95]"}) {
    EXPECT_THAT(refused(toml), HasSubstr("behind the last of ")) << toml;
  }
  EXPECT_THAT(refused("train.epochs = 10\nmask.start = 0.94"), IsEmpty());
  EXPECT_THAT(refused("train.epochs = 10\nmask.prob = 0.0\nmask.start = 10"), IsEmpty())
      << "no masks are wanted";
}

TEST(Moments, AWarmUpEndsBeforeTheFirstDrop) {
  EXPECT_THAT(
      refused("train.epochs = 20\nschedule.drops = [4, 10]"),
      HasSubstr("schedule.warm_up = 5 reaches past the first of schedule.drops, in epoch 4"));
  EXPECT_THAT(refused("train.epochs = 20\nschedule.drops = [5, 10]"), IsEmpty());
  EXPECT_THAT(refused("train.epochs = 20\nschedule.kind = 'cosine'\nschedule.warm_up = 18"),
              IsEmpty());
}

TEST(ShortRun, IsToldOnceWhatItMissesAndNotRefused) {
  const auto warning = [](const std::string& toml) {
    return short_run_warning(resolve_recipe(config::Document::parse(toml, "test.toml"), "a"));
  };
  EXPECT_EQ(warning("train.epochs = 2"),
            "a run of 2 epochs is short for its settings: the learning rate warms up to the end "
            "(schedule.warm_up = 5), no image is masked (mask.start = 0.8)");
  EXPECT_EQ(warning("train.epochs = 3"),
            "a run of 3 epochs is short for its settings: the learning rate warms up to the end "
            "(schedule.warm_up = 5)");
  EXPECT_EQ(warning("train.epochs = 5\nschedule.warm_up = 0"),
            "a run of 5 epochs is short for its settings: the learning rate never reaches its last "
            "drop (schedule.drops, 0.9)");
  EXPECT_EQ(warning("train.epochs = 1\nschedule.warm_up = 1\nschedule.kind = 'cosine'\n"
                    "method.name = 'ce'\nrule.name = 'drw'"),
            "a run of 1 epoch is short for its settings: the rule never starts (rule.start = 0.8)");
  EXPECT_THAT(warning("train.epochs = 6"), IsEmpty());
  EXPECT_THAT(warning(""), IsEmpty());
}

}  // namespace
}  // namespace smcl::experiment
