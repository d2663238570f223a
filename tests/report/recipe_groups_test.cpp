#include "report/recipe_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "report/some_runs.h"

// Expected texts and numbers are worked out by hand.
namespace smcl::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::string> labels(const std::vector<RecipeGroup>& groups) {
  std::vector<std::string> result;
  for (const RecipeGroup& group : groups) {
    result.push_back(concat(group.label, ": ", group.runs.size()));
  }
  return result;
}

TEST(RecipeGroups, SeedsPlacesAndThreadsMakeNoGroup) {
  const std::vector<RecipeRun> runs{
      run("ce", 1, 0.5), run("ce", 2, 0.5, {{"train.seed", "1"}, {"run.threads", "2"}}),
      run("ce", 3, 0.5, {{"scenes.seed", "1"}, {"data.dir", "\"x\""}}),
      run("ce", 4, 0.5, {{"data.class_order_seed", "1"}, {"scenes.fashion_dir", "\"g\""}}),
      run("ce", 5, 0.5, {{"data.split_seed", "1"}})};
  EXPECT_EQ(labels(group_by_recipe(runs)), std::vector<std::string>{"ce: 5"});
}

TEST(RecipeGroups, OtherSettingsMakeAnotherRowThatSaysThem) {
  const std::vector<RecipeRun> runs{
      run("smcl", 1, 0.5), run("ce", 1, 0.5), run("smcl", 2, 0.5, {{"mask.prob", "0.5"}}),
      run("smcl", 3, 0.5, {{"train.seed", "1"}, {"mask.prob", "0.5"}}),
      run("smcl", 4, 0.5, {{"mask.kind", "\"random\""}})};
  EXPECT_EQ(labels(group_by_recipe(runs)),
            (std::vector<std::string>{"smcl (mask.kind = saliency, mask.prob = 0.2): 1", "ce: 1",
                                      "smcl (mask.kind = saliency, mask.prob = 0.5): 2",
                                      "smcl (mask.kind = random, mask.prob = 0.2): 1"}));
}

TEST(RecipeGroups, PrecisionMakesAnotherRow) {
  const std::vector<RecipeRun> runs{run("ce", 1, 0.5),
                                    run("ce", 2, 0.5, {{"run.precision", "\"bf16\""}})};
  EXPECT_EQ(
      labels(group_by_recipe(runs)),
      (std::vector<std::string>{"ce (run.precision = fp32): 1", "ce (run.precision = bf16): 1"}));
}

TEST(RecipeGroups, ASettingThatAnOlderRunLacksIsNamed) {
  RecipeRun old = run("ce", 1, 0.5);
  std::erase_if(old.settings, [](const auto& setting) { return setting.key == "mask.prob"; });
  const std::vector<RecipeRun> runs{old, run("ce", 2, 0.5)};
  EXPECT_EQ(labels(group_by_recipe(runs)),
            (std::vector<std::string>{"ce (mask.prob = unset): 1", "ce (mask.prob = 0.2): 1"}));
}

TEST(RecipeGroups, TheSameSeedsTwiceAreRefused) {
  const std::vector<RecipeRun> runs{run("ce", 1, 0.5), run("ce", 2, 0.5, {{"run.threads", "2"}})};
  EXPECT_THAT([&] { group_by_recipe(runs); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("runs/ce-1 and runs/ce-2"),
                                              HasSubstr("same settings and seeds"))));
}

TEST(RecipeGroups, OneExperimentUnderTwoNamesIsSeen) {
  const auto same = [](const std::vector<Change>& changes) {
    const std::vector<RecipeRun> runs{run("a", 1, 0.5), run("a", 2, 0.5, {{"train.seed", "9"}}),
                                      run("b", 1, 0.5, changes)};
    const auto groups = group_by_recipe(runs);
    EXPECT_EQ(groups.size(), 2U);
    return is_same_experiment(groups[0], groups[1]);
  };
  EXPECT_TRUE(same({}));
  EXPECT_TRUE(same({{"train.seed", "9"}, {"data.dir", "\"elsewhere\""}}));
  EXPECT_FALSE(same({{"train.seed", "8"}})) << "more seeds of it";
  EXPECT_FALSE(same({{"mask.prob", "0.5"}}));
}

TEST(RecipeGroups, OfNoRunsIsEmpty) {
  EXPECT_TRUE(group_by_recipe({}).empty());
}

TEST(SpreadText, SaysOverWhichSeeds) {
  std::vector<RecipeRun> runs{run("ce", 1, 0.5), run("ce", 2, 0.5, {{"train.seed", "1"}})};
  EXPECT_EQ(spread_text(group_by_recipe(runs)), "over 2 values of train.seed");
  const auto third = run("ce", 3, 0.5, {{"train.seed", "2"}, {"data.class_order_seed", "2"}});
  runs.push_back(third);
  EXPECT_EQ(spread_text(group_by_recipe(runs)),
            "over 3 runs with values of train.seed, data.class_order_seed crossed, taken as "
            "independent");
  runs[1] = run("ce", 2, 0.5, {{"train.seed", "1"}, {"data.class_order_seed", "1"}});
  EXPECT_EQ(spread_text(group_by_recipe(runs)),
            "over 3 values of train.seed, data.class_order_seed together");
  runs.push_back(run("smcl", 1, 0.5));
  EXPECT_EQ(spread_text(group_by_recipe(runs)),
            "over 3 values of train.seed, data.class_order_seed together")
      << "one run has no spread";
  runs.push_back(run("smcl", 2, 0.5, {{"train.seed", "1"}, {"data.class_order_seed", "2"}}));
  EXPECT_EQ(spread_text(group_by_recipe(runs)),
            "over 2 to 3 values of train.seed, data.class_order_seed together");
}

TEST(SpreadText, SaysWhichGroupChangesWhichSeed) {
  const std::vector<RecipeRun> runs{
      run("ce", 1, 0.5), run("ce", 2, 0.5, {{"train.seed", "1"}}), run("smcl", 1, 0.5),
      run("smcl", 2, 0.5, {{"scenes.seed", "1"}}), run("mixup", 1, 0.5)};
  EXPECT_EQ(spread_text(group_by_recipe(runs)),
            "over 2 values of train.seed (ce); 2 values of scenes.seed (smcl)");
}

TEST(SpreadText, OneRunEach) {
  const std::vector<RecipeRun> runs{run("ce", 1, 0.5), run("smcl", 1, 0.5)};
  EXPECT_EQ(spread_text(group_by_recipe(runs)), "over one run");
}

}  // namespace
}  // namespace smcl::report
