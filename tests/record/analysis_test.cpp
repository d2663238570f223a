#include "record/analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "format/file.h"
#include "format/scratch.h"

namespace smcl::record {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Analysis example() {
  Analysis analysis;
  analysis.settings_hash = "abc";
  analysis.settings = {{"k", 10}, {"masks", {{"mask.kind", "random"}}}};
  Measure measure;
  measure.key = "probe.kind";
  measure.title = "linear probe";
  measure.group = "Kinds";
  measure.value = 0.25;
  measure.low = 0.125;
  measure.high = 0.5;
  measure.chance = 1.0 / 24;
  analysis.measures.push_back(measure);
  analysis.measures.push_back({"b", "gap", "Bias", Unit::points, -0.1, {}, {}, {}});
  analysis.pictures.push_back({"analysis/train.png", "Title", "Caption"});
  return analysis;
}

class AnalysisFile : public ScratchFolder {};

TEST_F(AnalysisFile, ComesBackAsItWasWritten) {
  EXPECT_FALSE(read_analysis(folder()).has_value());
  write_analysis(folder(), example());
  const auto read = read_analysis(folder());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(to_json(*read), to_json(example()));
  const std::string text = format::read_text(folder() / "analysis.json");
  write_analysis(folder(), *read);
  EXPECT_EQ(format::read_text(folder() / "analysis.json"), text);
}

// The report reads it: names of fields are a contract (docs/run-folder.md).
TEST_F(AnalysisFile, HasTheFieldsThatItsReadersKnow) {
  const json object = to_json(example());
  EXPECT_EQ(object.at("format_version"), 1);
  EXPECT_EQ(object.at("settings_hash"), "abc");
  EXPECT_EQ(object.at("settings").at("k"), 10);
  EXPECT_EQ(object.at("measures").at(0).dump(),
            R"({"chance":0.041666666666666664,"group":"Kinds","high":0.5,"key":"probe.kind",)"
            R"("low":0.125,"title":"linear probe","unit":"share","value":0.25})");
  EXPECT_FALSE(object.at("measures").at(1).contains("low")) << "left out, not null";
  EXPECT_EQ(object.at("pictures").at(0).at("file"), "analysis/train.png");
}

TEST_F(AnalysisFile, WhatIsWrongIsNamed) {
  const auto refusal = [](const char* path, const json& value) {
    json object = to_json(example());
    object[json::json_pointer(path)] = value;
    return error_of<DataError>([&] { parse_analysis(object.dump(), "analysis.json"); });
  };
  EXPECT_THAT(refusal("/measures/0/unit", "metre"), HasSubstr("unit 'metre'"));
  EXPECT_THAT(refusal("/measures/0/value", "much"), HasSubstr("analysis.json"));
  EXPECT_THAT(refusal("/measures", 3), HasSubstr("analysis.json"));
  EXPECT_THAT(refusal("/settings", 3), HasSubstr("analysis.json"));
  EXPECT_THAT(refusal("/format_version", 2), HasSubstr("format_version"));
  for (const char* outside : {"/etc/passwd", "../other/x.png", "analysis/../../x.png", ""}) {
    EXPECT_THAT(refusal("/pictures/0/file", outside), HasSubstr("outside the run folder"));
  }
  EXPECT_THROW(parse_analysis("[]", "x"), DataError);
}

TEST_F(AnalysisFile, NumbersAreFinite) {
  Analysis analysis = example();
  analysis.measures[0].value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(write_analysis(folder(), analysis), InternalError);
  EXPECT_FALSE(read_analysis(folder()).has_value());
}

}  // namespace
}  // namespace smcl::record
