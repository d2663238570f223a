#include "experiment/recipe.h"

#include <gmock/gmock.h>

#include <set>

#include "core/error.h"
#include "experiment/sweep.h"
#include "format/scratch.h"

namespace smcl::experiment {
namespace {

config::Document parse(const std::string& toml) {
  return config::Document::parse(toml, "test.toml");
}

TEST(Recipe, EveryShippedRecipeResolves) {
  const std::filesystem::path root = std::filesystem::path(SMCL_SOURCE_DIR) / "recipes";
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".toml") continue;
    if (entry.path().parent_path() == root / "sweeps") continue;  // the test below
    EXPECT_NO_THROW(load_recipe(entry.path(), {})) << entry.path();
    EXPECT_NO_THROW(load_recipe(entry.path(), {"train.epochs=2"})) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 25);
}

TEST(Recipe, EveryShippedSweepIsPlanned) {
  const std::filesystem::path root = std::filesystem::path(SMCL_SOURCE_DIR) / "recipes" / "sweeps";
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    EXPECT_EQ(entry.path().extension(), ".toml") << entry.path();
    EXPECT_NO_THROW(plan_sweep(entry.path(), {})) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 6);
}

TEST(Recipe, HashIgnoresWhereAndKeepsWhat) {
  const Recipe base = resolve_recipe(parse(""), "a");
  EXPECT_EQ(
      base.settings_hash(),
      resolve_recipe(parse("run.threads = 1\nscenes.fashion_dir = 'x'"), "b").settings_hash());
  EXPECT_NE(base.settings_hash(), resolve_recipe(parse("train.seed = 1"), "a").settings_hash());
  EXPECT_NE(base.settings_hash(), resolve_recipe(parse("mask.prob = 0.3"), "a").settings_hash());
}

/// Runs of 0.1.0 are found again: settings that it did not have count only where they were changed.
TEST(Recipe, HashLeavesOutTheDefaultsOfLaterSettings) {
  const auto hash = [](const std::string& text) {
    return resolve_recipe(parse(text), "a").settings_hash();
  };
  Recipe old = resolve_recipe(parse(""), "a");
  const auto forget = [&](const std::set<std::string>& keys) {
    return std::erase_if(old.resolved, [&](auto& one) { return keys.contains(one.key); });
  };
  EXPECT_EQ(
      forget({"loss.name", "network.classifier", "network.head_hidden", "mix.alpha", "mix.prob",
              "augment.policy", "augment.resized_crop", "stage.name", "stage.epochs"}),
      9U);
  EXPECT_EQ(old.settings_hash(), hash(""));
  forget({"mask.prob"});
  EXPECT_NE(old.settings_hash(), hash("")) << "0.1.0 had it";
  EXPECT_NE(hash("augment.policy = 'autoaugment'"), hash(""));
  EXPECT_NE(hash("augment.crop_padding = 2"), hash(""));
  EXPECT_NE(hash("loss.name = 'focal'"), hash(""));
  EXPECT_NE(hash("network.classifier = 'cosine'"), hash(""));
}

TEST(Recipe, PrintedConfigurationResolvesToTheSameSettings) {
  const Recipe first =
      resolve_recipe(parse("mask.start = 5\nmask.area = [0.2, 0.5]\ntrain.epochs = 7"), "a");
  const Recipe again = resolve_recipe(parse(config::to_toml(first.resolved, true)), "a");
  EXPECT_EQ(first.settings_hash(), again.settings_hash());
  EXPECT_EQ(again.mask.start.epoch(7), 5);
}

TEST(Recipe, PrecisionIsSettled) {
  const Recipe recipe = resolve_recipe(parse(""), "a");
  EXPECT_TRUE(recipe.runtime.precision == "fp32" || recipe.runtime.precision == "bf16");
  EXPECT_EQ(resolve_recipe(parse("run.precision = 'bf16'"), "a").precision(),
            batch::Precision::bf16);
}

TEST(Recipe, CrossEntropyPlansNoMasks) {
  const Recipe recipe = resolve_recipe(parse("method.name = 'ce'"), "a");
  EXPECT_EQ(recipe.planner_settings().mask.prob, 0.0);
  EXPECT_FALSE(recipe.planner_settings().target_classes);
}

TEST(Recipe, RefusesWhatIsWrong) {
  for (const char* toml : {"mask.porb = 0.2",
                           "mask.prob = 1.5",
                           "train.epochs = 0",
                           "run.name = '../x'",
                           "groups.few_below = 200",
                           "network.arch = 'resnet33'",
                           "saliency.detector = 'finegrained'",
                           "mask.area = 'range(0.5,0.2)'",
                           "data.name = 'cifar10'\ndata.dir = 'x'\nmask.kind = 'oracle'",
                           "method.name = 'ce'\nmask.prob = 0.9",
                           "method.name = 'ce'\nmask.kind = 'random'",
                           "schedule.kind = 'cosine'\nschedule.factors = [0.5, 0.1]",
                           "contrast.warm_up = 3",
                           "mce.label = 'own'\nmce.lambda = 'constant(0.3)'",
                           "train.epochs = 40\nmask.start = 50",
                           "rule.name = 'drw'\nrule.start = 300",
                           "schedule.factors = [0.1]",
                           "mask.kind = 'salient'",
                           "method.name = 'cutmix'\nplain.cutout = 0.2",
                           "method.name = 'mixup'\nmask.prob = 0.5",
                           "method.name = 'mixup'\nmix.start = 300"}) {
    EXPECT_THROW(resolve_recipe(parse(toml), "a"), UsageError) << toml;
  }
}

TEST(Recipe, RefusalsSayWhereTheSettingsStand) {
  const auto refusal = [](const std::string& toml, const std::string& override) {
    config::Document document = parse(toml);
    document.set(override);
    return error_of<UsageError>([&] { resolve_recipe(document, "a"); });
  };
  EXPECT_THAT(refusal("train.epochs = 40", "mask.start=50"),
              ::testing::EndsWith("(mask.start: --set)"));
  EXPECT_THAT(refusal("groups.few_below = 200", "train.epochs=3"),
              ::testing::EndsWith("(groups.few_below: test.toml:1)"));
  EXPECT_THAT(
      refusal("train.epochs = 3", "saliency.detector=finegrained"),
      ::testing::AllOf(::testing::HasSubstr("saliency.detector = \"finegrained\": expected "),
                       ::testing::HasSubstr("did you mean 'fine_grained'?")));
  EXPECT_THAT(refusal("train.epochs = 3", "method.name=SMCL"),
              ::testing::HasSubstr("did you mean smcl?"));
}

TEST(Recipe, UnknownKeyNamesTheNearest) {
  try {
    resolve_recipe(parse("mask.porb = 0.2"), "a");
    FAIL() << "accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("mask.prob"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("test.toml"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace smcl::experiment
