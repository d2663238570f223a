#include "report/analysis_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace smcl::report {
namespace {

using record::Unit;

std::vector<AnalysedRun> runs() {
  record::Analysis one;
  one.measures = {
      {"n.few.masked", "in few, masked", "Neighbours", Unit::share, 0.125, 0.1, 0.15, 0.01},
      {"n.few.change", "in few, change", "Neighbours", Unit::points, -0.05, {}, {}, {}},
      {"s.target", "cosine", "Similarity", Unit::cosine, 0.5, {}, {}, 0.25}};
  record::Analysis two = one;
  two.measures[0].value = 0.5;
  two.measures[2].chance = 0.26;
  two.measures.erase(two.measures.begin() + 1);
  return {{"ce-1", one}, {"smcl-1", two}};
}

// Written by hand.
TEST(AnalysisTable, HasATableAGroupAndAColumnARun) {
  const auto tables = analysis_tables(runs(), "");
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].text(),
            "Neighbours      chance  ce-1                 smcl-1\n"
            "in few, masked     1.0    12.5 [10.0, 15.0]    50.0 [10.0, 15.0]\n"
            "in few, change  -         -5.0               -\n");
  EXPECT_EQ(tables[1].text(),
            "Similarity  ce-1                   smcl-1\n"
            "cosine       0.500 (chance 0.250)   0.500 (chance 0.260)\n")
      << "chances that differ stand with their runs";
}

TEST(AnalysisTable, OnlyWhatIsAskedFor) {
  const auto tables = analysis_tables(runs(), "n.few.c");
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].rows(), 1U);
  EXPECT_TRUE(analysis_tables(runs(), "x").empty());
}

TEST(AnalysisTable, MachinesGetARowARunAndMeasure) {
  const auto rows = nlohmann::json::parse(analysis_rows(runs(), "").json());
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].at("run"), "ce-1");
  EXPECT_EQ(rows[0].at("unit"), "share");
  EXPECT_EQ(rows[0].at("low"), 0.1);
  EXPECT_TRUE(rows[1].at("chance").is_null());
  EXPECT_EQ(rows[3].at("run"), "smcl-1");
  EXPECT_EQ(rows[3].at("value"), 0.5);
  EXPECT_EQ(analysis_rows(runs(), "s.").rows(), 2U);
}

}  // namespace
}  // namespace smcl::report
