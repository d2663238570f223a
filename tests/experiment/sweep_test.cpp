#include <gmock/gmock.h>

#include "experiment/sweep_plans.h"

namespace smcl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

TEST_F(SweepPlanning, AllVariantsOfTheFirstSeedComeFirst) {
  const SweepPlan found =
      plan(kHead + "name = 'x'\nseeds = [3, 5]\n[grid]\ntrain.batch_size = [8, 16]\n");
  EXPECT_THAT(names(found), ElementsAre("base-batch_size8@3", "base-batch_size16@3",
                                        "base-batch_size8@5", "base-batch_size16@5"));
  EXPECT_EQ(found.name, "x");
  EXPECT_EQ(found.variants, 2U);
  EXPECT_EQ(found.seeds, 2U);
  EXPECT_EQ(found.epochs, 16);
  EXPECT_EQ(found.saved, 0);
  EXPECT_EQ(found.runs[0].recipe.train.batch_size, 8);
}

TEST_F(SweepPlanning, GridsVariantsAndSettingsAreCombined) {
  const SweepPlan found = plan(kHead + R"(
    [set]
    method.name = "smcl"
    contrast.tau = 0.2
    [grid]
    mask.kind = ["saliency", "random"]
    contrast.mu = [0.1, 0.5]
    [[variant]]
    [[variant]]
    name = "hot"
    set.contrast.tau = 0.5
  )");
  EXPECT_THAT(names(found), ElementsAre("base-mu0.1-saliency@1", "base-mu0.1-random@1",
                                        "base-mu0.5-saliency@1", "base-mu0.5-random@1",
                                        "base-hot-mu0.1-saliency@1", "base-hot-mu0.1-random@1",
                                        "base-hot-mu0.5-saliency@1", "base-hot-mu0.5-random@1"));
  EXPECT_EQ(found.runs[3].recipe.method.tau, 0.2);
  EXPECT_EQ(found.runs[7].recipe.method.tau, 0.5) << "a variant's own setting wins";
  EXPECT_EQ(found.runs[7].recipe.method.mu, 0.5);
}

TEST_F(SweepPlanning, SeedsOfDataAndTrainingTogether) {
  const SweepPlan found = plan(
      kHead + "seeds = 2\nseed_keys = ['train.seed', 'scenes.seed', 'data.class_order_seed']\n");
  ASSERT_EQ(found.runs.size(), 2U);
  EXPECT_EQ(found.runs[1].recipe.data.scenes.seed, 2U);
  EXPECT_EQ(found.runs[1].recipe.data.class_order_seed, 2);
}

// Repetitions are one row of a report, which goes by the name too.
TEST_F(SweepPlanning, AGridOverSeedsHasOneName) {
  const SweepPlan found =
      plan(kHead + "[grid]\ntrain.seed = [7, 8]\nmask.start = [1, 3]\nscenes.seed = [0, 1]\n");
  ASSERT_EQ(found.runs.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(found.runs[i].recipe.name, i < 4 ? "base-start1" : "base-start3") << i;
  }
}

TEST_F(SweepPlanning, KeysThatEndAlikeAreTold) {
  EXPECT_THAT(names(plan(kHead + "[grid]\nmask.start = [1]\nrule.start = [2, 3]\n")),
              ElementsAre("base-mask.start1-rule.start2@1", "base-mask.start1-rule.start3@1"));
}

// Cross-entropy masks nothing and has no rule: a grid over their starts is one run.
TEST_F(SweepPlanning, VariantsThatNeverDifferAreTold) {
  const SweepPlan found = plan(kHead +
                               "[grid]\nmask.start = [1, 2]\n[[variant]]\n[[variant]]\n"
                               "name = 'drw'\nset.rule.name = 'drw'\n");
  using Names = std::pair<std::string, std::string>;
  EXPECT_THAT(alike_variants(found), ElementsAre(Names{"base-start1", "base-start2"},
                                                 Names{"base-drw-start1", "base-drw-start2"}));
}

TEST_F(SweepPlanning, FoldersOfDataTellVariantsApart) {
  const SweepPlan found = plan(kHead + "[grid]\nscenes.fashion_dir = ['/x/a', '/x/b']\n");
  EXPECT_TRUE(alike_variants(found).empty());
  EXPECT_FALSE(found.runs[1].trunk.has_value()) << "they are no branch of each other";
}

TEST_F(SweepPlanning, VariantsOfOneNameAreRefused) {
  write("other.toml", kBase + "train.momentum = 0.5\n");
  const char* const kMomentum =
      "[[variant]]\nset.train.momentum = 0.2\n"
      "[[variant]]\nset.train.momentum = 0.3\n";
  for (const std::string& text :
       {kHead + kMomentum, std::string("recipes = ['base.toml', 'other.toml']\n"),
        kHead + "[set]\nrun.name = 'x'\n[grid]\nschedule.rate = [0.1, 0.2]\n"}) {
    EXPECT_THAT(refusal(text), HasSubstr("two variants of the sweep are called ")) << text;
  }
  EXPECT_EQ(refusal("recipes = ['base.toml', './base.toml']\n"),
            "recipes: ./base.toml is listed twice; leave one out");
}

TEST_F(SweepPlanning, OverridesHaveTheLastWord) {
  const SweepPlan found = plan(kHead + "[set]\ntrain.epochs = 3\n", {{"train.epochs=2"}, true});
  EXPECT_EQ(found.runs[0].recipe.train.epochs, 2);
}

TEST_F(SweepPlanning, RunsThatDifferLateBranchFromTheOneTheyShareMostWith) {
  write("other.toml", "extends = 'base.toml'\nmethod.name = 'mixup'\nrun.name = 'mixup'\n");
  const std::string text = R"(
    recipes = ["base.toml"]
    seeds = 2
    [[variant]]
    [[variant]]
    name = "drw"
    set.rule.name = "drw"
    [[variant]]
    recipe = "other.toml"
    [[variant]]
    name = "late"
    set.rule = { name = "drw", start = 3 }
  )";
  const SweepPlan found = plan(text);
  EXPECT_THAT(names(found), ElementsAre("base@1", "base-drw@1", "mixup@1", "base-late@1", "base@2",
                                        "base-drw@2", "mixup@2", "base-late@2"));
  EXPECT_FALSE(found.runs[0].trunk);
  EXPECT_EQ(found.runs[1].trunk, 0U);
  EXPECT_EQ(found.runs[1].branch_epoch, 2);
  EXPECT_FALSE(found.runs[2].trunk) << "mixes from the first epoch on";
  EXPECT_EQ(found.runs[3].trunk, 0U);
  EXPECT_EQ(found.runs[3].branch_epoch, 3);
  EXPECT_EQ(found.runs[5].trunk, 4U) << "within its seed";
  EXPECT_EQ(found.saved, 2 * (2 + 3));
  std::vector<int> kept;
  for (const config::Moment& each : found.runs[0].recipe.checkpoint.keep) {
    kept.push_back(each.epoch(4));
  }
  EXPECT_THAT(kept, ElementsAre(2, 3));
  EXPECT_EQ(plan(text, {{}, false}).saved, 0);
}

TEST_F(SweepPlanning, TheFolderHoldsASweepThatStandsOnItsOwn) {
  fs::create_directories(folder() / "deep");
  write("deep/more.toml", "extends = '../base.toml'\nrun.name = 'more'\ntrain.batch_size = 8\n");
  const std::string text =
      "recipes = ['base.toml', 'deep/more.toml']\nseeds = [7]\n[grid]\nmask.kind = ['random']\n"
      "[set]\nmethod.name = 'smcl'\n[[variant]]\nname = 'a'\nset.mask.area = [0.2, 0.5]\n";
  const SweepPlan first = plan(text, {{"contrast.when=masked"}, true});
  write_copy(first);
  fs::remove(folder() / "base.toml");
  const SweepPlan second = plan_sweep(folder() / "copy" / "sweep.toml", {});
  EXPECT_EQ(second.name, first.name);
  ASSERT_EQ(names(second), names(first));
  for (std::size_t i = 0; i < first.runs.size(); ++i) {
    EXPECT_EQ(second.runs[i].recipe.settings_hash(), first.runs[i].recipe.settings_hash());
  }
}

// What --set says stands after grid and variants in the copy too, once for each key.
TEST_F(SweepPlanning, TheCopyHasOverridesWithTheLastWord) {
  const std::string text = kHead + "[set]\ntrain.epochs = 3\n[grid]\nmask.kind = ['random']\n" +
                           "[[variant]]\nname = 'a'\nset.train.batch_size = 8\n";
  const SweepOptions options{{"train.epochs=5", "mask.kind=centre", "train.batch_size=4",
                              "train.epochs=6", "method.name=smcl"},
                             true};
  const SweepPlan first = plan(text, options);
  EXPECT_EQ(first.runs[0].recipe.train.epochs, 6);
  EXPECT_EQ(first.runs[0].recipe.train.batch_size, 4);
  write_copy(first);
  const SweepPlan second = plan_sweep(folder() / "copy" / "sweep.toml", {});
  EXPECT_EQ(second.runs[0].recipe.settings_hash(), first.runs[0].recipe.settings_hash());
  const SweepPlan third = plan_sweep(folder() / "copy" / "sweep.toml", {{"train.epochs=3"}, true});
  EXPECT_EQ(third.runs[0].recipe.train.epochs, 3);
}

TEST_F(SweepPlanning, CopiesOfFilesOfOneNameKeepTheirRunsNames) {
  const std::string unnamed = kBase.substr(0, kBase.find("run.name"));
  for (const char* each : {"one", "two"}) {
    fs::create_directories(folder() / each);
    write(concat(each, "/ce.toml"),
          concat(unnamed, each == std::string("two") ? "train.seed = 5\n" : ""));
  }
  const SweepPlan first =
      plan("recipes = ['one/ce.toml', 'two/ce.toml']\nseed_keys = ['scenes.seed']\n");
  write_copy(first);
  EXPECT_EQ(names(plan_sweep(folder() / "copy" / "sweep.toml", {})), names(first));
}

TEST_F(SweepPlanning, MistakesCostNoRun) {
  EXPECT_THAT(refusal("seeds = 1\n"), HasSubstr("no recipe: set recipes"));
  EXPECT_THAT(refusal(kHead + "seed = 3\n"),
              HasSubstr("sweep.toml:2: unknown key \"seed\", expected"));
  EXPECT_THAT(refusal(kHead + "seed = 3\n"), HasSubstr("did you mean 'seeds'"));
  EXPECT_THAT(refusal(kHead + "seeds = [1, 1]\n"), HasSubstr("1 comes twice"));
  EXPECT_THAT(refusal(kHead + "seeds = []\n"), HasSubstr("expected a number of seeds"));
  EXPECT_THAT(refusal(kHead + "seeds = 0\n"), HasSubstr("expected 1 to 10000"));
  EXPECT_THAT(refusal(kHead + "seeds = [-1]\n"), HasSubstr("from 0 on"));
  EXPECT_THAT(refusal(kHead + "[grid]\nmask.prob = 0.5\n"),
              HasSubstr("grid.mask.prob: expected a list"));
  EXPECT_THAT(refusal(kHead + "[grid]\nmask.prob = []\n"), HasSubstr("expected a list"));
  EXPECT_THAT(refusal(kHead + "[grid]\nmask.prob = [0.5, 0.5]\n"), HasSubstr("comes twice"));
  EXPECT_THAT(refusal(kHead + "[grid]\nmask.prop = [0.5]\n"),
              HasSubstr("did you mean 'mask.prob'"));
  EXPECT_THAT(refusal(kHead + "[[variant]]\nsets.mask.prob = 1\n"),
              HasSubstr("unknown key \"sets\""));
  EXPECT_THAT(refusal(kHead + "[grid]\nx = [1\n"), HasSubstr("sweep.toml:"));
  EXPECT_THAT(refusal(kHead + "[[variant]]\n[[variant]]\nname = 'same'\n"),
              HasSubstr("two runs of the sweep have the same settings: base and base-same"));
  EXPECT_NO_THROW(plan(kHead + "[grid]\nscenes.fashion_dir = ['/a', '/b']\n"))
      << "their data tell them apart";
  EXPECT_THAT(refusal(kHead + "seeds = 2\n[set]\ntrain.seed = 4\n"),
              HasSubstr("all of seed_keys are set elsewhere"));
  EXPECT_NO_THROW(plan(kHead + "[set]\ntrain.seed = 4\n")) << "one seed, of one's own choice";
  EXPECT_THAT(refusal(kHead + "[set]\ngroups.few_below = 500\n"),
              HasSubstr("(groups.few_below: [set] of the sweep)"));
  EXPECT_THAT(refusal("name = '../s'\n" + kHead), HasSubstr("'../s' is no name for a sweep"));
  EXPECT_THAT(refusal(kHead + "[[variant]]\nname = '" + std::string(200, 'a') + "'\n"),
              HasSubstr("is no name for a run"));
  EXPECT_THROW(plan("recipes = ['none.toml']\n"), IoError);
  EXPECT_THROW(plan_sweep(folder() / "none.toml", {}), IoError);
}

}  // namespace
}  // namespace smcl::experiment
