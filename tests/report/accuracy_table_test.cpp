#include "report/accuracy_table.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

// Expected texts are written by hand.
namespace smcl::report {
namespace {

AccuracyRow row(const std::string& run, double all, std::optional<double> few,
                std::optional<double> gap) {
  AccuracyRow result;
  result.run = run;
  result.accuracy.all = all;
  result.accuracy.many = 0.9;
  result.accuracy.medium = 0.3;
  result.accuracy.few = few;
  result.accuracy.head = 0.8;
  result.accuracy.middle = 0.5;
  result.accuracy.tail = 0.25;
  result.bias_gap = gap;
  return result;
}

TEST(AccuracyTable, PercentInText) {
  const std::vector<AccuracyRow> rows{row("ce-1", 0.5, std::nullopt, -0.031),
                                      row("smcl-1", 0.625, 0.1, std::nullopt)};
  EXPECT_EQ(accuracy_table(rows).text(),
            "run      all  many  medium   few  head  middle  tail  bias gap\n"
            "ce-1    50.0  90.0    30.0     -  80.0    50.0  25.0      -3.1\n"
            "smcl-1  62.5  90.0    30.0  10.0  80.0    50.0  25.0         -\n");
}

TEST(AccuracyTable, WithoutBackgroundsNoGapInTextButInCsv) {
  const std::vector<AccuracyRow> rows{row("ce-1", 0.5, 0.25, std::nullopt)};
  EXPECT_EQ(accuracy_table(rows).text(),
            "run    all  many  medium   few  head  middle  tail\n"
            "ce-1  50.0  90.0    30.0  25.0  80.0    50.0  25.0\n");
  EXPECT_EQ(accuracy_table(rows).csv(),
            "run,all,many,medium,few,head,middle,tail,bias_gap\n"
            "ce-1,0.5,0.9,0.3,0.25,0.8,0.5,0.25,\n");
}

TEST(MethodTable, MeanAndDeviationOverRuns) {
  // 0.4, 0.5, 0.6: mean 0.5, deviation sqrt((0.01 + 0 + 0.01) / 2) = 0.1.
  const std::vector<MethodRuns> methods{{"ce",
                                         {row("ce-1", 0.4, 0.1, 0.05), row("ce-2", 0.5, 0.1, 0.05),
                                          row("ce-3", 0.6, std::nullopt, 0.05)}},
                                        {"smcl", {row("smcl-1", 0.7, 0.2, 0.01)}}};
  const auto found = nlohmann::json::parse(method_table(methods).json());
  EXPECT_EQ(found[0]["runs"], 3.0);
  EXPECT_NEAR(found[0]["all"].get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(found[0]["all_sd"].get<double>(), 0.1, 1e-12);
  EXPECT_TRUE(found[0]["few"].is_null()) << "one run lacks it";
  EXPECT_NEAR(found[1]["all"].get<double>(), 0.7, 1e-12);
  EXPECT_TRUE(found[1]["all_sd"].is_null()) << "one run has no deviation";
}

TEST(MethodTable, RefusesAMethodWithoutRuns) {
  const std::vector<MethodRuns> methods{{"ce", {}}};
  EXPECT_THROW(method_table(methods), InternalError);
}

}  // namespace
}  // namespace smcl::report
