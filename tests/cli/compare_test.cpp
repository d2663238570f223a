#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "core/error.h"

// Expected numbers are worked out by hand.
namespace smcl::cli {
namespace {

/// A finished run on two classes, many-shot and few-shot, with these accuracies.
std::string finished(const std::string& name, const std::string& recipe, double many, double few,
                     const std::string& config) {
  const auto accuracy = [](double a, double b) {
    return nlohmann::json{{"all", (a + b) / 2}, {"balanced", (a + b) / 2},
                          {"many", a},          {"medium", nullptr},
                          {"few", b},           {"head", a},
                          {"middle", nullptr},  {"tail", b},
                          {"per_class", {a, b}}};
  };
  const nlohmann::json summary{
      {"format_version", 1},
      {"run", name},
      {"recipe", recipe},
      {"train_counts", {500, 5}},
      {"class_names", {"a", "b"}},
      {"groups", {{"many_above", 100}, {"few_below", 20}}},
      {"last",
       {{"accuracy", accuracy(many, few)}, {"prior_corrected", accuracy(many - 0.25, few + 0.25)}}},
      {"bias", {{"gap", {{"medium_few", 0.125}}}}}};
  return stored_run(name, summary.dump(), config).string();
}

std::string seed(int number) {
  return concat("[run]\nprecision = \"fp32\"\n[train]\nseed = ", number, "\n");
}

const std::string kHalf = "[mask]\nprob = 0.5\n";

TEST(Compare, ShowsTheGapOfWhatWasPredictedAndNoneAfterCorrection) {
  const std::string run = finished("ce-1", "ce", 0.5, 0.25, seed(0));
  const Result plain = smcl({"compare", run});
  EXPECT_NE(plain.out.find("bias gap"), std::string::npos) << plain.out;
  const Result corrected = smcl({"compare", run, "--prior-corrected"});
  EXPECT_EQ(corrected.code, 0) << corrected.err;
  EXPECT_EQ(corrected.out.find("bias gap"), std::string::npos) << corrected.out;
  EXPECT_NE(corrected.out.find("after prior correction"), std::string::npos);
  const auto row =
      nlohmann::json::parse(smcl({"compare", run, "--prior-corrected", "--format", "json"}).out)[0];
  EXPECT_EQ(row.at("few"), 0.5);
  EXPECT_TRUE(row.at("bias_gap").is_null());
}

TEST(Compare, OtherSettingsOfARecipeAreAnotherRow) {
  const Result result =
      smcl({"compare", "--by-recipe", finished("smcl-1", "smcl", 0.5, 0.25, seed(0)),
            finished("smcl-2", "smcl", 0.75, 0.25, seed(1)),
            finished("smcl-3", "smcl", 0.5, 0.5, seed(0) + kHalf)});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("\nsmcl (mask.prob = 0.2)     2  "), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\nsmcl (mask.prob = 0.5)     1  "), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("deviation over 2 values of train.seed\n"), std::string::npos)
      << result.out;
}

TEST(Compare, TheSameRunTwiceEndsWithTwo) {
  const std::string first = finished("ce-1", "ce", 0.5, 0.25, seed(0));
  const std::string second = finished("ce-2", "ce", 0.5, 0.25, seed(0) + "[data]\ndir = \"\"\n");
  const Result result = smcl({"compare", "--by-recipe", first, second});
  expect_one_line(result, 2, first + " and " + second);
  EXPECT_EQ(result.out, "");
}

TEST(Compare, DifferencesOverPairs) {
  // all: ce 0.375, 0.375; smcl 0.5, 0.625: differences 0.125 and 0.25.
  const std::vector<std::string> words{"compare",
                                       "--by-recipe",
                                       "--baseline",
                                       "ce",
                                       finished("ce-1", "ce", 0.5, 0.25, seed(0)),
                                       finished("ce-2", "ce", 0.5, 0.25, seed(1)),
                                       finished("smcl-1", "smcl", 0.75, 0.25, seed(0)),
                                       finished("smcl-2", "smcl", 0.75, 0.5, seed(1))};
  const Result text = smcl(words);
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("over 2 values of train.seed\n\nmethod  pairs  "), std::string::npos)
      << text.out;
  EXPECT_NE(
      text.out.find("\npoints above ce on the same data, over pairs of runs with equal seeds"),
      std::string::npos);
  std::vector<std::string> as_json = words;
  as_json.insert(as_json.end(), {"--format", "json"});
  const auto rows = nlohmann::json::parse(smcl(as_json).out);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("method"), "smcl");
  EXPECT_EQ(rows[0].at("n"), 2.0);
  EXPECT_EQ(rows[0].at("diff_all"), 0.1875);
  EXPECT_EQ(rows[0].at("diff_medium_few"), 0.125);  // the few-shot class alone: 0 and 0.25
  // Half width for two: t(1) * |difference of the two| / 2, and t(1) = 12.706.
  EXPECT_NEAR(rows[0].at("diff_all_high").get<double>(), 0.1875 + 12.706 * 0.0625, 1e-4);
  EXPECT_EQ(rows[0].at("diff_bias_gap"), 0.0);
}

TEST(Compare, ABaselineThatCannotServeEndsWithTwo) {
  const std::string run = finished("ce-1", "ce", 0.5, 0.25, seed(0));
  const std::string other = finished("smcl-1", "smcl", 0.5, 0.25, seed(0));
  expect_one_line(smcl({"compare", run, other, "--baseline", "ce"}), 2, "--by-recipe");
  expect_one_line(smcl({"compare", "--by-recipe", run, other, "--baseline", "x"}), 2,
                  "no runs are of 'x'; there are: ce; smcl");
  expect_one_line(smcl({"compare", "--by-recipe", run, "--baseline", "ce"}), 2,
                  "nothing to compare");
}

TEST(Compare, TakesAFolderOfRuns) {
  const std::filesystem::path root = fresh_folder("of-runs");
  for (const std::string name : {"a-1", "a-2"}) {
    std::filesystem::rename(finished(name, "a", 0.5, 0.25, seed(name == "a-1" ? 0 : 1)),
                            root / name);
  }
  std::filesystem::create_directories(root / "b-1");
  std::ofstream(root / "b-1" / "config.toml") << seed(0);
  const Result result = smcl({"compare", root.string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("\na-1"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("\na-2"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("b-1: not finished"), std::string::npos) << result.err;
  expect_one_line(smcl({"compare", (root / "b-1").string()}), 65, "not finished");
}

TEST(Compare, WarnsOfOtherData) {
  const auto on = [](const std::string& name, const std::string& hash) {
    const std::string run = finished(name, "a", 0.5, 0.25, seed(0));
    auto summary = nlohmann::json::parse(std::ifstream(run + "/summary.json"));
    if (!hash.empty()) summary["data_hash"] = hash;
    std::ofstream(run + "/summary.json") << summary.dump();
    return run;
  };
  const std::string run = on("data-1", "aa");
  EXPECT_EQ(smcl({"compare", run, on("data-2", "aa"), on("data-3", "")}).err, "");
  EXPECT_NE(smcl({"compare", run, on("data-4", "bb")}).err.find("data-4 was trained on other data"),
            std::string::npos);
}

TEST(Compare, HelpShowsTheOptions) {
  const std::string help = smcl({"compare", "--help"}).out;
  EXPECT_NE(help.find("smcl compare --by-recipe --baseline scenes-ce"), std::string::npos) << help;
}

}  // namespace
}  // namespace smcl::cli
