#include "report/sensitivity.h"

#include <gtest/gtest.h>

#include "report/some_runs.h"

namespace smcl::report {
namespace {

Condition condition_of(const std::vector<std::vector<Change>>& groups) {
  std::vector<RecipeRun> runs;
  int number = 0;
  for (const std::vector<Change>& changes : groups)
    runs.push_back(run("r", ++number, 0.5, changes));
  return compare_runs(runs, "").front();
}

std::vector<std::string> values(const Sensitivity& line) {
  std::vector<std::string> result;
  for (const auto& [value, group] : line.values) result.push_back(value);
  return result;
}

TEST(Sensitivity, ValuesOfOneSettingByNumber) {
  const auto found = sensitivities_of(
      condition_of({{{"mask.prob", "0.5"}}, {{"mask.prob", "0.05"}}, {{"mask.prob", "0.1"}}}));
  ASSERT_EQ(found.lines.size(), 1U);
  EXPECT_EQ(found.lines[0].key, "mask.prob");
  EXPECT_EQ(found.lines[0].fixed, "");
  EXPECT_EQ(values(found.lines[0]), (std::vector<std::string>{"0.05", "0.1", "0.5"}));
  EXPECT_EQ(found.lines[0].values[0].second, 1U);
  EXPECT_TRUE(found.grids.empty());
}

TEST(Sensitivity, WordsAsTheyCame) {
  const auto found = sensitivities_of(condition_of({{{"mask.kind", "\"saliency\""}},
                                                    {{"mask.kind", "\"random\""}},
                                                    {{"mask.kind", "\"centre\""}}}));
  ASSERT_EQ(found.lines.size(), 1U);
  EXPECT_EQ(values(found.lines[0]), (std::vector<std::string>{"saliency", "random", "centre"}));
}

TEST(Sensitivity, ValuesOfOneFormByTheirNumber) {
  const auto of = [](const std::vector<std::string>& texts) {
    std::vector<std::vector<Change>> groups;
    for (const std::string& text : texts) {
      groups.push_back({{"target.distribution", '"' + text + '"'}});
    }
    return values(sensitivities_of(condition_of(groups)).lines.at(0));
  };
  EXPECT_EQ(of({"effective(0.9999)", "effective(0.99)", "effective(0.999)"}),
            (std::vector<std::string>{"effective(0.99)", "effective(0.999)", "effective(0.9999)"}));
  EXPECT_EQ(of({"effective(0.9)", "inverse", "effective(0.1)"}),
            (std::vector<std::string>{"effective(0.9)", "inverse", "effective(0.1)"}));
}

TEST(Sensitivity, OneAtATimeFromACentre) {
  const auto found = sensitivities_of(condition_of({{},
                                                    {{"mask.prob", "0.1"}},
                                                    {{"mask.prob", "0.3"}},
                                                    {{"contrast.mu", "0.1"}},
                                                    {{"contrast.mu", "0.9"}}}));
  ASSERT_EQ(found.lines.size(), 2U);
  EXPECT_TRUE(found.grids.empty());
  EXPECT_EQ(found.lines[0].key, "contrast.mu");
  EXPECT_EQ(found.lines[0].fixed, "mask.prob = 0.2");
  EXPECT_EQ(values(found.lines[0]), (std::vector<std::string>{"0.1", "0.3", "0.9"}));
  EXPECT_EQ(found.lines[1].key, "mask.prob");
  EXPECT_EQ(values(found.lines[1]), (std::vector<std::string>{"0.1", "0.2", "0.3"}));
}

TEST(Sensitivity, AGridOfTwoSettingsTakesItsLinesAndLeavesStrangersOut) {
  std::vector<std::vector<Change>> groups;
  for (const char* mu : {"0.1", "0.9"}) {
    for (const char* prob : {"0.1", "0.5", "1.0"}) {
      groups.push_back({{"contrast.mu", mu}, {"mask.prob", prob}});
    }
  }
  groups.push_back({});  // mu 0.3, prob 0.2
  const auto found = sensitivities_of(condition_of(groups));
  ASSERT_EQ(found.grids.size(), 1U);
  const SensitivityGrid& grid = found.grids[0];
  EXPECT_EQ(grid.row_key, "contrast.mu");
  EXPECT_EQ(grid.rows, (std::vector<std::string>{"0.1", "0.9"}));
  EXPECT_EQ(grid.columns, (std::vector<std::string>{"0.1", "0.5", "1.0"}));
  EXPECT_EQ(grid.groups, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(found.lines.empty());
}

TEST(Sensitivity, MethodsAreNoSweep) {
  const auto found = sensitivities_of(condition_of({{{"method.name", "\"smcl\""}},
                                                    {{"method.name", "\"mixup\""}},
                                                    {{"method.name", "\"cutmix\""}}}));
  EXPECT_TRUE(found.lines.empty());
  EXPECT_TRUE(found.grids.empty());
}

}  // namespace
}  // namespace smcl::report
