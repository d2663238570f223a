#include "report/recipe_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

// Expected texts and numbers are worked out by hand.
namespace smcl::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Change {
  std::string key;
  std::string value;
};

/// Run `number` of a recipe; `all` is its accuracy, the other values follow from it.
RecipeRun run(const std::string& recipe, int number, double all,
              const std::vector<Change>& changes = {}) {
  RecipeRun result;
  result.path = concat("runs/", recipe, "-", number);
  result.recipe = recipe;
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"data.class_order_seed", "0"},
                                          {"data.dir", "\"\""},
                                          {"data.split_seed", "0"},
                                          {"mask.kind", "\"saliency\""},
                                          {"mask.prob", "0.2"},
                                          {"run.name", "\"" + recipe + "\""},
                                          {"run.precision", "\"fp32\""},
                                          {"run.threads", "0"},
                                          {"scenes.fashion_dir", "\"f\""},
                                          {"scenes.seed", "0"},
                                          {"train.seed", "0"}}) {
    result.settings.push_back({key, value, "default", ""});
  }
  for (const Change& change : changes) {
    for (config::Resolved& setting : result.settings) {
      if (setting.key == change.key) setting.value = change.value;
    }
  }
  result.row.run = concat(recipe, "-", number);
  result.row.accuracy.all = all;
  result.row.accuracy.many = all + 0.1;
  result.row.accuracy.medium = all;
  result.medium_few = all / 2;
  return result;
}

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

TEST(RecipeGroups, OfNoRunsIsEmpty) {
  EXPECT_TRUE(group_by_recipe({}).empty());
}

TEST(SpreadText, SaysOverWhichSeeds) {
  std::vector<RecipeRun> runs{run("ce", 1, 0.5), run("ce", 2, 0.5, {{"train.seed", "1"}})};
  EXPECT_EQ(spread_text(group_by_recipe(runs)), "over 2 values of train.seed");
  runs.push_back(run("ce", 3, 0.5, {{"train.seed", "2"}, {"data.class_order_seed", "2"}}));
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

/// Against ce, seeds 0 to 2: all differs by 0.1, 0.2 and 0.3. One run of each has no partner.
std::vector<RecipeRun> three_pairs() {
  return {run("ce", 1, 0.4),
          run("ce", 2, 0.4, {{"train.seed", "1"}}),
          run("ce", 3, 0.5, {{"train.seed", "2"}}),
          run("ce", 4, 0.9, {{"train.seed", "7"}}),
          run("smcl", 1, 0.8, {{"train.seed", "2"}}),
          run("smcl", 2, 0.6, {{"train.seed", "1"}}),
          run("smcl", 3, 0.5),
          run("smcl", 4, 0.1, {{"scenes.seed", "1"}})};
}

// Mean 0.2, deviation 0.1; t(2) = 4.303 (NIST/SEMATECH e-Handbook), so 4.303 * 0.1 / sqrt(3) =
// 0.2484. Over medium and few half of that.
TEST(DifferenceTable, OverPairsOfEqualSeeds) {
  const auto groups = group_by_recipe(three_pairs());
  const auto found = nlohmann::json::parse(difference_table(groups, "ce").json());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["method"], "smcl");
  EXPECT_EQ(found[0]["n"], 3.0);
  EXPECT_NEAR(found[0]["diff_all"].get<double>(), 0.2, 1e-12);
  EXPECT_NEAR(found[0]["diff_all_sd"].get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(found[0]["diff_all_low"].get<double>(), 0.2 - 0.2484, 1e-4);
  EXPECT_NEAR(found[0]["diff_all_high"].get<double>(), 0.2 + 0.2484, 1e-4);
  EXPECT_NEAR(found[0]["diff_medium_few"].get<double>(), 0.1, 1e-12);
  EXPECT_TRUE(found[0]["diff_few"].is_null()) << "an empty group";
  EXPECT_TRUE(found[0]["diff_bias_gap_high"].is_null()) << "data without backgrounds";
}

TEST(DifferenceTable, PointsInText) {
  std::vector<RecipeRun> runs = three_pairs();
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].row.bias_gap = i < 4 ? 0.1 : 0.05;
  EXPECT_EQ(difference_table(group_by_recipe(runs), "ce").text(),
            "method  pairs                  all                 many               medium  few  "
            "        medium+few           bias gap\n"
            "smcl        3  20.0 +- 10.0 (24.8)  20.0 +- 10.0 (24.8)  20.0 +- 10.0 (24.8)    -  "
            "10.0 +- 5.0 (12.4)  -5.0 +- 0.0 (0.0)\n");
}

TEST(DifferenceTable, FewerThanTwoPairsAreADash) {
  const std::vector<RecipeRun> runs{run("ce", 1, 0.4), run("ce", 2, 0.4, {{"train.seed", "1"}}),
                                    run("one", 1, 0.5), run("none", 1, 0.5, {{"train.seed", "9"}})};
  const auto found = nlohmann::json::parse(difference_table(group_by_recipe(runs), "ce").json());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["n"], 1.0);
  EXPECT_TRUE(found[0]["diff_all"].is_null());
  EXPECT_TRUE(found[0]["diff_all_low"].is_null());
  EXPECT_EQ(found[1]["n"], 0.0);
}

TEST(DifferenceTable, RefusesABaselineThatIsNotThereOrAlone) {
  const auto groups = group_by_recipe(three_pairs());
  EXPECT_THAT([&] { difference_table(groups, "mixup"); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("'mixup'"), HasSubstr("ce; smcl"))));
  const std::vector<RecipeGroup> alone{groups.front()};
  EXPECT_THAT([&] { difference_table(alone, "ce"); },
              ThrowsMessage<UsageError>(HasSubstr("nothing to compare")));
}

}  // namespace
}  // namespace smcl::report
