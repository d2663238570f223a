#include "report/table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"

// Expected texts are written by hand.
namespace smcl::report {
namespace {

Table two_runs() {
  Table table({{"run", "run"}, {"all", "all", 1, 100.0}, {"few", "few", 1, 100.0}});
  table.add_row({"ce-1", 0.4567, cell(std::nullopt)});
  table.add_row({"smcl-12", 0.05, 1.0}, Emphasis::strong);
  return table;
}

TEST(Table, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(two_runs().text(),
            "run       all    few\n"
            "ce-1     45.7      -\n"
            "smcl-12   5.0  100.0\n");
}

TEST(Table, BoldMarksTheHeaderAndStrongRows) {
  EXPECT_EQ(two_runs().text(TextStyle::bold),
            "\x1b[1mrun       all    few\x1b[0m\n"
            "ce-1     45.7      -\n"
            "\x1b[1msmcl-12   5.0  100.0\x1b[0m\n");
}

TEST(Table, CsvKeepsNumbersExactAndUnscaled) {
  EXPECT_EQ(two_runs().csv(), "run,all,few\nce-1,0.4567,\nsmcl-12,0.05,1\n");
}

TEST(Table, CsvQuotesAsRfc4180) {
  Table table({{"a", "a"}, {"b", "b,c"}});
  table.add_row({"say \"x\", y", "line\nbreak"});
  EXPECT_EQ(table.csv(), "a,\"b,c\"\n\"say \"\"x\"\", y\",\"line\nbreak\"\n");
}

TEST(Table, JsonHoldsOneObjectARow) {
  const auto found = nlohmann::json::parse(two_runs().json());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["run"], "ce-1");
  EXPECT_EQ(found[0]["all"], 0.4567);
  EXPECT_TRUE(found[0]["few"].is_null());
  EXPECT_EQ(found[1]["few"], 1.0);
}

TEST(Table, JsonOfANameThatIsNoUtf8) {
  Table table({{"run", "run"}, {"all", "all"}});
  table.add_row({"\xff", 0.5});
  EXPECT_EQ(nlohmann::json::parse(table.json())[0]["all"], 0.5);
}

TEST(Table, SpreadsInAllFormats) {
  Table table({{"m", "m"}, {"all", "all", 1, 100.0}});
  table.add_row({"a", Spread{0.5, 0.025}});
  table.add_row({"b", 0.25});
  EXPECT_EQ(table.text(),
            "m          all\n"
            "a  50.0 +- 2.5\n"
            "b         25.0\n");
  EXPECT_EQ(table.csv(), "m,all,all_sd\na,0.5,0.025\nb,0.25,\n");
  const auto found = nlohmann::json::parse(table.json());
  EXPECT_EQ(found[0]["all_sd"], 0.025);
  EXPECT_TRUE(found[1]["all_sd"].is_null());
}

TEST(Table, DifferencesInAllFormats) {
  Table table({{"m", "m"}, {"all", "diff_all", 1, 100.0, false, true}});
  table.add_row({"a", Difference{0.5, 0.25, 0.125}});
  table.add_row({"b", cell(std::nullopt)});
  EXPECT_EQ(table.text(),
            "m                  all\n"
            "a  50.0 +- 25.0 (12.5)\n"
            "b                    -\n");
  EXPECT_EQ(table.csv(),
            "m,diff_all,diff_all_sd,diff_all_low,diff_all_high\na,0.5,0.25,0.375,0.625\nb,,,,\n");
  const auto found = nlohmann::json::parse(table.json());
  EXPECT_EQ(found[0]["diff_all_low"], 0.375);
  EXPECT_TRUE(found[1]["diff_all_high"].is_null());
}

TEST(Table, DifferencesKeepTheirKeysWithoutValues) {
  Table table({{"all", "diff_all", 1, 100.0, false, true}});
  table.add_row({Difference{0.5, std::numeric_limits<double>::quiet_NaN(), 0.1}});
  EXPECT_EQ(table.csv(), "diff_all,diff_all_sd,diff_all_low,diff_all_high\n,,,\n");
}

TEST(Table, EmptyColumnsMayBeHiddenInText) {
  Table table({{"run", "run"}, {"gap", "gap", 1, 1.0, true}, {"few", "few"}});
  table.add_row({"a", cell(std::nullopt), 1.0});
  EXPECT_EQ(table.text(), "run  few\na    1.0\n");
  EXPECT_EQ(table.csv(), "run,gap,few\na,,1\n");
  table.add_row({"b", 2.0, 1.0});
  EXPECT_EQ(table.text(), "run  gap  few\na      -  1.0\nb    2.0  1.0\n");
}

TEST(Table, NotFiniteIsADash) {
  Table table({{"x", "x"}, {"y", "y"}});
  table.add_row({std::numeric_limits<double>::quiet_NaN(),
                 Spread{1.0, std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(table.text(), "x  y\n-  -\n");
  EXPECT_TRUE(nlohmann::json::parse(table.json())[0]["x"].is_null());
}

TEST(Table, RoundsToZeroWithoutASign) {
  Table table({Column{"x", "x"}});
  table.add_row({-0.01});
  table.add_row({-0.06});
  EXPECT_EQ(table.text(), "   x\n 0.0\n-0.1\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"name", "name"}, {"x", "x", 0}});
  table.add_row({"caf\xc3\xa9s", 1.0});
  table.add_row({"coffee", 2.0});
  EXPECT_EQ(table.text(), "name    x\ncaf\xc3\xa9s   1\ncoffee  2\n");
}

TEST(Table, ControlCharactersNeverReachTheTerminal) {
  Table table({Column{"name", "name"}});
  table.add_row({"a\x1b[2Jb\n"});
  EXPECT_EQ(table.text(), "name\na?[2Jb?\n");
}

TEST(Table, WithoutRows) {
  const Table table({{"run", "run"}, {"all", "all"}});
  EXPECT_EQ(table.text(), "run  all\n");
  EXPECT_EQ(table.csv(), "run,all\n");
  EXPECT_EQ(table.json(), "[]\n");
}

TEST(Table, RefusesWhatDoesNotFit) {
  EXPECT_THROW(Table({}), InternalError);
  EXPECT_THROW(Table({{"a", "x"}, {"b", "x"}}), InternalError);
  Table table({{"a", "a"}, {"b", "b"}});
  EXPECT_THROW(table.add_row({1.0}), InternalError);
}

TEST(Table, FormatsByName) {
  EXPECT_EQ(table_format("csv"), TableFormat::csv);
  EXPECT_EQ(two_runs().render(table_format("json")), two_runs().json());
  EXPECT_EQ(two_runs().render(table_format("text")), two_runs().text());
  EXPECT_THROW(table_format("xml"), UsageError);
}

TEST(TextStyle, NoColorTurnsBoldOff) {
  unsetenv("NO_COLOR");
  EXPECT_EQ(text_style(true), TextStyle::bold);
  EXPECT_EQ(text_style(false), TextStyle::plain);
  setenv("NO_COLOR", "", 1);
  EXPECT_EQ(text_style(true), TextStyle::bold) << "an empty value does not count";
  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(text_style(true), TextStyle::plain);
  unsetenv("NO_COLOR");
}

}  // namespace
}  // namespace smcl::report
