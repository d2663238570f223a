#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/config.h"
#include "core/error.h"

namespace smcl::config {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// An own empty folder for each test.
class RecipeFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("smcl_config_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  fs::path folder_;
};

template <class Kind, class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Kind& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error of the expected kind";
  return {};
}

template <class T>
T get(const Document& document, const std::string& key) {
  return std::get<T>(document.entries().at(key).value);
}

TEST(Document, FlattensTablesAndKeepsTypes) {
  const Document d = Document::parse(
      "name = 'a'\n[mask]\nprob = 0.5\nstart = 1\non = true\nkeep = [1, 2.5, 'x']\n"
      "[a.b]\nc = 2\n",
      "x.toml");
  EXPECT_EQ(get<std::string>(d, "name"), "a");
  EXPECT_EQ(get<double>(d, "mask.prob"), 0.5);
  EXPECT_EQ(get<std::int64_t>(d, "mask.start"), 1);
  EXPECT_TRUE(get<bool>(d, "mask.on"));
  EXPECT_EQ(get<std::int64_t>(d, "a.b.c"), 2);
  const std::vector<Scalar> keep{std::int64_t{1}, 2.5, std::string("x")};
  EXPECT_EQ(get<std::vector<Scalar>>(d, "mask.keep"), keep);
  EXPECT_EQ(d.entries().at("mask.prob").origin, "x.toml:3");
  EXPECT_EQ(d.entries().at("a.b.c").origin, "x.toml:8");
}

TEST(Document, NamesFileLineAndColumnOfASyntaxError) {
  // The value is missing behind the '=' of line 2.
  EXPECT_THAT(error_of<UsageError>([] { Document::parse("a = 1\nb = \n", "x.toml"); }),
              StartsWith("x.toml:2:5: "));
}

// An assertion of toml++ ended the program here.
TEST(Document, BracketsThatNeverCloseAreASyntaxError) {
  for (const std::string text : {"[[[", "[[[a]]]", "[.a]", "[=]"}) {
    EXPECT_THAT(error_of<UsageError>([&] { Document::parse(text, "x.toml"); }),
                StartsWith("x.toml:1:"))
        << text;
  }
}

// What toml++ does with these outside of text in quotes was undefined.
TEST(Document, LettersBeyondAsciiAreNoWhiteSpace) {
  for (const std::string text : {"\xc3\xa4 = 1", "a = \xe3\x81\x82", "[\xca\x8c]"}) {
    EXPECT_THAT(error_of<UsageError>([&] { Document::parse(text, "x.toml"); }),
                StartsWith("x.toml:1:"))
        << text;
  }
  const std::string text = "a = \"\"\"b\\\n \xc3\xa4\"\"\"";
  EXPECT_EQ(get<std::string>(Document::parse(text, "x.toml"), "a"), "b\xc3\xa4");
}

TEST(Document, RefusesWhatSettingsCannotHold) {
  for (const char* text : {"a = [[1]]", "a = [{b = 1}]", "[[a]]\nb = 1", "a = 2024-01-01",
                           "a = 07:30:00", "'a.b' = 1", "\"\" = 1", "a = 1\na = 2"}) {
    EXPECT_THAT(error_of<UsageError>([&] { Document::parse(text, "x.toml"); }),
                StartsWith("x.toml:"))
        << text;
  }
}

TEST(Document, BoundsWhatItReads) {
  EXPECT_THAT(
      error_of<UsageError>([] { Document::parse(std::string((1 << 20) + 1, '\n'), "x.toml"); }),
      HasSubstr("1 MiB"));
  EXPECT_NO_THROW(Document::parse(std::string(1 << 20, '\n'), "x.toml"));
  const auto nested = [](int keys) {
    std::string text = "\na";
    for (int i = 1; i < keys; ++i) text += ".a";
    return text + " = 1";
  };
  EXPECT_NO_THROW(Document::parse(nested(16), "x.toml"));
  for (const int keys : {17, 257}) {
    EXPECT_THAT(error_of<UsageError>([&] { Document::parse(nested(keys), "x.toml"); }),
                ::testing::AllOf(StartsWith("x.toml:2: "), HasSubstr("nested deeper than 16")));
  }
  EXPECT_THAT(error_of<UsageError>([&] { Document::parse(nested(258), "x.toml"); }),
              StartsWith("x.toml:2: more than 256 dots"));
  EXPECT_THAT(error_of<UsageError>([&] { Document::parse(nested(8000), "x.toml"); }),
              StartsWith("x.toml:2: line longer"));
  const std::string brackets = "a = " + std::string(4000, '[');
  EXPECT_THROW(Document::parse(brackets, "x.toml"), UsageError);
}

// 60 x 4000 tables in one another, of half a megabyte, once ran the stack over.
TEST(Document, KeysInTablesInArraysDoNotMultiply) {
  const auto nested = [](int levels, int keys) {
    std::string text = "x = ";
    for (int level = 0; level < levels; ++level) {
      text += "[\n{a";
      for (int i = 1; i < keys; ++i) text += ".a";
      text += " = ";
    }
    text += "1";
    for (int level = 0; level < levels; ++level) text += "}]";
    return text;
  };
  EXPECT_THAT(error_of<UsageError>([&] { Document::parse(nested(60, 4000), "x.toml"); }),
              StartsWith("x.toml:2: more than 256 dots"));
  EXPECT_THROW(Document::parse(nested(120, 257), "x.toml"), UsageError);
  EXPECT_THROW(Document::parse(nested(14, 257), "x.toml"), UsageError);
}

TEST_F(RecipeFiles, ExtendsIsReadFirstAndOverridden) {
  write("base.toml", "[mask]\nprob = 0.1\nkind = 'random'\n[train]\nepochs = 3\n");
  write("more/extra.toml", "[mask]\nprob = 0.2\nstart = 5\n");
  const fs::path top =
      write("top.toml", "extends = ['base.toml', 'more/extra.toml']\n[train]\nepochs = 9\n");
  const Document d = Document::load(top);
  EXPECT_EQ(get<double>(d, "mask.prob"), 0.2);  // the later base wins
  EXPECT_EQ(get<std::string>(d, "mask.kind"), "random");
  EXPECT_EQ(get<std::int64_t>(d, "train.epochs"), 9);
  EXPECT_EQ(d.entries().count("extends"), 0U);
  EXPECT_EQ(d.entries().at("mask.prob").origin, (folder_ / "more/extra.toml").string() + ":2");
  EXPECT_EQ(d.entries().at("train.epochs").origin, top.string() + ":3");
}

TEST_F(RecipeFiles, ExtendsIsRelativeToItsFile) {
  write("b.toml", "x = 1\n");
  write("in/a.toml", "extends = '../b.toml'\n");
  EXPECT_EQ(get<std::int64_t>(Document::load(folder_ / "in/a.toml"), "x"), 1);
}

TEST_F(RecipeFiles, RefusesCyclesButNotDiamonds) {
  write("self.toml", "extends = './self.toml'\n");
  write("a.toml", "extends = 'b.toml'\n");
  write("b.toml", "extends = 'sub/../a.toml'\n");
  fs::create_directories(folder_ / "sub");
  for (const char* name : {"self.toml", "a.toml"}) {
    EXPECT_THAT(error_of<UsageError>([&] { Document::load(folder_ / name); }),
                HasSubstr("leads back"));
  }
  write("root.toml", "x = 1\n");
  write("left.toml", "extends = 'root.toml'\n");
  write("right.toml", "extends = 'root.toml'\n");
  write("diamond.toml", "extends = ['left.toml', 'right.toml']\n");
  EXPECT_NO_THROW(Document::load(folder_ / "diamond.toml"));
}

TEST_F(RecipeFiles, ExtendsCannotExplode) {
  // 2^40 reads if nothing stopped it.
  for (int i = 0; i < 40; ++i) {
    const std::string next = "'" + std::to_string(i + 1) + ".toml'";
    write(std::to_string(i) + ".toml", concat("extends = [", next, ", ", next, "]\n"));
  }
  write("40.toml", "x = 1\n");
  EXPECT_THAT(error_of<UsageError>([&] { Document::load(folder_ / "0.toml"); }),
              HasSubstr("more than 64 files"));
}

TEST_F(RecipeFiles, UnreadableFilesAreIoErrors) {
  EXPECT_THAT(error_of<IoError>([&] { Document::load(folder_ / "none.toml"); }),
              HasSubstr("No such file"));
  EXPECT_THROW(Document::load(folder_), IoError);
  EXPECT_THAT(error_of<IoError>([&] { Document::load(folder_ / std::string(300, 'a')); }),
              HasSubstr("File name too long"));
  fs::create_symlink("loop.toml", folder_ / "loop.toml");
  EXPECT_THROW(Document::load(folder_ / "loop.toml"), IoError);
  const auto error = [&](const std::string& text) {
    return error_of<IoError>([&] { Document::load(write("a.toml", text)); });
  };
  EXPECT_THAT(error("extends = 'none.toml'\n"),
              HasSubstr((folder_ / "a.toml").string() + ":1: cannot read recipe " +
                        (folder_ / "none.toml").string()));
  write("b.toml", "x = 1\n");
  EXPECT_THAT(error("extends = ['b.toml',\n'none.toml']\n"), HasSubstr("a.toml:2: cannot read"));
  EXPECT_THROW(Document::load(write("b.toml", "extends = 3\n")), UsageError);
  EXPECT_TRUE(Document::load(write("empty.toml", "")).entries().empty());
}

TEST(Override, TakesTomlAndBareWords) {
  Document d;
  const auto set = [&](const std::string& text) {
    d.set("k=" + text);
    return d.entries().at("k").value;
  };
  EXPECT_EQ(set("random"), Value(std::string("random")));
  EXPECT_EQ(set("\"random\""), Value(std::string("random")));
  EXPECT_EQ(set("0.5"), Value(0.5));
  EXPECT_EQ(set(" 7 "), Value(std::int64_t{7}));
  EXPECT_EQ(set("true"), Value(true));
  EXPECT_EQ(set("effective(0.9999)"), Value(std::string("effective(0.9999)")));
  EXPECT_EQ(set("effective(b=0.9, c=2)"), Value(std::string("effective(b=0.9, c=2)")));
  EXPECT_EQ(set("[0.2, 5]"), Value(std::vector<Scalar>{0.2, std::int64_t{5}}));
  EXPECT_EQ(set(""), Value(std::string()));
  EXPECT_EQ(set("2024-01-01"), Value(std::string("2024-01-01")));
  EXPECT_EQ(set("/data/x=y"), Value(std::string("/data/x=y")));
  EXPECT_EQ(set("a\nb = 2"), Value(std::string("a\nb = 2")));
  EXPECT_EQ(set("1\nb = 2"), Value(std::string("1\nb = 2")));
  EXPECT_EQ(d.entries().size(), 1U);
  EXPECT_EQ(d.entries().at("k").origin, "--set");
}

TEST(Override, RefusesWhatIsNoAssignment) {
  Document d;
  for (const char* text : {"mask.prob", "=1", "mask..prob=1", ".a=1", "a.=1", "a b=1", "a=[1, x]",
                           "a=\"open", "a=[1,", "a=\xff", "extends=x.toml"}) {
    EXPECT_THAT(error_of<UsageError>([&] { d.set(text); }), StartsWith("--set")) << text;
  }
  EXPECT_TRUE(d.entries().empty());
}

TEST(Override, MergeLetsTheOtherWin) {
  Document a = Document::parse("x = 1\ny = 2\n", "a");
  a.merge(Document::parse("x = 3\n", "b"));
  EXPECT_EQ(get<std::int64_t>(a, "x"), 3);
  EXPECT_EQ(get<std::int64_t>(a, "y"), 2);
  EXPECT_EQ(a.entries().at("x").origin, "b:1");
}

}  // namespace
}  // namespace smcl::config
