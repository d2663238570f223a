#include "experiment/run.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "experiment/summary.h"
#include "experiment/tiny.h"
#include "train/evaluate.h"

namespace smcl::experiment {
namespace {

class RunSlow : public TinyRuns {};

TEST_F(RunSlow, LeavesAWholeRunFolder) {
  const RunResult run = train_recipe(tiny(""), options_);
  EXPECT_EQ(run.folder.name(), "tiny-1");
  EXPECT_TRUE(run.folder.finished());
  const auto summary = run.folder.summary();
  EXPECT_EQ(summary.at("epochs"), 2);
  EXPECT_EQ(summary.at("last").at("images"), 10 * 24);
  EXPECT_TRUE(summary.contains("best_on_val"));
  EXPECT_FALSE(summary.contains("best_on_test"));
  EXPECT_TRUE(summary.contains("bias"));
  const auto stored = stored_predictions(run.folder.predictions_file("test"));
  EXPECT_EQ(stored.size(), 240U);
  int epochs = 0;
  for (const auto& row : run.folder.metrics()) {
    if (row.at("type") != "epoch") continue;
    EXPECT_EQ(row.at("masked_share"), epochs == 0 ? 0.0 : 1.0);  // mask.start = 0.5 of 2 epochs
    EXPECT_TRUE(row.contains("contrast"));
    // What the failure signs look at: a mean of cosines, and a share of images.
    EXPECT_LE(std::abs(row.at("mean_cosine").get<double>()), 1.0);
    EXPECT_EQ(row.contains("zero_features"), epochs == 1) << "only masked images count";
    ++epochs;
  }
  EXPECT_EQ(epochs, 2);
}

TEST_F(RunSlow, RunsWithoutValidationObjects) {
  const auto summary = train_recipe(tiny("scenes.val_objects = 0"), options_).folder.summary();
  EXPECT_FALSE(summary.contains("validation"));
  EXPECT_TRUE(summary.contains("best_on_test"));
}

TEST_F(RunSlow, SameCommandSameBitsWhateverTheLoaderThreads) {
  options_.always_new = true;
  const RunResult first = train_recipe(tiny("run.loader_threads = 0"), options_);
  const RunResult second = train_recipe(tiny("run.loader_threads = 3"), options_);
  EXPECT_NE(first.folder.name(), second.folder.name());
  EXPECT_EQ(weights_hash(first), weights_hash(second));
  const RunResult other = train_recipe(tiny("train.seed = 1"), options_);
  EXPECT_NE(weights_hash(first), weights_hash(other)) << "the seed must matter";
}

// 78 images: the last step has one. Its two views are alike, which says nothing of other images.
TEST_F(RunSlow, ViewsOfOneImageAreNoSignOfCollapse) {
  for (const char* method : {"'supcon'", "'bcl'"}) {
    const RunResult run = train_recipe(
        tiny(concat("train.batch_size = 11\nmask.prob = 0.0\nmethod.name = ", method)), options_);
    int images = 0;
    for (const auto& count : run.summary.at("train_counts")) images += count.get<int>();
    ASSERT_EQ(images % 11, 1);
    for (const auto& row : run.folder.metrics()) {
      EXPECT_FALSE(row.contains("mean_cosine")) << method;
    }
  }
}

TEST_F(RunSlow, AFinishedRunIsNotTrainedAgain) {
  const RunResult first = train_recipe(tiny(""), options_);
  const RunResult again = train_recipe(tiny(""), options_);
  EXPECT_TRUE(again.was_there);
  EXPECT_EQ(again.folder.path(), first.folder.path());
  EXPECT_FALSE(train_recipe(tiny("train.seed = 5"), options_).was_there);
}

/// Each loss with each rule, in SMCL and alone, trains to something else.
TEST_F(RunSlow, LossesAndRulesCombineFreely) {
  const std::string cosine = "network.classifier = 'cosine'\n";
  const std::string alone = "method.name = 'ce'\nmask.prob = 0.0\n";
  std::set<std::string> weights;
  int runs = 0;
  for (const std::string& settings :
       {std::string(), std::string("loss.name = 'focal'\n"), cosine + "loss.name = 'ldam'\n",
        std::string("loss.name = 'logit_adjusted'\n")}) {
    for (const std::string& rule : {std::string(), std::string("rule.name = 'reweight'\n"),
                                    std::string("rule.name = 'resample'\n"),
                                    std::string("rule.name = 'drw'\nrule.start = 1\n"),
                                    std::string("rule.name = 'drs'\nrule.start = 1\n")}) {
      weights.insert(weights_hash(train_recipe(tiny(settings + rule), options_)));
      ++runs;
    }
    weights.insert(weights_hash(train_recipe(tiny(settings + alone), options_)));
    ++runs;
  }
  EXPECT_EQ(static_cast<int>(weights.size()), runs);
}

/// Each way to mix or compare images, with losses and rules.
TEST_F(RunSlow, MethodsCombineWithLossesAndRules) {
  std::set<std::string> weights;
  int runs = 0;
  for (const char* name : {"mixup", "remix", "cutmix", "saliencymix", "cmo"}) {
    const std::string method = concat("mask.prob = 0.0\nmethod.name = '", name, "'\n");
    for (const char* more : {"", "loss.name = 'focal'\nrule.name = 'drw'\nrule.start = 1\n",
                             "rule.name = 'resample'\n", "rule.name = 'drs'\nrule.start = 1\n"}) {
      weights.insert(weights_hash(train_recipe(tiny(method + more), options_)));
      ++runs;
    }
  }
  for (const char* name : {"supcon", "bcl"}) {
    const std::string method = concat("mask.prob = 0.0\nmethod.name = '", name, "'\n");
    for (const char* more : {"", "loss.name = 'logit_adjusted'\n", "contrast.mu = 0.0\n"}) {
      weights.insert(weights_hash(train_recipe(tiny(method + more), options_)));
      ++runs;
    }
  }
  EXPECT_EQ(static_cast<int>(weights.size()), runs - 1) << "without the contrast both are ce";
}

TEST_F(RunSlow, StrongAugmentationTrainsTheSameBitsWhateverTheLoaderThreads) {
  const std::string strong =
      "augment.policy = 'autoaugment'\naugment.cutout = 16\naugment.colour = 0.8\n"
      "augment.grey = 0.2\naugment.blur = 0.5\naugment.resized_crop = [0.2, 1.0]\n";
  options_.always_new = true;
  for (const std::string method :
       {"method.name = 'smcl'\n",
        "method.name = 'cmo'\nmix.start = 0\nmask.prob = 0.0\naugment.policy_on = 'ordinary'\n",
        "method.name = 'bcl'\nloss.name = 'logit_adjusted'\nnetwork.classifier = 'cosine'\n"
        "mask.prob = 0.0\naugment.crop_on = 'further'\naugment.policy_on = 'ordinary'\n"}) {
    SCOPED_TRACE(method);
    const RunResult first =
        train_recipe(tiny(method + strong + "run.loader_threads = 0"), options_);
    const RunResult second =
        train_recipe(tiny(method + strong + "run.loader_threads = 3"), options_);
    EXPECT_EQ(weights_hash(first), weights_hash(second));
  }
}

TEST_F(RunSlow, ExplodingTrainingIsReportedAndNotStored) {
  try {
    train_recipe(tiny("schedule.rate = 1000.0\nschedule.warm_up = 0\ntrain.epochs = "
                      "6\ntrain.weight_decay = 1.0"),
                 options_);
    FAIL() << "did not diverge";
  } catch (const DivergedError& error) {
    EXPECT_NE(std::string(error.what()).find("not finite in epoch "), std::string::npos)
        << error.what();
  }
  const auto run = options_.root / "tiny-1";
  EXPECT_FALSE(std::filesystem::exists(run / "summary.json"));
  EXPECT_FALSE(std::filesystem::exists(run / "checkpoints" / "last.safetensors"));
}

TEST_F(RunSlow, StoredWeightsGiveTheStoredPredictions) {
  const RunResult run = train_recipe(tiny(""), options_);
  const Recipe recipe = recipe_of(run.folder);
  const data::Opened data = data::open_data(recipe.data);
  nn::Network network = load_network(run.folder, recipe, data.classes(), "last");
  const auto fresh = train::evaluate(network, *data.test, data.test_samples, data.normalisation);
  const auto stored = stored_predictions(run.folder.predictions_file("test"));
  ASSERT_EQ(fresh.logits.size(), stored.logits.size());
  EXPECT_EQ(fresh.logits, stored.logits);
}

}  // namespace
}  // namespace smcl::experiment
