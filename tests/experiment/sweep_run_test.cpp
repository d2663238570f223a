#include "experiment/sweep_run.h"

#include <gmock/gmock.h>

#include "experiment/sweep_plans.h"
#include "experiment/tiny.h"
#include "record/checkpoint_files.h"
#include "record/run_index.h"

namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

namespace fs = std::filesystem;

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
