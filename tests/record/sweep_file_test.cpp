#include "record/sweep_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

// More of it, with the recipes it names: tests/experiment/sweep_test.cpp.
namespace smcl::record {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST(SweepFile, Defaults) {
  const SweepFile sweep = parse_sweep("recipes = 'x.toml'", "t");
  EXPECT_THAT(sweep.recipes, ElementsAre("x.toml"));
  EXPECT_THAT(sweep.seeds, ElementsAre(1U));
  EXPECT_THAT(sweep.seed_keys, ElementsAre("train.seed"));
  EXPECT_EQ(sweep.variants.size(), 1U);
}

TEST(SweepFile, ReadsWhatItWrites) {
  const std::string text = R"(
    name = "a \"b\""
    recipes = ["x.toml"]
    seeds = [1, 9]
    [set]
    mask.area = [0.2, 0.5]
    [grid]
    "mask.prob" = [0.1, 1]
    [[variant]]
    name = "v"
    recipe = "y.toml"
    set = { contrast = { mu = 0.5, when = "masked" } }
    [override]
    train.epochs = 2
  )";
  const std::string written = to_toml(parse_sweep(text, "t"));
  EXPECT_EQ(to_toml(parse_sweep(written, "t")), written);
  EXPECT_THAT(written, HasSubstr("mask.prob = [\n  0.1,\n  1,\n]"));
  EXPECT_THAT(written, HasSubstr("seeds = [\n  1,\n  9,\n]"));
  EXPECT_THAT(to_toml(parse_sweep("recipes = 'x'\nseeds = [1, 2]", "t")), HasSubstr("seeds = 2\n"));
  EXPECT_THAT(written, HasSubstr("set.contrast.when = \"masked\""));
  EXPECT_THAT(written, HasSubstr("[override]\ntrain.epochs = 2\n"));
}

// The variant that changes nothing is one of them: without it the copy would be another sweep.
TEST(SweepFile, AnEmptyVariantBesideOthersIsKept) {
  const SweepFile sweep = parse_sweep("recipes = 'x'\n[[variant]]\n[[variant]]\nname = 'v'\n", "t");
  ASSERT_EQ(sweep.variants.size(), 2U);
  EXPECT_EQ(parse_sweep(to_toml(sweep), "t").variants.size(), 2U);
  EXPECT_THAT(to_toml(parse_sweep("recipes = 'x'", "t")), Not(HasSubstr("variant")));
}

TEST(SweepFile, ASettingWrittenInTwoWaysComesTwice) {
  const std::string twice = "recipes = 'x'\n[set]\nmask.prob = 0.2\n\"mask.prob\" = 0.1\n";
  EXPECT_THAT([&] { parse_sweep(twice, "t"); },
              ThrowsMessage<UsageError>(HasSubstr("mask.prob comes twice")));
}

TEST(SweepFile, VariantsHaveNamesOfTheirOwn) {
  const std::string twice = "recipes = 'x'\n[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'\n";
  EXPECT_THAT([&] { parse_sweep(twice, "t"); },
              ThrowsMessage<UsageError>(HasSubstr("t:4: variant.name: \"a\" comes twice")));
}

TEST(SweepFile, WrongTypesSayWhere) {
  for (const char* text :
       {"recipes = 3", "recipes = ['x', 3]", "recipes = []", "name = ''", "recipes = 'x'\nset = 3",
        "recipes = 'x'\ngrid = 3", "recipes = 'x'\nvariant = 3", "recipes = 'x'\nvariant = [3]",
        "recipes = 'x'\nset.a = 1979-05-27", "recipes = 'x'\nseeds = 'all'"}) {
    EXPECT_THAT([&] { parse_sweep(text, "t"); }, ThrowsMessage<UsageError>(HasSubstr("t:")))
        << text;
  }
}

}  // namespace
}  // namespace smcl::record
