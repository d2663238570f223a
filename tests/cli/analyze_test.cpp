#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"

namespace smcl::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

const std::string kRecipes = std::string(SMCL_SOURCE_DIR) + "/recipes/";

TEST(Analyze, RefusesInOneLine) {
  expect_one_line(smcl({"analyze", "no-such-run"}), 74, "no-such-run");
  const auto run = stored_run("analyze", "{}");
  expect_one_line(smcl({"analyze", run.string(), "--weights", "best_on_test"}), 2,
                  "has last, best_on_val");
  std::filesystem::remove(run / "checkpoints" / "last.safetensors");
  std::filesystem::remove(run / "checkpoints" / "best_on_val.safetensors");
  expect_one_line(smcl({"analyze", run.string()}), 2, "has no weights");
  const auto other = stored_run("analyze-set", "{}");
  expect_one_line(smcl({"analyze", other.string(), "--set", "train.epochs=3"}), 2,
                  "analyze changes only mask.kind");
  EXPECT_EQ(smcl({"analyze", other.string(), "--spread", "odd"}).code, 2);
  EXPECT_EQ(smcl({"analyze", other.string(), "--images", "0"}).code, 2);
  expect_one_line(smcl({"analyze", other.string(), "--gallery", "10"}), 2,
                  "--gallery 10 is too small for the 10 neighbours of -k: expected at least 11");
}

TEST(AnalyzeSlow, ShowsRunsSideBySide) {
  const auto root = fresh_folder("analyze-runs");
  const Result trained =
      smcl({"train", kRecipes + "quickstart/ce.toml", kRecipes + "quickstart/smcl.toml", "--runs",
            root.string(), "--set", "data.n_max=20", "--set", "data.ratio=10", "--set",
            "scenes.test_objects=1", "--set", "scenes.val_objects=1", "--set", "network.width=0.25",
            "--set", "train.epochs=2", "--set", "train.batch_size=16"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string ce = (root / "quickstart-ce-1").string();
  const std::string smcl_run = (root / "quickstart-smcl-1").string();
  const Words words{"analyze", ce, smcl_run, "--images", "40", "--resamples", "20"};
  const Result text = smcl(words);
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("quickstart-ce-1"));
  EXPECT_THAT(text.out, HasSubstr("in the image's class, masked"));
  EXPECT_THAT(text.out, HasSubstr("mask.kind = saliency"));
  EXPECT_THAT(text.err, HasSubstr("analysis.json: written"));
  EXPECT_THAT(text.err, Not(HasSubstr("masked in another way")));

  Words again = words;
  again.insert(again.end(), {"--format", "json", "--only", "bias."});
  const Result rows = smcl(again);
  EXPECT_THAT(rows.err, HasSubstr("nothing was computed"));
  again.back() = "nothing.";
  const Result none = smcl(again);
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("no measure has a key that begins so"));
  std::size_t of_ce = 0;
  const auto all = nlohmann::json::parse(rows.out);
  for (const auto& row : all) {
    EXPECT_EQ(row.at("key").get<std::string>().rfind("bias.", 0), 0U);
    of_ce += row.at("run") == "quickstart-ce-1" ? 1 : 0;
  }
  EXPECT_EQ(all.size(), 2 * of_ce);
  EXPECT_GT(of_ce, 10U);

  // Analyses of other masks are told apart.
  EXPECT_EQ(smcl({"analyze", ce, "--set", "mask.kind=random", "--images", "40"}).code, 0);
  expect_one_line(smcl({"analyze", ce, "-k", "5000"}), 2, "k = 5000");
  const auto kind_of = [](const std::string& run) {
    const auto stored = nlohmann::json::parse(std::ifstream(run + "/analysis.json"));
    return stored.at("settings").at("masks").at("mask.kind").get<std::string>();
  };
  EXPECT_EQ(kind_of(ce), "random");
  EXPECT_EQ(kind_of(smcl_run), "saliency");
}

TEST(AnalyzeSlow, WarnsOfOtherMasksAndOtherData) {
  const auto root = fresh_folder("analyze-other");
  for (const Words& other : std::vector<Words>{{"--set", "run.name=a"},
                                               {"--set", "run.name=b", "--set", "mask.kind=random"},
                                               {"--set", "run.name=c", "--set", "scenes.seed=1"}}) {
    Words words{"train",  kRecipes + "quickstart/smcl.toml",
                "--runs", root.string(),
                "--set",  "data.n_max=20",
                "--set",  "data.ratio=10",
                "--set",  "scenes.test_objects=1",
                "--set",  "scenes.val_objects=1",
                "--set",  "network.width=0.25",
                "--set",  "train.epochs=1",
                "--set",  "train.batch_size=16"};
    words.insert(words.end(), other.begin(), other.end());
    ASSERT_EQ(smcl(words).code, 0);
  }
  const auto told = [&](const std::string& other) {
    return smcl({"analyze", (root / "a-1").string(), (root / other).string(), "--images", "40",
                 "--resamples", "0"})
        .err;
  };
  EXPECT_THAT(told("b-1"), HasSubstr("b-1 is masked in another way than a-1"));
  EXPECT_THAT(told("b-1"), Not(HasSubstr("other data")));
  EXPECT_THAT(told("c-1"), HasSubstr("c-1 was trained on other data than "));
  EXPECT_THAT(told("c-1"), Not(HasSubstr("another way")));
}

}  // namespace
}  // namespace smcl::cli
