#include "experiment/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "experiment/sweep_run.h"
#include "experiment/tiny.h"
#include "record/checkpoint_files.h"
#include "record/run_index.h"

namespace smcl::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

namespace fs = std::filesystem;

const std::string kHead = "recipes = ['base.toml']\n";

/// Four epochs of a second; masks and a rule would start at epoch 2.
const std::string kBase = R"(
data.n_max = 20
data.ratio = 10
scenes.test_objects = 1
scenes.val_objects = 1
network.arch = "resnet20"
network.width = 0.25
method.name = "ce"
train.epochs = 4
train.batch_size = 16
mask.start = 2
rule.start = 2
run.precision = "fp32"
run.threads = 1
run.name = "base"
)";

class SweepPlanning : public ScratchFolder {
 protected:
  void SetUp() override {
    ScratchFolder::SetUp();
    write("base.toml", kBase);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder() / name) << text;
  }
  SweepPlan plan(const std::string& text, const SweepOptions& options = {}) const {
    write("sweep.toml", text);
    return plan_sweep(folder() / "sweep.toml", options);
  }
  /// What a sweep writes, into "copy".
  void write_copy(const SweepPlan& planned) const {
    for (const auto& [name, content] : planned.files) {
      fs::create_directories((folder() / "copy" / name).parent_path());
      write("copy/" + name, content);
    }
  }
  std::string refusal(const std::string& text) const {
    return error_of<UsageError>([&] { plan(text); });
  }
  static std::vector<std::string> names(const SweepPlan& plan) {
    std::vector<std::string> all;
    for (const SweepRun& run : plan.runs) {
      all.push_back(concat(run.recipe.name, "@", run.recipe.train.seed));
    }
    return all;
  }
};

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
  EXPECT_THAT(found.alike, ElementsAre(Names{"base-start1", "base-start2"},
                                       Names{"base-drw-start1", "base-drw-start2"}));
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

/// Trains; the folder of the sweep is folder()/runs/s.
class SweepSlow : public SweepPlanning {
 protected:
  void SetUp() override {
    SweepPlanning::SetUp();
    log::set_console_level(log::Level::error);
    options_.root = folder() / "runs";
  }
  std::vector<Outcome> train(const SweepPlan& planned) { return run_sweep(planned, options_); }
  static std::vector<std::string> weights(const std::vector<Outcome>& outcomes) {
    std::vector<std::string> all;
    for (const Outcome& each : outcomes)
      all.push_back(each.result ? weights_hash(*each.result) : "");
    return all;
  }
  SweepRunOptions options_;
};

const std::string kThree = R"(
name = "s"
recipes = ["base.toml"]
seeds = 1
[[variant]]
[[variant]]
name = "drw"
set.rule.name = "drw"
[[variant]]
name = "late"
set.rule = { name = "drw", start = 3 }
[[variant]]
name = "crt"
set.stage = { name = "crt", epochs = 1 }
)";

TEST_F(SweepSlow, BranchesHaveTheBitsOfRunsFromTheStart) {
  const auto branched = train(plan(kThree));
  options_.root = folder() / "alone";
  const auto alone = train(plan(kThree, {{}, false}));
  options_.root = folder() / "both";
  options_.jobs = 2;
  const auto both = train(plan(kThree));
  EXPECT_EQ(weights(branched), weights(alone));
  EXPECT_EQ(weights(branched), weights(both));
  EXPECT_TRUE(branched[1].result->summary.contains("branched_from"));
  EXPECT_EQ(branched[3].result->summary.at("branched_from").at("epoch"), 4) << "the end";
  EXPECT_TRUE(branched[1].result->summary.at("bit_exact").get<bool>());
  EXPECT_FALSE(alone[1].result->summary.contains("branched_from"));
  auto index = record::RunIndex::open(folder() / "runs" / "s");
  EXPECT_EQ(index.count({record::parse_filter("state=finished")}), 4U) << "kept while it trained";
  const std::string kept = index.dump();
  EXPECT_EQ(record::RunIndex::rebuild(folder() / "runs" / "s").dump(), kept);
}

TEST_F(SweepSlow, GoesOnWhereItStopped) {
  const SweepPlan planned = plan(kThree);
  int ended = 0;
  options_.ended = [&](std::size_t, const Outcome&) { ++ended; };
  options_.stop = [&] { return ended >= 2; };
  const auto first = train(planned);
  EXPECT_TRUE(first[1].result);
  EXPECT_THROW(std::rethrow_exception(first[2].problem), StoppedError);
  options_.stop = nullptr;
  const auto second = train(planned);
  EXPECT_TRUE(second[0].result->was_there);
  EXPECT_FALSE(second[2].result->was_there);
  options_.root = folder() / "other";
  EXPECT_EQ(weights(second), weights(train(planned)));
}

TEST_F(SweepSlow, AFailedTrunkLeavesItsBranchesAndTheRestAlone) {
  const std::string text = R"(
    name = "s"
    recipes = ["base.toml"]
    [[variant]]
    name = "explodes"
    set.schedule = { rate = 1000.0, warm_up = 0 }
    set.train.weight_decay = 1.0
    [[variant]]
    name = "too"
    set.schedule = { rate = 1000.0, warm_up = 0 }
    set.train.weight_decay = 1.0
    set.rule = { name = "drw", start = 3 }
    [[variant]]
  )";
  const SweepPlan planned = plan(text);
  ASSERT_EQ(planned.runs[1].trunk, 0U);
  auto outcomes = train(planned);
  EXPECT_THROW(std::rethrow_exception(outcomes[0].problem), DivergedError);
  EXPECT_THROW(std::rethrow_exception(outcomes[1].problem), DivergedError);
  EXPECT_TRUE(outcomes[2].result);
  const auto index = record::RunIndex::open(folder() / "runs" / "s");
  const auto failed = index.runs({record::parse_filter("state=failed")});
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_THAT(failed[0].reason, HasSubstr("not finite"));
  // Again: it would diverge again, so it is not trained unless that is asked for.
  outcomes = train(planned);
  EXPECT_THAT([&] { std::rethrow_exception(outcomes[0].problem); },
              ThrowsMessage<DivergedError>(HasSubstr("--retry")));
  options_.retry = true;
  outcomes = train(planned);
  EXPECT_THAT([&] { std::rethrow_exception(outcomes[0].problem); },
              ThrowsMessage<DivergedError>(testing::Not(HasSubstr("--retry"))));
}

TEST_F(SweepSlow, TakesATrunkWithoutTheCheckpointForNone) {
  const SweepPlan planned = plan(kThree);
  SweepPlan trunk = planned;
  trunk.runs.resize(1);
  const auto first = train(trunk);
  fs::remove_all(first[0].result->folder.path() / "checkpoints");
  const auto outcomes = train(planned);
  ASSERT_TRUE(outcomes[1].result);
  EXPECT_FALSE(outcomes[1].result->summary.contains("branched_from"));
}

TEST_F(SweepSlow, BranchesThatCannotBeUsedTrainFromTheStart) {
  const SweepPlan planned = plan(kThree);
  SweepPlan trunk = planned;
  trunk.runs.resize(1);
  const auto first = train(trunk);
  for (const auto& file : record::checkpoint_files(first[0].result->folder.path())) {
    std::ofstream(file.path, std::ios::app) << "damage";
  }
  const auto outcomes = train(planned);
  for (const std::size_t i : {1U, 2U}) {
    ASSERT_TRUE(outcomes[i].result);
    EXPECT_FALSE(outcomes[i].result->summary.contains("branched_from"));
  }
}

TEST_F(SweepSlow, OneProcessAtATime) {
  const SweepPlan planned = plan(kThree);
  int looked = 0;
  options_.ended = [&](std::size_t i, const Outcome&) {
    if (i > 0) return;
    ++looked;
    SweepRunOptions second = options_;
    second.ended = nullptr;
    EXPECT_THAT([&] { run_sweep(planned, second); },
                ThrowsMessage<IoError>(HasSubstr("is being written by")));
  };
  options_.stop = nullptr;
  EXPECT_TRUE(train(planned)[2].result);
  EXPECT_EQ(looked, 1);
}

}  // namespace
}  // namespace smcl::experiment
