#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "cli/program.h"
#include "core/error.h"
#include "format/file.h"
#include "image/png.h"
#include "report/run_folders.h"

// Expected numbers are worked out by hand.
namespace smcl::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// Three seeds of ce and of smcl, which is 0.1 better, in a folder; returns it.
fs::path runs_of_two_methods(const std::string& name) {
  const fs::path root = fresh_folder(name);
  for (int seed = 0; seed < 3; ++seed) {
    for (const std::string method : {"ce", "smcl"}) {
      report::FakeRun run;
      run.recipe = "scenes-" + method;
      run.config = concat("[method]\nname = \"", method, "\"\n[train]\nseed = ", seed,
                          "\n[run]\nprecision = \"fp32\"\n");
      for (double& value : run.per_class) {
        value += 0.001 * seed * seed + (method == "ce" ? 0.0 : 0.1 - 0.001 * seed);
      }
      report::fake_run(root, run);
    }
  }
  return root;
}

TEST(Report, OfAFolderOfRunsInEveryFormat) {
  const fs::path root = runs_of_two_methods("report");
  const auto file = [&](const char* name) { return (root / name).string(); };
  const Result result =
      smcl({"report", root.string(), "--no-pictures", "-o", file("r.html"), "-o", file("r.md"),
            "-o", file("r.tex"), "-o", file("r.csv"), "-o", file("r.json")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Balanced accuracy against scenes-ce: better: scenes-smcl.\n"));
  EXPECT_THAT(result.out, HasSubstr("+9.9 points"));
  EXPECT_THAT(format::read_text(file("r.html")), HasSubstr("<title>report</title>"));
  EXPECT_THAT(format::read_text(file("r.html")), HasSubstr("smcl train "));
  EXPECT_THAT(format::read_text(file("r.md")), HasSubstr("scenes-smcl"));
  EXPECT_THAT(format::read_text(file("r.tex")), HasSubstr("\\toprule"));
  EXPECT_THAT(format::read_text(file("r.csv")), HasSubstr("verdict_balanced"));
  EXPECT_EQ(nlohmann::json::parse(format::read_text(file("r.json"))).size(), 2U);
}

TEST(Report, UnfinishedRunsAreLeftOutAndNamed) {
  const fs::path root = runs_of_two_methods("unfinished");
  fs::remove(root / "scenes-smcl-3" / "summary.json");
  const Result result = smcl({"report", root.string(), "--no-pictures", "--title", "My page", "-o",
                              (root / "r.html").string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("scenes-smcl-3: not finished"));
  EXPECT_THAT(format::read_text(root / "r.html"), HasSubstr("scenes-smcl-3: not finished"));
  EXPECT_THAT(format::read_text(root / "r.html"), HasSubstr("<h1>My page</h1>"));
}

TEST(Report, ARunNamedTwiceCountsOnce) {
  const fs::path root = runs_of_two_methods("twice");
  const std::string run = (root / "scenes-ce-1").string();
  const Result result = smcl(
      {"report", run, run + "/../scenes-ce-1", "--no-pictures", "-o", (root / "r.json").string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("over one run"));
}

TEST(Report, BestOnTestIsCalledSo) {
  const fs::path root = runs_of_two_methods("best");
  const Result result = smcl({"report", root.string(), "--best-on-test", "--no-pictures", "-o",
                              (root / "r.html").string()});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("chosen by the test set: no fair estimate"));
  EXPECT_THAT(format::read_text(root / "r.html"), HasSubstr("--best-on-test"));
}

/// An analysis of `run` with one picture, of a file below the run's folder.
void write_analysis(const fs::path& run, const std::string& file) {
  const fs::path weights = record::RunFolder::open(run).weights_file("last");
  const nlohmann::json text{
      {"format_version", 1},
      {"settings_hash", ""},
      {"settings", {{"weights_sha256", format::sha256_of_file(weights)}}},
      {"measures", nlohmann::json::array()},
      {"pictures", {{{"file", file}, {"title", "Nearest"}, {"caption", "c"}}}}};
  format::write_file_atomic(run / "analysis.json", text.dump());
}

TEST(Report, PicturesOfBackgroundsAreOnlyTakenFromTheRunFolder) {
  const fs::path root = runs_of_two_methods("pictures");
  const Image picture(2, 2, 3);
  write_png(root / "scenes-ce-1" / "analysis" / "a.png", picture.view());
  const fs::path weights = record::RunFolder::open(root / "scenes-ce-1").weights_file("last");
  format::write_file_atomic(weights, "weights");
  const auto analysis = [&](const std::string& file) {
    write_analysis(root / "scenes-ce-1", file);
    return smcl({"report", (root / "scenes-ce-1").string(), "-o", (root / "r.html").string()});
  };
  EXPECT_EQ(analysis("analysis/a.png").code, 0);
  EXPECT_THAT(format::read_text(root / "r.html"), HasSubstr("scenes-ce-1: Nearest"));
  format::write_file_atomic(weights, "of a longer run");
  const Result stale =
      smcl({"report", (root / "scenes-ce-1").string(), "-o", (root / "r.html").string()});
  EXPECT_EQ(stale.code, 0);
  EXPECT_THAT(stale.err, HasSubstr("its analysis is not of the last weights"));
  EXPECT_THAT(format::read_text(root / "r.html"), Not(HasSubstr("scenes-ce-1: Nearest")));
  fs::create_symlink(root / "secret.png", root / "scenes-ce-1" / "link.png");
  write_png(root / "secret.png", picture.view());
  for (const char* file : {"../../secret.png", "/etc/hostname", "link.png", "config.toml"}) {
    const Result left_out = analysis(file);
    EXPECT_EQ(left_out.code, 0) << "the rest of the page is sound";
    EXPECT_THAT(left_out.err, HasSubstr("left out: "));
    EXPECT_THAT(left_out.err, HasSubstr(file));
    EXPECT_THAT(format::read_text(root / "r.html"), Not(HasSubstr("scenes-ce-1: Nearest")));
  }
}

TEST(Report, SaysWhichFilesItMisses) {
  const fs::path root = runs_of_two_methods("missing");
  fs::remove_all(root / "scenes-ce-2" / "predictions");
  fs::remove(root / "scenes-smcl-1" / "metrics.jsonl");
  const std::string page = (root / "r.html").string();
  const Result result = smcl({"report", root.string(), "--no-pictures", "-o", page});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const char* part : {"scenes-ce-2: test.safetensors is missing, and so are errors",
                           "scenes-smcl-1: no metrics.jsonl, and so no curves"}) {
    EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_THAT(format::read_text(page), HasSubstr(part));
  }
}

// A sweep's file that changed since some of its runs: they are told, and how to repeat them too.
TEST(Report, RunsOfAnEarlierFormOfTheirSweepAreTold) {
  const fs::path root = runs_of_two_methods("former");
  std::ofstream(root / "ce.toml") << "method.name = 'ce'\nrun.precision = 'fp32'\n";
  std::ofstream(root / "sweep.toml") << "recipes = ['ce.toml']\nseeds = [0, 1]\n";
  const std::string page = (root / "r.html").string();
  const std::vector<std::string> words{
      "report",  root.string(), "--no-pictures", "-o", page, "-o", (root / "r.csv").string(),
      "--title", "a b"};
  const Result result = smcl(words);
  EXPECT_THAT(result.err, HasSubstr("4 of 6 runs are of an earlier form of their sweep.toml"));
  const std::string text = format::read_text(page);
  EXPECT_THAT(text, HasSubstr("smcl sweep " + (root / "sweep.toml").string()));
  EXPECT_THAT(text, HasSubstr("scenes-ce-3/config.toml\n"));
  EXPECT_THAT(text, HasSubstr("scenes-smcl-1/config.toml   # and 2 more, other seeds"));
  EXPECT_THAT(text, HasSubstr(concat(" --title &#39;a b&#39; --no-pictures -o ", page, " -o ")));
  std::ofstream(root / "smcl.toml") << "method.name = 'smcl'\nrun.precision = 'bf16'\n";
  std::ofstream(root / "sweep.toml") << "recipes = ['ce.toml', 'smcl.toml']\nseeds = [0, 1, 2]\n";
  EXPECT_THAT(smcl(words).err, Not(HasSubstr("earlier form"))) << "another machine's precision";
}

TEST(Compare, RunsOfOneNameAreCalledByTheirPaths) {
  const fs::path one = runs_of_two_methods("names-a");
  const fs::path other = runs_of_two_methods("names-b");
  const Result same = smcl({"compare", (one / "scenes-ce-1").string(),
                            (other / "scenes-ce-1").string(), "--format", "csv"});
  EXPECT_THAT(same.out, HasSubstr("\n" + (one / "scenes-ce-1").string() + ","));
  EXPECT_THAT(same.out, HasSubstr("\n" + (other / "scenes-ce-1").string() + ","));
  const Result apart = smcl({"compare", (one / "scenes-ce-1").string(),
                             (other / "scenes-ce-2").string(), "--format", "csv"});
  EXPECT_THAT(apart.out, HasSubstr("\nscenes-ce-1,"));
}

TEST(Report, WhatCannotBeDoneIsOneLine) {
  const fs::path root = runs_of_two_methods("errors");
  const std::string run = (root / "scenes-ce-1").string();
  expect_one_line(smcl({"report", (root / "none").string()}), 74, "no such folder");
  expect_one_line(smcl({"report", fresh_folder("empty").string()}), 2, "no run folder in it");
  expect_one_line(smcl({"report", run, "-o", "r.pdf"}), 2, "ends in .html, .md, .tex, .csv");
  expect_one_line(
      smcl({"report", run, "--baseline", "x", "--no-pictures", "-o", (root / "r.html").string()}),
      2, "no runs are of 'x'; there are: scenes-ce");
  fs::remove(root / "scenes-ce-1" / "summary.json");
  expect_one_line(smcl({"report", run, "-o", (root / "r.html").string()}), 2,
                  "no finished run to report on");
  expect_one_line(
      smcl({"report", (root / "scenes-ce-2").string(), "--no-pictures", "-o", "/proc/none/r.html"}),
      74, "/proc/none");
}

// Headless Chromium, as a phone and as a desktop, light and dark.
TEST(ReportPageSlow, InABrowser) {
  const fs::path root = runs_of_two_methods("browser");
  report::FakeRun hostile;
  hostile.recipe = "hostile";
  hostile.config = "[method]\nname = \"mixup\"\n[run]\nprecision = \"fp32\"\n";
  hostile.warnings = {"<script>document.title='x'</script><img src=http://127.0.0.1:1/x>"};
  hostile.class_names = {"<b>", "a-class-with-a-name-that-is-longer-than-a-phone-is-broad", "\"'"};
  report::fake_run(root, hostile);
  for (const char* prob : {"0.5", "1.0"}) {
    report::FakeRun other;
    other.recipe = concat("scenes-smcl-prob", prob);
    other.config = concat("[method]\nname = \"smcl\"\n[train]\nseed = 0\n[mask]\nprob = ", prob,
                          "\n[run]\nprecision = \"fp32\"\n");
    report::fake_run(root, other);
  }
  write_png(root / "scenes-ce-1" / "analysis" / "a.png", Image(8, 8, 3).view());
  format::write_file_atomic(record::RunFolder::open(root / "scenes-ce-1").weights_file("last"),
                            "weights");
  write_analysis(root / "scenes-ce-1", "analysis/a.png");
  const fs::path page = root / "r.html";
  ASSERT_EQ(smcl({"report", root.string(), "-o", page.string()}).code, 0);
  const std::string script = std::string(SMCL_SOURCE_DIR) + "/tests/python/page_check.py";
  const std::string command = concat(
      "/usr/bin/python3 '", script, "' '", page.string(),
      "' --pictures 1 --text 'Balanced accuracy against scenes-ce: better: scenes-smcl' --text "
      "'<script>' --text 'Sensitivity to settings'");
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
    GTEST_SKIP() << "chromium-headless-shell is not installed";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace smcl::cli
