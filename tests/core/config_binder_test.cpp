#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/config.h"
#include "core/config_text.h"
#include "core/error.h"

namespace smcl::config {
namespace {

using ::testing::HasSubstr;

const double kNan = std::numeric_limits<double>::quiet_NaN();

Document doc(const std::string& text) {
  return Document::parse(text, "x.toml");
}

/// Binds one field and gives back the value, or the text of the UsageError.
template <class T, class... More>
std::variant<T, std::string> bound(const std::string& text, T value, const More&... more) {
  const Document document = doc(text);
  Binder binder(document);
  try {
    binder.field("k", value, more..., "");
    return std::variant<T, std::string>(std::in_place_index<0>, value);
  } catch (const UsageError& error) {
    return std::variant<T, std::string>(std::in_place_index<1>, error.what());
  }
}

template <class T, class... More>
std::string refusal(const std::string& text, T value, const More&... more) {
  const auto result = bound(text, value, more...);
  const auto* error = std::get_if<1>(&result);
  return error != nullptr ? *error : "accepted";
}

const Range kUnit{0.0, 1.0};

TEST(Binder, ReadsNumbersInRange) {
  EXPECT_EQ(std::get<0>(bound("k = 0.25", 0.5, kUnit)), 0.25);
  EXPECT_EQ(std::get<0>(bound("k = 1", 0.5, kUnit)), 1.0);  // integer where a double is wanted
  EXPECT_EQ(std::get<0>(bound("", 0.5, kUnit)), 0.5);
  EXPECT_EQ(std::get<0>(bound("k = 7", 1, Range{1, 10})), 7);
  EXPECT_EQ(std::get<0>(bound("k = -3", std::int64_t{1}, Range{})), -3);
  EXPECT_EQ(std::get<0>(bound("k = 9223372036854775807", std::uint64_t{1}, Range{})),
            9223372036854775807U);
}

TEST(Binder, NamesKeyValueOriginAndRange) {
  EXPECT_EQ(refusal("\n\nk = 1.5", 0.5, kUnit), "k = 1.5 (x.toml:3): expected a number in [0, 1]");
  EXPECT_EQ(refusal("k = nan", 0.5, kUnit), "k = nan (x.toml:1): expected a number in [0, 1]");
  EXPECT_EQ(refusal("k = inf", 0.5, Range{0.0}),
            "k = inf (x.toml:1): expected a number of at least 0");
  EXPECT_EQ(refusal("k = -1", 0.5, Range{0.0, std::numeric_limits<double>::max()}),
            "k = -1 (x.toml:1): expected a number of at least 0");
  EXPECT_EQ(refusal("k = -inf", 0.5, Range{}), "k = -inf (x.toml:1): expected a number");
  EXPECT_EQ(refusal("k = 'a'", 0.5, kUnit), "k = \"a\" (x.toml:1): expected a number in [0, 1]");
  EXPECT_EQ(refusal("k = [1]", 0.5, kUnit), "k = [1] (x.toml:1): expected a number in [0, 1]");
  EXPECT_EQ(refusal("k = true", 0.5, kUnit), "k = true (x.toml:1): expected a number in [0, 1]");
  EXPECT_EQ(refusal("k = 2.0", 1, Range{1, 10}),
            "k = 2.0 (x.toml:1): expected an integer in [1, 10]");
  EXPECT_EQ(refusal("k = 11", 1, Range{1, 10}),
            "k = 11 (x.toml:1): expected an integer in [1, 10]");
  EXPECT_EQ(refusal("k = 4294967296", 1, Range{0}),
            "k = 4294967296 (x.toml:1): expected an integer in [0, 2147483647]");
  EXPECT_EQ(refusal("k = -1", std::uint64_t{1}, Range{}),
            "k = -1 (x.toml:1): expected an integer in [0, 9223372036854775807]");
  EXPECT_EQ(refusal("k = 1", true), "k = 1 (x.toml:1): expected true or false");
  EXPECT_EQ(refusal("k = 1", std::string()), "k = 1 (x.toml:1): expected text in quotes");
}

TEST(Binder, WrongDefaultsAreOurMistake) {
  const Document empty;
  Binder binder(empty);
  double value = 2.0;
  EXPECT_THROW(binder.field("k", value, kUnit, ""), InternalError);
  value = 0.5;
  binder.field("k", value, kUnit, "");
  EXPECT_THROW(binder.field("k", value, kUnit, ""), InternalError);  // bound twice
}

TEST(Binder, AMomentIsAnEpochOrAShare) {
  const Moment start{0.8, true};
  EXPECT_EQ(std::get<0>(bound("k = 160", start)), (Moment{160.0, false}));
  EXPECT_EQ(std::get<0>(bound("k = 1", start)), (Moment{1.0, false}));
  EXPECT_EQ(std::get<0>(bound("k = 1.0", start)), (Moment{1.0, true}));
  EXPECT_EQ(std::get<0>(bound("k = 0.5", start)), (Moment{0.5, true}));
  for (const char* text :
       {"k = 1.5", "k = -1", "k = -0.1", "k = nan", "k = 'late'", "k = [1]", "k = 16777216"}) {
    EXPECT_THAT(refusal(text, start), HasSubstr("expected an epoch")) << text;
  }
  EXPECT_EQ((Moment{0.8, true}.epoch(200)), 160);
  EXPECT_EQ((Moment{0.5, true}.epoch(5)), 3);  // round(2.5), halves away from zero
  EXPECT_EQ((Moment{7.0, false}.epoch(5)), 7);
}

TEST(Binder, ReadsLists) {
  const std::vector<Moment> none;
  EXPECT_EQ(std::get<0>(bound("k = [160, 0.9]", none)),
            (std::vector<Moment>{{160.0, false}, {0.9, true}}));
  EXPECT_EQ(std::get<0>(bound("k = 0.9", none)), (std::vector<Moment>{{0.9, true}}));
  EXPECT_EQ(std::get<0>(bound("k = []", std::vector<Moment>{{0.9, true}})), none);
  EXPECT_EQ(std::get<0>(bound("k = [1, 0.5]", std::vector<double>{}, kUnit)),
            (std::vector<double>{1.0, 0.5}));
  EXPECT_EQ(refusal("k = [1, 2]", std::vector<double>{}, kUnit),
            "k = 2.0 (x.toml:1): expected a number in [0, 1]");
  EXPECT_THAT(refusal("k = [1, 'a']", none), HasSubstr("k = \"a\" (x.toml:1)"));
}

const std::vector<Signature> kAreas{{"beta", {{"a", 1.0, 0.01, 100.0}, {"b", 1.0, 0.01, 100.0}}},
                                    {"range", {{"lo", kNan, 0.0, 1.0}, {"hi", 0.9, 0.0, 1.0}}},
                                    {"fixed", {{"v", kNan, 0.0, 1.0}}},
                                    {"area", {}}};

TEST(Binder, ReadsCalls) {
  const Call start{"area", {}};
  const auto call = [&](const std::string& value) {
    return std::get<0>(bound("k = " + value, start, kAreas));
  };
  EXPECT_EQ(call("'beta(2, 0.5)'"), (Call{"beta", {2.0, 0.5}}));
  EXPECT_EQ(call("' beta ( b = 3 ) '"), (Call{"beta", {1.0, 3.0}}));
  EXPECT_EQ(call("'beta(2, b=3)'"), (Call{"beta", {2.0, 3.0}}));
  EXPECT_EQ(call("'beta'"), (Call{"beta", {1.0, 1.0}}));
  EXPECT_EQ(call("'beta()'"), (Call{"beta", {1.0, 1.0}}));
  EXPECT_EQ(call("'range(0.2)'"), (Call{"range", {0.2, 0.9}}));
  EXPECT_EQ(call("'area'"), (Call{"area", {}}));
  EXPECT_EQ(call("0.25"), (Call{"fixed", {0.25}}));
  EXPECT_EQ(call("1"), (Call{"fixed", {1.0}}));
  EXPECT_EQ(call("[0.2, 0.5]"), (Call{"range", {0.2, 0.5}}));
}

TEST(Binder, RefusesCallsThatNoSignatureAllows) {
  const Call start{"area", {}};
  const auto error = [&](const std::string& value) {
    return refusal("k = " + value, start, kAreas);
  };
  EXPECT_EQ(error("'bta(1)'"),
            "k = \"bta(1)\" (x.toml:1): expected one of beta(a=1, b=1), range(lo, hi=0.9), "
            "fixed(v), area; did you mean 'beta'?");
  EXPECT_THAT(error("'beta(1'"), HasSubstr("closing ')'"));
  EXPECT_THAT(error("'beta(1) x'"), HasSubstr("closing ')'"));
  EXPECT_THAT(error("'beta(1,2,3)'"), HasSubstr("too many"));
  EXPECT_THAT(error("'beta(1,)'"), HasSubstr("is no number"));
  EXPECT_THAT(error("'beta(,1)'"), HasSubstr("is no number"));
  EXPECT_THAT(error("'beta(x)'"), HasSubstr("'x' is no number"));
  EXPECT_THAT(error("'beta(nan)'"), HasSubstr("is no number"));
  EXPECT_THAT(error("'beta(1e999)'"), HasSubstr("is no number"));
  EXPECT_THAT(error("'beta(c=1)'"), HasSubstr("no argument is named 'c'"));
  EXPECT_THAT(error("'beta(1, a=1)'"), HasSubstr("given twice"));
  EXPECT_THAT(error("'beta(b=1, 1)'"), HasSubstr("without name"));
  EXPECT_THAT(error("'beta(0)'"), HasSubstr("expected a number in [0.01, 100]"));
  EXPECT_THAT(error("'range'"), HasSubstr("'lo' is missing"));
  EXPECT_THAT(error("'area(1)'"), HasSubstr("too many"));
  EXPECT_THAT(error("''"), HasSubstr("expected one of"));
  EXPECT_THAT(error("[0.1, 0.2, 0.3]"), HasSubstr("too many"));
  EXPECT_THAT(error("true"), HasSubstr("expected one of"));
  EXPECT_THAT(error("1.5"), HasSubstr("expected a number in [0, 1]"));
  const double most = std::numeric_limits<double>::max();
  const std::vector<Signature> open{{"fixed", {{"v", kNan, 0.0, most}}},
                                    {"below", {{"v", kNan, -most, 1.0}}}};
  EXPECT_EQ(refusal("k = -2.5", Call{"fixed", {1.0}}, open),
            "k = -2.5 (x.toml:1): argument 'v' is -2.5; expected a number of at least 0");
  EXPECT_THAT(refusal("k = 'below(2)'", Call{"fixed", {1.0}}, open),
              HasSubstr("expected a number of at most 1"));
  const std::vector<Signature> no_number{{"area", {}}};
  EXPECT_THAT(refusal("k = 0.5", start, no_number), HasSubstr("expected one of area"));
}

enum class Kind { saliency, random };
const std::vector<std::pair<std::string, Kind>> kKinds{{"saliency", Kind::saliency},
                                                       {"random", Kind::random}};

TEST(Binder, ChoosesAWord) {
  const Document document = doc("k = 'random'\nl = 'randm'\nm = 3\n");
  Binder binder(document);
  Kind kind = Kind::saliency;
  binder.choice("k", kind, kKinds, "");
  EXPECT_EQ(kind, Kind::random);
  binder.choice("free", kind, kKinds, "");
  EXPECT_EQ(kind, Kind::random);
  for (const auto& [key, text] : std::vector<std::pair<std::string, std::string>>{
           {"l",
            "l = \"randm\" (x.toml:2): expected one of saliency, random; did you mean "
            "'random'?"},
           {"m", "m = 3 (x.toml:3): expected one of saliency, random"}}) {
    try {
      binder.choice(key, kind, kKinds, "");
      ADD_FAILURE() << "accepted " << key;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.what(), text);
    }
  }
}

std::string unknown_key(const std::string& text) {
  const Document document = doc(text);
  Binder binder(document);
  double prob = 0.5;
  int epochs = 3;
  int far = 1;
  binder.field("mask.prob", prob, kUnit, "");
  binder.field("mask.start", prob, kUnit, "");
  binder.field("train.epochs", epochs, Range{1}, "");
  binder.field("model.projection_width", far, Range{1}, "");
  try {
    binder.finish();
    return "accepted";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(Binder, RefusesUnknownKeysAndNamesTheNearest) {
  EXPECT_EQ(unknown_key("[mask]\nprob = 0.1\n"), "accepted");
  EXPECT_EQ(unknown_key("[mask]\nporb = 0.1\n"),
            "x.toml:2: unknown key 'mask.porb'; did you mean 'mask.prob'?");
  EXPECT_EQ(unknown_key("epochs = 1\n"),
            "x.toml:1: unknown key 'epochs'; did you mean 'train.epochs'?");
  EXPECT_EQ(unknown_key("mask = 1\n"),
            "mask = 1 (x.toml:1): expected a section [mask]; valid keys there: mask.prob, "
            "mask.start");
  EXPECT_EQ(unknown_key("[train]\nxxxxxxxxxxxxxxxx = 1\n"),
            "x.toml:2: unknown key 'train.xxxxxxxxxxxxxxxx'; valid keys there: train.epochs");
  EXPECT_EQ(unknown_key("zzzzzzzz = 1\n"),
            "x.toml:1: unknown key 'zzzzzzzz'; --print-config lists all keys");
}

TEST(Nearest, CountsEditsAndSwaps) {
  const std::vector<std::string> words{"prob", "probe", "start"};
  EXPECT_EQ(nearest("porb", words), "prob");
  EXPECT_EQ(nearest("probee", words), "probe");
  EXPECT_EQ(nearest("stat", words), "start");
  EXPECT_EQ(nearest("zzzz", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100000, 'p'), words), "");
}

struct Settings {
  bool flag = true;
  int count = -3;
  std::uint64_t seed = 7;
  double rate = 0.1;
  std::string text = "a\"b\\c\n\t\x01 \xc3\xa4 # = [";
  Moment start{1.0, true};
  Moment stop{1.0, false};
  std::vector<Moment> keep{{0.5, true}, {30.0, false}};
  std::vector<double> weights{1.0, 0.1, 1e-300};
  Call area{"range", {0.2, 0.5}};
  Kind kind = Kind::random;
  bool operator==(const Settings&) const = default;
};

std::vector<Resolved> bind(const Document& document, Settings& s) {
  Binder binder(document);
  binder.field("flag", s.flag, "a flag");
  binder.field("a.count", s.count, Range{}, "");
  binder.field("b.seed", s.seed, Range{}, "");
  binder.field("a.rate", s.rate, Range{}, "");
  binder.field("a.deep.text", s.text, "");
  binder.field("b.start", s.start, "");
  binder.field("b.stop", s.stop, "");
  binder.field("a.keep", s.keep, "");
  binder.field("top", s.weights, Range{}, "");
  binder.field("a.area", s.area, kAreas, "");
  binder.choice("a.kind", s.kind, kKinds, "");
  binder.finish();
  EXPECT_EQ(binder.was_set("a.count"), document.entries().count("a.count") == 1);
  return binder.resolved();
}

TEST(ToToml, LoadsToTheSameSettings) {
  Settings changed;
  changed.flag = false;
  changed.count = 12;
  changed.rate = 0.1 + 0.2;
  changed.weights = {5e-324, -0.0, 1e22, 123456789.0, 1.0 / 3.0};
  changed.start = {0.0, true};
  changed.area = {"beta", {1.0, 1e-2}};
  for (const bool origins : {false, true}) {
    for (Settings settings : {Settings{}, changed}) {
      const std::string text = to_toml(bind(Document(), settings), origins);
      Settings again;
      const auto resolved = bind(Document::parse(text, "again"), again);
      EXPECT_EQ(again, settings) << text;
      EXPECT_EQ(to_toml(resolved, false), to_toml(bind(Document(), settings), false));
    }
  }
}

TEST(ToToml, WritesSectionsAndOrigins) {
  const Document document = doc("flag = false\n[b]\nstop = 4\n");
  Settings settings;
  const std::string text = to_toml(bind(document, settings), true);
  EXPECT_EQ(text,
            "flag = false  # x.toml:1\n"
            "top = [1.0, 0.1, 1e-300]  # default\n"
            "\n[a]\n"
            "count = -3  # default\n"
            "rate = 0.1  # default\n"
            "keep = [0.5, 30]  # default\n"
            "area = \"range(0.2,0.5)\"  # default\n"
            "kind = \"random\"  # default\n"
            "\n[b]\n"
            "seed = 7  # default\n"
            "start = 1.0  # default\n"
            "stop = 4  # x.toml:3\n"
            "\n[a.deep]\n"
            "text = \"a\\\"b\\\\c\\n\\t\\u0001 \xc3\xa4 # = [\"  # default\n");
}

TEST(ToToml, AnOriginCannotBreakOutOfItsComment) {
  const std::string text = to_toml({{"k", "1", "a\nb = 2", ""}}, true);
  EXPECT_EQ(text, "k = 1  # a?b = 2\n");
  EXPECT_EQ(to_toml({{"k", "1", "jos\xe9.toml:1", ""}}, true), "k = 1  # jos?.toml:1\n")
      << "TOML takes UTF-8 alone, and a path can be anything";
}

// Longer than the lines that are read: a run could not be resumed.
TEST(ToToml, LongListsAreReadBack) {
  std::string list = "[0.5";
  for (int i = 0; i < 400; ++i) list += ", 0.25";
  list += "]";
  for (const std::string& value : {list, std::string("[\"a, \\\" b\", ") + list.substr(1)}) {
    const std::string text = to_toml({{"k", value, "x", ""}}, true);
    const Document read = Document::parse(text, "t");
    EXPECT_EQ(to_text(read.entries().at("k").value), value);
  }
  EXPECT_EQ(to_toml({{"k", list, "x", ""}}, false), "k = " + list + "\n") << "hashes stay";
}

}  // namespace
}  // namespace smcl::config
