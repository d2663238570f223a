#include "format/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "format/file.h"
#include "format/scratch.h"

namespace smcl::format {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class JsonLines : public ScratchFolder {};

TEST(Json, ParsesAndNamesTheByteOfAnError) {
  EXPECT_EQ(parse_json(R"({"a": [1, {"a": 2}], "b": {"a": 3}})", "x"),
            (json{{"a", {1, {{"a", 2}}}}, {"b", {{"a", 3}}}}));
  EXPECT_THAT(error_of<DataError>([] { parse_json("[1,}", "x.json"); }),
              StartsWith("x.json: no valid JSON at byte 4"));
  for (const char* text : {"", "{", "[1] 2", "nan", "{\"a\": \"\xff\"}", "[1e999]"}) {
    EXPECT_THROW(parse_json(text, "x"), DataError) << text;
  }
}

TEST(Json, RefusesKeysThatComeTwiceInOneObject) {
  EXPECT_THAT(error_of<DataError>([] { parse_json(R"({"a": 1, "b": {"c": 1}, "a": 2})", "x"); }),
              HasSubstr("\"a\" comes twice"));
  EXPECT_THROW(parse_json(R"([{"a": {"b": 1, "b": 1}}])", "x"), DataError);
  EXPECT_NO_THROW(parse_json(R"([{"a": 1}, {"a": 1}])", "x"));
  EXPECT_NO_THROW(parse_json(R"({"a": {"a": {"a": 1}}})", "x"));
}

TEST(Json, BoundsTheDepth) {
  EXPECT_NO_THROW(parse_json("[[[1]]]", "x", 3));
  EXPECT_THAT(error_of<DataError>([] { parse_json("[[[[1]]]]", "x", 3); }),
              HasSubstr("deeper than 3"));
  EXPECT_THROW(parse_json(std::string(1000000, '['), "x"), DataError);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_THROW(parse_json(objects, "x"), DataError);
}

TEST(Json, WritesOneLineWhateverTheValue) {
  EXPECT_EQ(to_line({{"a", "x\ny"}, {"b", std::nan("")}}), R"({"a":"x\ny","b":null})");
  EXPECT_EQ(to_line("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(Json, ChecksTheFormatVersion) {
  EXPECT_NO_THROW(check_format_version({{"format_version", 1}}, "x"));
  EXPECT_THAT(error_of<DataError>([] {
                check_format_version({{"format_version", 2}}, "x");
              }),
              HasSubstr("reads versions up to 1"));
  EXPECT_THROW(check_format_version({{"format_version", "1"}}, "x"), DataError);
  EXPECT_THROW(check_format_version({{"format_version", 0}}, "x"), DataError);
  EXPECT_THROW(check_format_version(json::object(), "x"), DataError);
}

TEST_F(JsonLines, ToleratesATornLastLineOnly) {
  const auto file = folder() / "a.jsonl";
  const auto rows = [&](const std::string& text) {
    write_file_atomic(file, text);
    return read_json_lines(file).size();
  };
  EXPECT_EQ(rows(""), 0U);
  EXPECT_EQ(rows("{\"a\":1}\n{\"a\":2}\n"), 2U);
  EXPECT_EQ(rows("{\"a\":1}\n{\"a\":"), 1U);
  EXPECT_EQ(rows("{\"a\":1}\n{\"a\":2}"), 1U);  // whole by chance, but its line break is missing
  for (const char* text : {"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", "{\"a\":1}\n\n", "{\"a\":1}\n3\n"}) {
    write_file_atomic(file, text);
    EXPECT_THAT(error_of<DataError>([&] { read_json_lines(file); }), HasSubstr("a.jsonl:2: "))
        << text;
  }
  EXPECT_THROW(read_json_lines(folder() / "none"), IoError);
}

TEST(Integers, AreWholeAndInRange) {
  const json object = parse_json(
      R"({"a": 7, "low": -1, "half": 1.5, "far": 1e300, "wide": 18446744073709551615, "t": "7",
          "list": [1, 2], "wraps": [1, 4294967297], "n": null})",
      "x.json");
  EXPECT_EQ(integer_at(object, "a", 0, 7, "x.json"), 7);
  EXPECT_EQ(integer_at(object, "low", -1, 7, "x.json"), -1);
  EXPECT_EQ(integers_at(object, "list", 1, 2, "x.json"), (std::vector<int>{1, 2}));
  for (const char* key : {"low", "half", "far", "wide", "t", "list", "n", "none"}) {
    EXPECT_THAT(error_of<DataError>([&] { integer_at(object, key, 0, 1'000'000, "x.json"); }),
                StartsWith(concat("x.json: ", key, " is ")))
        << key;
  }
  EXPECT_THAT(error_of<DataError>([&] { integers_at(object, "wraps", 0, 100, "x.json"); }),
              HasSubstr("wraps is 4294967297, expected an integer from 0 to 100"));
  EXPECT_THROW(integers_at(object, "a", 0, 100, "x.json"), DataError);
}

TEST(Reading, NamesTheFileOfWhatIsMissing) {
  const json object{{"a", 1}};
  EXPECT_EQ(reading("x.json", [&] { return object.at("a").get<int>(); }), 1);
  EXPECT_THAT(error_of<DataError>([&] { reading("x.json", [&] { object.at("b"); }); }),
              StartsWith("x.json: key 'b' not found"));
}

TEST_F(JsonLines, AnObjectIsExpected) {
  const auto file = folder() / "a.json";
  write_file_atomic(file, "[1]");
  EXPECT_THAT(error_of<DataError>([&] { read_json_object(file); }),
              HasSubstr("expected a JSON object, got array"));
  write_file_atomic(file, " {\"a\": 1}\n");
  EXPECT_EQ(read_json_object(file), (json{{"a", 1}}));
}

}  // namespace
}  // namespace smcl::format
