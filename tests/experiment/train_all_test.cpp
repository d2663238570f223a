#include "experiment/train_all.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "experiment/tiny.h"
#include "tensor/fake_gpu.h"

namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kExplodes =
    "schedule.rate = 1000.0\nschedule.warm_up = 0\ntrain.epochs = 6\ntrain.weight_decay = 1.0";

std::string text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    return error.what();
  }
}

class TrainAllSlow : public TinyRuns {
 protected:
  std::vector<Outcome> train(const std::vector<Recipe>& recipes, int parallel) {
    return train_all(
        recipes, [&](std::size_t) { return options_; }, parallel);
  }
};

/// One that diverges is between them; every log holds its own run and nothing else.
TEST_F(TrainAllSlow, RunsAtOnceAreThoseOfSingleRunsAndAFailureLeavesThemAlone) {
  const std::vector<Recipe> recipes{tiny("run.name = 'one'"), tiny(kExplodes),
                                    tiny("run.name = 'two'\ntrain.seed = 1"),
                                    tiny("run.name = 'three'\ncontrast.mu = 0.5")};
  const auto outcomes = train(recipes, 3);
  ASSERT_EQ(outcomes.size(), 4U);
  EXPECT_THAT(text_of(outcomes[1].problem), HasSubstr("not finite in epoch"));
  options_.root = folder() / "single";
  for (const std::size_t i : {0U, 2U, 3U}) {
    ASSERT_TRUE(outcomes[i].result) << text_of(outcomes[i].problem);
    const RunResult single = train_recipe(recipes[i], options_);
    EXPECT_EQ(weights_hash(*outcomes[i].result), weights_hash(single)) << i;
    const std::string log = format::read_text(outcomes[i].result->folder.log_file());
    EXPECT_THAT(log, HasSubstr(outcomes[i].result->folder.path().string()));
    EXPECT_THAT(log, Not(HasSubstr("not finite")));
  }
}

TEST_F(TrainAllSlow, AStopKeepsTheRestFromBeginning) {
  options_.stop = [] { return true; };
  const auto outcomes = train({tiny(""), tiny("train.seed = 1")}, 1);
  EXPECT_THROW(std::rethrow_exception(outcomes[0].problem), StoppedError);
  EXPECT_EQ(outcomes[1].problem, nullptr);
  EXPECT_FALSE(outcomes[1].result.has_value());
}

TEST_F(TrainAllSlow, RefusesRunsThatWantTheProcessInDifferentStates) {
  EXPECT_THROW(train({tiny(""), tiny("run.threads = 2")}, 2), UsageError);
  EXPECT_THROW(train({tiny(""), tiny("run.deterministic = true")}, 2), UsageError);
  EXPECT_THROW(train({tiny("")}, 0), UsageError);
}

/// All of a run but the device's own doing, by a GPU that is the CPU.
class GpuRunSlow : public TinyRuns {
 protected:
  void SetUp() override {
    TinyRuns::SetUp();
    options_.gpu = &gpu_;
  }
  tensor::testing::FakeGpu gpu_;
};

const std::string kGpuTiny = "train.epochs = 4\nnetwork.width = 0.5\n";

TEST_F(GpuRunSlow, RecordsItsStepsAndSaysSo) {
  const RunResult run = train_recipe(tiny(kGpuTiny), options_);
  EXPECT_EQ(run.summary.at("graph"), "captured");
  EXPECT_EQ(run.summary.at("evaluation_graph"), "captured");
  EXPECT_GT(gpu_.launches, 0);
  EXPECT_EQ(gpu_.deterministic, false);
  options_.always_new = true;
  const RunResult eager = train_recipe(tiny(kGpuTiny + "run.graph = false"), options_);
  EXPECT_EQ(eager.summary.at("graph"), "eager: run.graph = false");
  EXPECT_EQ(eager.summary.at("evaluation_graph"), "eager: run.graph = false");
  EXPECT_EQ(weights_hash(run), weights_hash(eager));
  EXPECT_EQ(run.summary.at("last"), eager.summary.at("last"));
}

TEST_F(GpuRunSlow, GoesOnInsideAnEpochToTheSameBits) {
  const RunResult whole = train_recipe(tiny(kGpuTiny), options_);
  options_.root = folder() / "stopped";
  int asked = 0;
  options_.stop = [&] { return ++asked == 9; };
  EXPECT_THROW(train_recipe(tiny(kGpuTiny), options_), StoppedError);
  options_.stop = nullptr;
  const RunResult resumed = train_recipe(tiny(kGpuTiny), options_);
  EXPECT_EQ(resumed.summary.at("resumes"), 1);
  EXPECT_EQ(weights_hash(whole), weights_hash(resumed));
}

TEST_F(GpuRunSlow, AskingForAGpuThatIsNotThereIsOneSentence) {
  options_.gpu = nullptr;
  if (tensor::find_gpu().gpu != nullptr) return;
  try {
    train_recipe(tiny("run.device = 'cuda'"), options_);
    FAIL() << "trained";
  } catch (const UsageError& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("run.device = cuda: "));
    EXPECT_THAT(problem.what(), HasSubstr("--device cpu"));
  }
  EXPECT_FALSE(std::filesystem::exists(options_.root / "tiny-1"));
}

}  // namespace
}  // namespace smcl::experiment
