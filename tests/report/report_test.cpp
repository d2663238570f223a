#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "format/scratch.h"
#include "report/plot.h"
#include "report/run_folders.h"
#include "report/some_runs.h"

namespace smcl::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Whether every element is closed in its order: a tag list is enough for what the page holds.
bool well_formed(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = page.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag.ends_with('/') || tag.starts_with('!') || name == "meta" || name == "link" ||
        name == "img") {
      continue;
    }
    if (!tag.starts_with('/')) {
      open.push_back(name);
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

class ReportTest : public ScratchFolder {
 protected:
  /// Runs of ce and of `other`, which is 0.1 better in each class, over three seeds.
  /// `same`: with ce's settings.
  Report make(const std::string& other, bool same = false) {
    std::vector<RunData> runs;
    for (int seed = 0; seed < 3; ++seed) {
      for (const std::string& recipe : {std::string("ce"), other}) {
        FakeRun fake;
        const double shift =
            (recipe == "ce" ? 0.0 : 0.1) + 0.01 * seed * (recipe == "ce" ? 1 : 1.1);
        for (double& value : fake.per_class) value += shift - 0.05;
        fake.warnings = {"tail fell <badly>"};
        RunData data = read_run_data(fake_run(folder(), fake), Which::last);
        data.run.recipe = recipe;
        data.run.settings = run(recipe, 1, 0.5,
                                {{"train.seed", std::to_string(seed)},
                                 {"method.name", recipe == "ce" || same ? "\"ce\"" : "\"smcl\""}})
                                .settings;
        runs.push_back(std::move(data));
      }
    }
    Report report = make_report(std::move(runs), "", Which::last);
    report.title = "A <title>";
    report.reproduce = {"smcl report 'a & b'"};
    report.left_out = {"runs/x-1: not finished"};
    return report;
  }
};

// Differences 0.1, 0.101, 0.102: mean 0.101, deviation 0.001, half width 4.303 * 0.001 / sqrt(3) =
// 0.0025.
TEST_F(ReportTest, SaysInWordsWhatIsBetterAndHowSure) {
  const std::string text = text_of(make("smcl"));
  EXPECT_THAT(text, HasSubstr("Balanced accuracy against ce: better: smcl.\n"));
  EXPECT_THAT(text, HasSubstr("+10.1 points (95 % interval +9.9 to +10.3, 3 pairs, p < 0.001"));
  EXPECT_THAT(text, HasSubstr("Balanced accuracy after prior correction against ce: not decided: "
                              "smcl.\n"));
  EXPECT_THAT(text, HasSubstr("last epoch, test set; mean and standard deviation over 3 values of "
                              "train.seed"));
}

TEST_F(ReportTest, SaysWhatIsOneExperimentUnderTwoNames) {
  const Report report = make("ce-again", true);
  EXPECT_THAT(text_of(report), HasSubstr("ce and ce-again are one experiment under two names ("));
  EXPECT_THAT(text_of(report), Not(HasSubstr("Holm's correction"))) << "one is the baseline";
  EXPECT_THAT(text_of(make("smcl")), Not(HasSubstr("one experiment under")));
}

TEST_F(ReportTest, KnowsTheDataOfARun) {
  EXPECT_EQ(read_run_data(fake_run(folder(), {}), Which::last).run.data_hash, "of-the-data");
}

TEST_F(ReportTest, SaysWherePriorCorrectionCorrectsTwice) {
  std::vector<RunData> runs = make("drw").runs;
  EXPECT_THAT(text_of(make("drw")), Not(HasSubstr("corrects twice")));
  for (RunData& data : runs) {
    for (config::Resolved& setting : data.run.settings) {
      if (setting.key == "rule.name" && data.run.recipe == "drw") setting.value = "\"drw\"";
    }
  }
  EXPECT_THAT(text_of(make_report(std::move(runs), "", Which::last)),
              HasSubstr("Training itself divides the prior out under drw: "));
}

// Three pairs, of which one lacks a value: not a matter of too few.
TEST_F(ReportTest, SaysWhatIsNotKnownOfAllRuns) {
  std::vector<RunData> runs = make("a").runs;
  for (RunData& other : make("b").runs) {
    if (other.run.recipe == "b") runs.push_back(std::move(other));
  }
  for (RunData& data : runs) {
    data.run.medium_few = data.run.row.accuracy.balanced;
    if (data.run.recipe == "a") data.run.medium_few.reset();
  }
  EXPECT_THAT(text_of(make_report(std::move(runs), "ce", Which::last)),
              HasSubstr("Medium and few classes against ce: better: b; not known of all runs: a."));
}

// A gap in points of accuracy falls with it.
TEST_F(ReportTest, SaysWhereAccuracyAloneMovesTheGap) {
  std::vector<RunData> runs = make("smcl").runs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const double less =
        (runs[i].run.recipe == "smcl" ? 0.1 : 0.0) + 0.001 * static_cast<double>(i * i);
    runs[i].run.medium_few = 0.4 - less;
    runs[i].run.row.bias_gap = 0.2 - less;
  }
  EXPECT_THAT(text_of(make_report(runs, "", Which::last)),
              HasSubstr("Accuracy on medium and few classes fell too under smcl: that alone makes "
                        "the bias gap smaller"));
  for (RunData& data : runs) data.run.medium_few = 0.6 - *data.run.medium_few;
  EXPECT_THAT(text_of(make_report(runs, "", Which::last)), Not(HasSubstr("that alone")));
}

TEST_F(ReportTest, ThePageIsWholeAndAsksForNothing) {
  const Report report = make("smcl");
  const std::string page = html_page(report);
  EXPECT_TRUE(well_formed(page));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* outside : {"<script", "http://", "https://", "@import", "url(", "onload="}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  for (const char* part :
       {"How to repeat it", "Curves", "Classes by training images", "Errors and calibration",
        "Signs of failure", "Left out", "All 6 runs", "0123456789ab"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_TRUE(page == html_page(report)) << "the same runs, the same page";
}

// Both methods gain the same at both ratios.
TEST_F(ReportTest, GainsUnderTwoConditions) {
  std::vector<RunData> runs = make("smcl").runs;
  EXPECT_THAT(html_page(make("smcl")), Not(HasSubstr("from one condition to another")));
  for (RunData other : make("smcl").runs) {
    for (config::Resolved& setting : other.run.settings) {
      if (setting.key == "data.ratio") setting.value = "256.0";
    }
    runs.push_back(std::move(other));
  }
  const Report report = make_report(std::move(runs), "", Which::last);
  const std::string said =
      "Balanced accuracy, gain over ce under data.ratio = 100.0 against that under data.ratio = "
      "256.0: not decided: smcl.";
  const std::string page = html_page(report);
  EXPECT_TRUE(well_formed(page));
  EXPECT_THAT(page, HasSubstr("Gains from one condition to another"));
  EXPECT_THAT(page, HasSubstr(said));
  EXPECT_THAT(text_of(report), HasSubstr(said + "\n"));
  EXPECT_THAT(markdown_page(report), HasSubstr("Gain over ce under data.ratio = 100.0 minus that"));
  EXPECT_THAT(markdown_page(report), HasSubstr("0.0 \u00b1 0.0 (0.0)"));
}

TEST_F(ReportTest, NamesFromFilesAreText) {
  const std::string page = html_page(make("<img src=x onerror=y>\"'"));
  EXPECT_TRUE(well_formed(page));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=y&gt;"));
  EXPECT_THAT(page, HasSubstr("tail fell &lt;badly&gt;"));
  EXPECT_THAT(page, HasSubstr("A &lt;title&gt;"));
}

TEST_F(ReportTest, MeasuresAndPicturesOfBackgrounds) {
  Report report = make("smcl");
  for (RunData& each : report.runs) {
    const bool ce = each.run.recipe == "ce";
    each.analysis.emplace();
    each.analysis->measures = {
        {"a",
         "neighbours of <few>",
         "Neighbours",
         record::Unit::share,
         ce ? 0.25 : 0.5,
         {},
         {},
         0.125},
        {"b", "similarity", "Neighbours", record::Unit::cosine, -0.5, {}, {}, ce ? 0.82 : 0.55}};
  }
  EXPECT_THAT(html_page(report), Not(HasSubstr("analysed alike")));
  report.runs.back().analysis->settings = {{"k", 20}, {"masks", {{"mask.kind", "<b>"}}}};
  report.runs.front().analysis->settings = {{"k", 10}, {"weights_sha256", "x"}};
  report.backgrounds = {{"Picture <1>", "caption", {1, 2, 3}}};
  const std::string page = html_page(report);
  EXPECT_TRUE(well_formed(page));
  EXPECT_THAT(page, HasSubstr("Not all runs were analysed alike: k = 10, 20."));
  EXPECT_THAT(page, HasSubstr("<details open><summary>Neighbours</summary>"));
  EXPECT_THAT(page, HasSubstr("neighbours of &lt;few&gt;"));
  EXPECT_THAT(page, HasSubstr(">25.0 \u00b1 0.0<"));
  EXPECT_THAT(page, HasSubstr(">12.5<"));
  EXPECT_THAT(page, HasSubstr(">-0.500 \u00b1 0.000 (chance 0.820)<"));
  EXPECT_THAT(page, HasSubstr(">-0.500 \u00b1 0.000 (chance 0.550)<"));
  EXPECT_THAT(page, HasSubstr("data:image/png;base64,AQID"));
}

TEST_F(ReportTest, TablesInEveryLanguage) {
  const Report report = make("smcl");
  EXPECT_THAT(markdown_page(report), HasSubstr("\n| **ce** | **3** |"));
  EXPECT_THAT(markdown_page(report), HasSubstr("10.1 \u00b1 0.1 (0.2)"));
  const std::string latex = latex_page(report);
  EXPECT_THAT(latex, HasSubstr("smcl & 3 & 10.1 $\\pm$ 0.1 (0.2)"));
  EXPECT_THAT(latex, HasSubstr("\\bottomrule"));
  const auto rows = nlohmann::json::parse(whole_table(report).json());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NEAR(rows[1]["diff_balanced"].get<double>(), 0.101, 1e-9);
  EXPECT_EQ(rows[1]["verdict_balanced"], "better");
  EXPECT_TRUE(rows[0]["diff_balanced"].is_null());
  EXPECT_NEAR(rows[0]["few"].get<double>(), 0.26, 1e-9);  // 0.25, 0.26, 0.27
}

TEST(Report, NeedsARun) {
  EXPECT_THROW(make_report({}, "", Which::last), UsageError);
}

TEST(Plot, ExtentsAreRoundAndHoldTheValues) {
  const Extent extent = extent_of({0.231, 0.678});
  EXPECT_NEAR(extent.low, 0.2, 1e-12);
  EXPECT_NEAR(extent.high, 0.7, 1e-12);
  EXPECT_EQ(extent_of({}).high, 1.0);
  EXPECT_EQ(extent_of({NAN, INFINITY}).low, 0.0);
  const Extent flat = extent_of({5.0, 5.0});
  EXPECT_LE(flat.low, 5.0);
  EXPECT_GT(flat.high, flat.low);
}

TEST(Plot, IsWellFormedWithoutValuesAndWithValuesThatAreNotFinite) {
  EXPECT_TRUE(well_formed(line_plot({})));
  EXPECT_TRUE(well_formed(bar_plot("", {})));
  EXPECT_TRUE(well_formed(forest_plot("", "", {{"<a>", "good", std::nullopt, 0.0}})));
  EXPECT_TRUE(well_formed(reliability_plot("", {})));
  EXPECT_TRUE(well_formed(grid_plot({})));
  LinePlot plot;
  plot.lines.push_back({"own", {{0.0, NAN}, {0.5, 0.5, 0.1}, {1.0, INFINITY}}, true});
  const std::string svg = line_plot(plot);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

// Values that do not stand side by side stand below each other, each.
TEST(Plot, NamesOfValuesAreAllThere) {
  LinePlot plot;
  plot.names = {"empirical distribution", "effective(0.9999)", "effective(0.99)"};
  const std::string line = line_plot(plot);
  GridPlot grid;
  grid.row_names = {"a"};
  grid.column_names = plot.names;
  grid.values = {0.1, 0.2, 0.3};
  const std::string cells = grid_plot(grid);
  for (const std::string& name : plot.names) {
    EXPECT_THAT(line, HasSubstr(">" + name + "<"));
    EXPECT_THAT(cells, HasSubstr(">" + name + "<"));
  }
}

TEST(Plot, AGridMustFit) {
  GridPlot plot;
  plot.row_names = {"a"};
  plot.column_names = {"b"};
  EXPECT_THROW(grid_plot(plot), InternalError);
}

}  // namespace
}  // namespace smcl::report
