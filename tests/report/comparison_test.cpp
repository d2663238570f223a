#include "report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "report/some_runs.h"

// Expected texts and numbers are worked out by hand unless a source is named.
namespace smcl::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

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

Table of(const std::vector<RecipeRun>& runs) {
  return difference_table(compare_runs(runs, "ce"));
}

// Mean 0.2, deviation 0.1; t(2) = 4.303 (NIST/SEMATECH e-Handbook), so 4.303 * 0.1 / sqrt(3) =
// 0.2484. Over medium and few half of that.
TEST(DifferenceTable, OverPairsOfEqualSeeds) {
  const auto found = nlohmann::json::parse(of(three_pairs()).json());
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
  EXPECT_EQ(of(runs).text(),
            "method  pairs                  all                 many               medium  few  "
            "        medium+few           bias gap  p (Holm)  verdict (all)\n"
            "smcl        3  20.0 +- 10.0 (24.8)  20.0 +- 10.0 (24.8)  20.0 +- 10.0 (24.8)    -  "
            "10.0 +- 5.0 (12.4)  -5.0 +- 0.0 (0.0)     0.074  not decided\n");
}

TEST(DifferenceTable, FewerThanTwoPairsAreADash) {
  const std::vector<RecipeRun> runs{run("ce", 1, 0.4), run("ce", 2, 0.4, {{"train.seed", "1"}}),
                                    run("one", 1, 0.5), run("none", 1, 0.5, {{"train.seed", "9"}})};
  const auto found = nlohmann::json::parse(of(runs).json());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["n"], 1.0);
  EXPECT_TRUE(found[0]["diff_all"].is_null());
  EXPECT_TRUE(found[0]["diff_all_low"].is_null());
  EXPECT_EQ(found[1]["n"], 0.0);
}

TEST(DifferenceTable, RefusesABaselineThatIsNotThereOrAlone) {
  EXPECT_THAT([&] { compare_runs(three_pairs(), "mixup"); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("'mixup'"), HasSubstr("ce; smcl"))));
  const std::vector<RecipeRun> alone{run("ce", 1, 0.4)};
  EXPECT_THAT([&] { of(alone); }, ThrowsMessage<UsageError>(HasSubstr("nothing to compare")));
  EXPECT_THAT([&] { difference_table(compare_runs(std::vector{run("x", 1, 0.4)}, "")); },
              ThrowsMessage<UsageError>(HasSubstr("no baseline")));
}

// Runs at ratio 10 are not held against cross-entropy at ratio 100.
TEST(DifferenceTable, EachConditionHasItsOwnBaseline) {
  std::vector<RecipeRun> runs = three_pairs();
  for (RecipeRun other : three_pairs()) {
    for (config::Resolved& setting : other.settings) {
      if (setting.key == "data.ratio") setting.value = "10.0";
    }
    other.path += "-ratio10";
    other.row.accuracy.all += 0.3;
    runs.push_back(other);
  }
  const auto found = nlohmann::json::parse(of(runs).json());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["condition"], "data.ratio = 100.0");
  EXPECT_EQ(found[1]["condition"], "data.ratio = 10.0");
  for (const auto& row : found) {
    EXPECT_EQ(row["n"], 3);
    EXPECT_NEAR(row["diff_all"].get<double>(), 0.2, 1e-12);
  }
}

// compare --by-recipe shows such a label, with the data in it, and takes it.
TEST(CompareRuns, ABaselineByItsLabelAmongAllRuns) {
  std::vector<RecipeRun> runs = three_pairs();
  runs.push_back(run("ce", 9, 0.4, {{"data.ratio", "10.0"}}));
  runs.push_back(run("smcl", 9, 0.5, {{"data.ratio", "10.0"}}));
  const auto found = compare_runs(runs, "smcl (data.ratio = 10.0)");
  ASSERT_EQ(found.size(), 2U);
  for (const Condition& each : found) {
    ASSERT_TRUE(each.baseline);
    EXPECT_EQ(each.groups[*each.baseline].group.label, "smcl");
  }
}

TEST(CompareRuns, DataMustBeTheSameNotOnlyTheirSettings) {
  std::vector<RecipeRun> runs = three_pairs();
  for (RecipeRun& each : runs) {
    each.data_hash =
        setting_of(each, "scenes.seed") == "0" ? "0123456789abcdef" : "of other scenes";
  }
  EXPECT_NO_THROW(compare_runs(runs, "ce"));
  runs[5].data_hash = "fedcba9876543210";
  EXPECT_THAT([&] { compare_runs(runs, "ce"); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("runs/ce-1 and runs/smcl-2"),
                                              HasSubstr("their data differ"),
                                              HasSubstr("0123456789ab... and fedcba987654"))));
  EXPECT_THAT([&] { group_by_recipe(runs); }, ThrowsMessage<UsageError>(HasSubstr("runs/smcl-2")));
}

TEST(DividesPrior, ByLossRuleOrSecondStage) {
  EXPECT_FALSE(divides_prior(run("ce", 1, 0.5)));
  EXPECT_TRUE(divides_prior(run("balanced", 1, 0.5, {{"loss.name", "\"logit_adjusted\""}})));
  EXPECT_TRUE(divides_prior(run("drw", 1, 0.5, {{"rule.name", "\"drw\""}})));
  EXPECT_TRUE(divides_prior(run("crt", 1, 0.5, {{"stage.name", "\"crt\""}})));
}

/// `recipe` over four seeds with these accuracies.
void add(std::vector<RecipeRun>& runs, const std::string& recipe, const std::vector<double>& all,
         const std::vector<Change>& changes = {}) {
  for (std::size_t seed = 0; seed < all.size(); ++seed) {
    std::vector<Change> of_seed = changes;
    of_seed.push_back({"train.seed", std::to_string(seed)});
    runs.push_back(run(recipe, static_cast<int>(seed) + 1, all[seed], of_seed));
  }
}

const GroupResult& group_of(const Condition& condition, const std::string& label) {
  for (const GroupResult& group : condition.groups) {
    if (group.group.label == label) return group;
  }
  throw InternalError(label);
}

const Against& all_of(const Condition& condition, const std::string& label) {
  return group_of(condition, label).against[place(Quantity::all)];
}

// Differences of `near`: 0.02, 0.04, 0.03, 0.05: t = 0.035 / (0.012910 / 2) = 5.422, p = 0.01231;
// scipy 1.17.1 ttest_1samp gives 0.012310... Alone it is decided; among five with p near 1 it is
// not: 5 * 0.0123 > 0.05.
TEST(CompareRuns, ADifferenceMustHoldAmongAllThatAreCompared) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.50, 0.52, 0.48, 0.50}, {{"method.name", "\"ce\""}});
  add(runs, "near", {0.52, 0.56, 0.51, 0.55}, {{"method.name", "\"smcl\""}});
  Condition alone = compare_runs(runs, "").front();
  EXPECT_NEAR(all_of(alone, "near").p_holm, 0.0123, 1e-4);
  EXPECT_EQ(all_of(alone, "near").verdict, Verdict::better);
  for (const char* name : {"a", "b", "c", "d"}) {
    add(runs, name, {0.51, 0.51, 0.49, 0.49}, {{"method.name", "\"smcl\""}});
  }
  Condition many = compare_runs(runs, "").front();
  EXPECT_NEAR(all_of(many, "near").p_holm, 5 * 0.0123, 5e-4);
  EXPECT_EQ(all_of(many, "near").verdict, Verdict::undecided);
  EXPECT_EQ(all_of(many, "ce").verdict, Verdict::none) << "the baseline itself";
}

TEST(CompareRuns, EqualDifferencesDecideNothing) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.5, 0.4, 0.3}, {{"method.name", "\"ce\""}});
  add(runs, "smcl", {0.6, 0.5, 0.4});
  const Against found = all_of(compare_runs(runs, "").front(), "smcl");
  EXPECT_NEAR(found.difference->mean, 0.1, 1e-12);
  EXPECT_EQ(found.verdict, Verdict::undecided);
}

// No class is of the few: thirds say how rare classes fare.
TEST(DifferenceTable, HasThirdsWhereAShotGroupIsEmpty) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.5, 0.4, 0.3}, {{"method.name", "\"ce\""}});
  add(runs, "smcl", {0.6, 0.5, 0.45});
  for (RecipeRun& run : runs) run.row.accuracy.tail = run.row.accuracy.all;
  const auto head_of = [&] {
    const std::string csv = difference_table(compare_runs(runs, "")).csv();
    return csv.substr(0, csv.find('\n'));
  };
  EXPECT_THAT(head_of(), HasSubstr("diff_tail"));
  for (RecipeRun& run : runs) run.row.accuracy.few = run.row.accuracy.all;
  EXPECT_THAT(head_of(), ::testing::Not(HasSubstr("diff_tail")));
}

// Two equal differences have no spread, which says nothing.
TEST(CompareRuns, TwoPairsAreTooFewToJudge) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.5, 0.4}, {{"method.name", "\"ce\""}});
  add(runs, "smcl", {0.6, 0.5});
  const Condition found = compare_runs(runs, "").front();
  EXPECT_NEAR(all_of(found, "smcl").difference->mean, 0.1, 1e-12);
  EXPECT_EQ(all_of(found, "smcl").verdict, Verdict::none);
  EXPECT_FALSE(p_holm_of(all_of(found, "smcl")).has_value());
}

TEST(CompareRuns, OfABiasGapLessIsBetter) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.5, 0.5, 0.5});
  add(runs, "smcl", {0.5, 0.5, 0.5});
  for (std::size_t i = 0; i < 6; ++i) {
    runs[i].row.bias_gap = (i < 3 ? 0.2 : 0.1) + 0.001 * static_cast<double>(i % 2);
  }
  const Condition found = compare_runs(runs, "ce").front();
  EXPECT_EQ(group_of(found, "smcl").against[place(Quantity::bias_gap)].verdict, Verdict::better);
  EXPECT_EQ(all_of(found, "smcl").verdict, Verdict::undecided) << "no difference at all";
  const Condition turned = compare_runs(runs, "smcl").front();
  EXPECT_EQ(group_of(turned, "ce").against[place(Quantity::bias_gap)].verdict, Verdict::worse);
}

TEST(CompareRuns, OtherDataAreAnotherCondition) {
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.5, 0.4}, {{"method.name", "\"ce\""}});
  add(runs, "smcl", {0.6, 0.5}, {{"method.name", "\"smcl\""}});
  add(runs, "ce", {0.3, 0.2}, {{"data.ratio", "256.0"}, {"method.name", "\"ce\""}});
  add(runs, "smcl", {0.35, 0.2}, {{"data.ratio", "256.0"}, {"method.name", "\"smcl\""}});
  const std::vector<Condition> found = compare_runs(runs, "");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].label, "data.ratio = 100.0");
  EXPECT_EQ(found[1].label, "data.ratio = 256.0");
  EXPECT_NEAR(all_of(found[0], "smcl").difference->mean, 0.1, 1e-12);
  EXPECT_NEAR(all_of(found[1], "smcl").difference->mean, 0.025, 1e-12);
}

// smcl gains 0.1, 0.2, 0.3 at ratio 100 and 0, 0.1, 0.1 at 256: 0.1, 0.1, 0.2 more, so that t is 4
// and, with two degrees of freedom, p = 1 - t / sqrt(t^2 + 2) = 0.0572; a seed that one of the four
// lacks does not count. cmo gains 0.2, 0.2 and 0.19 more: t = 59, p = 0.0003.
TEST(GainChanges, AreDifferencesOfDifferencesOverSeeds) {
  std::vector<RecipeRun> runs;
  const std::vector<Change> ce{{"method.name", "\"ce\""}};
  const std::vector<Change> cmo{{"method.name", "\"cmo\""}};
  const auto at_256 = [](std::vector<Change> changes) {
    changes.push_back({"data.ratio", "256.0"});
    return changes;
  };
  add(runs, "ce", {0.4, 0.4, 0.5, 0.9}, ce);
  add(runs, "smcl", {0.5, 0.6, 0.8}, {});
  add(runs, "cmo", {0.7, 0.7, 0.79}, cmo);
  add(runs, "ce", {0.3, 0.3, 0.4, 0.1}, at_256(ce));
  add(runs, "smcl", {0.3, 0.4, 0.5, 0.5}, at_256({}));
  add(runs, "cmo", {0.4, 0.4, 0.5}, at_256(cmo));
  add(runs, "mixup", {0.4, 0.4, 0.5}, at_256({{"method.name", "\"mixup\""}}));
  for (RecipeRun& run : runs) {  // the gap falls by 0.2 at ratio 100, by 0.05 at 256
    if (run.recipe == "ce") run.row.bias_gap = 0.3;
    if (run.recipe != "smcl") continue;
    run.row.bias_gap = setting_of(run, "data.ratio") == "256.0" ? 0.25 : 0.1;
    if (run.row.accuracy.all == 0.8) *run.row.bias_gap += 0.003;
  }
  const std::vector<Condition> conditions = compare_runs(runs, "");
  const std::vector<GainChange> found = gain_changes(conditions);
  ASSERT_EQ(found.size(), 2U) << "mixup is under one condition only";
  EXPECT_EQ(found[0].label, "smcl");
  EXPECT_EQ(found[0].here, 0U);
  EXPECT_EQ(found[0].there, 1U);
  EXPECT_EQ(found[0].pairs, 3);
  const Against& smcl = found[0].against[place(Quantity::all)];
  EXPECT_NEAR(smcl.difference->mean, 0.4 / 3.0, 1e-12);
  EXPECT_NEAR(smcl.difference->p, 0.0572, 1e-4);
  EXPECT_NEAR(smcl.p_holm, 0.0572, 1e-4) << "the second of two";
  EXPECT_EQ(smcl.verdict, Verdict::undecided);
  const Against& gap = found[0].against[place(Quantity::bias_gap)];
  EXPECT_NEAR(gap.difference->mean, -0.149, 1e-12);
  EXPECT_EQ(gap.verdict, Verdict::better) << "less is better";
  EXPECT_EQ(found[1].against[place(Quantity::all)].verdict, Verdict::better);
  EXPECT_FALSE(found[1].against[place(Quantity::bias_gap)].difference.has_value());
  EXPECT_TRUE(gain_changes(std::span(conditions).first(1)).empty());
}

// Labels say what differs within a condition only: "smcl" is mu = 0.9 at 256, and what 100 calls
// "smcl (contrast.mu = 0.9)".
TEST(GainChanges, AreOfOneMethodWhateverItsLabels) {
  const std::vector<Change> ce{{"method.name", "\"ce\""}};
  std::vector<RecipeRun> runs;
  add(runs, "ce", {0.4, 0.5}, ce);
  add(runs, "smcl", {0.5, 0.6}, {});
  add(runs, "ce", {0.4, 0.5}, {{"method.name", "\"ce\""}, {"data.ratio", "256.0"}});
  add(runs, "smcl", {0.5, 0.7}, {{"contrast.mu", "0.9"}, {"data.ratio", "256.0"}});
  EXPECT_TRUE(gain_changes(compare_runs(runs, "")).empty());
  add(runs, "smcl", {0.6, 0.6}, {{"contrast.mu", "0.9"}});
  const auto found = gain_changes(compare_runs(runs, ""));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, "smcl (contrast.mu = 0.9)");
  EXPECT_EQ(found[0].pairs, 2);
}

// As sweeps over settings of the data name their runs (docs/sweeps.md).
TEST(GainChanges, AreOfOneMethodWhateverItsName) {
  const std::vector<Change> ce{{"method.name", "\"ce\""}};
  const std::vector<Change> ce_256{{"method.name", "\"ce\""}, {"data.ratio", "256.0"}};
  std::vector<RecipeRun> runs;
  add(runs, "ce-ratio100", {0.4, 0.5, 0.5}, ce);
  add(runs, "smcl-ratio100", {0.5, 0.6, 0.7}, {});
  add(runs, "ce-ratio256", {0.4, 0.5, 0.5}, ce_256);
  add(runs, "smcl-ratio256", {0.5, 0.7, 0.6}, {{"data.ratio", "256.0"}});
  const auto found = gain_changes(compare_runs(runs, ""));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].label, "smcl-ratio100");
  EXPECT_EQ(found[0].pairs, 3);
  const std::vector<Condition> against_smcl = compare_runs(runs, "smcl-ratio256");
  ASSERT_EQ(against_smcl.size(), 2U);
  for (const Condition& each : against_smcl) EXPECT_EQ(each.baseline, 0U);
  EXPECT_EQ(gain_changes(against_smcl).size(), 1U);
  // Of two of the same settings it is the one of the same name, or none.
  add(runs, "again", {0.5, 0.7, 0.6}, {{"data.ratio", "256.0"}});
  EXPECT_TRUE(gain_changes(compare_runs(runs, "")).empty());
}

TEST(CompareRuns, OtherStagesAugmentationAndClassifiersAreNotPlain) {
  const std::vector<std::pair<std::string, std::string>> others{
      {"stage.name", "\"crt\""}, {"augment.policy", "\"cifar10\""},
      {"augment.cutout", "16"},  {"augment.resized_crop", "range(lo=0.2, hi=1)"},
      {"augment.colour", "0.8"}, {"augment.grey", "0.2"},
      {"augment.blur", "0.5"},   {"network.classifier", "\"cosine\""},
      {"plain.cutout", "0.5"},   {"loss.name", "\"logit_adjusted\""},
      {"rule.name", "\"drw\""},
  };
  std::vector<RecipeRun> plain;
  add(plain, "other", {0.5}, {{"method.name", "\"ce\""}});
  ASSERT_EQ(compare_runs(plain, "").front().baseline, 0U);
  for (const auto& [key, value] : others) {
    std::vector<RecipeRun> runs;
    add(runs, "other", {0.5}, {{"method.name", "\"ce\""}, {key, value}});
    EXPECT_FALSE(compare_runs(runs, "").front().baseline) << key;
  }
}

TEST(CompareRuns, TheBaselineIsPlainCrossEntropyAndComesFirst) {
  std::vector<RecipeRun> runs;
  add(runs, "drw", {0.5}, {{"method.name", "\"ce\""}, {"rule.name", "\"drw\""}});
  add(runs, "smcl", {0.5}, {{"method.name", "\"smcl\""}});
  EXPECT_FALSE(compare_runs(runs, "").front().baseline);
  add(runs, "mine", {0.5}, {{"method.name", "\"ce\""}});
  Condition found = compare_runs(runs, "").front();
  ASSERT_EQ(found.baseline, 0U);
  EXPECT_EQ(found.groups.front().group.label, "mine");
  EXPECT_EQ(found.groups[1].group.label, "drw");
  add(runs, "other", {0.5}, {{"method.name", "\"ce\""}, {"run.precision", "\"bf16\""}});
  EXPECT_FALSE(compare_runs(runs, "").front().baseline) << "two of them";
  add(runs, "scenes-ce", {0.5}, {{"method.name", "\"ce\""}, {"mask.prob", "0.3"}});
  found = compare_runs(runs, "").front();
  EXPECT_EQ(found.groups.front().group.label, "scenes-ce") << "by its name";
}

TEST(CompareRuns, ABaselineByRecipeMustBeOneGroup) {
  std::vector<RecipeRun> runs;
  add(runs, "smcl", {0.5});
  add(runs, "smcl", {0.5}, {{"mask.prob", "0.5"}});
  EXPECT_THAT([&] { compare_runs(runs, "smcl"); },
              ThrowsMessage<UsageError>(HasSubstr("stands for several groups")));
  EXPECT_TRUE(compare_runs(runs, "smcl (mask.prob = 0.5)").front().baseline);
  EXPECT_THAT([&] { compare_runs(runs, "x"); },
              ThrowsMessage<UsageError>(HasSubstr("no runs are of 'x'")));
}

}  // namespace
}  // namespace smcl::report
