#include "data/lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/files.h"

namespace smcl::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseCounts, CommentsBlankLinesAndCarriageReturnsDoNotCount) {
  EXPECT_THAT(parse_counts("# sizes\r\n5000\r\n\r\n 0 # none\r\n\t7", 3, "f"),
              ElementsAre(5000, 0, 7));
}

TEST(ParseCounts, ErrorsNameTheLine) {
  const auto fails = [](const char* text) {
    return error_of<DataError>([&] { parse_counts(text, 2, "counts.txt"); });
  };
  EXPECT_THAT(fails("1\n\n-2\n"), AllOf(HasSubstr("counts.txt:3"), HasSubstr("'-2'")));
  EXPECT_THAT(fails("1\n2.5\n"), AllOf(HasSubstr("counts.txt:2"), HasSubstr("'2.5'")));
  EXPECT_THAT(fails("1 2\n"), AllOf(HasSubstr("counts.txt:1"), HasSubstr("'1 2'")));
  EXPECT_THAT(fails("99999999999999999999\n1"), HasSubstr("counts.txt:1"));
  EXPECT_THAT(fails("3000000000\n1"), HasSubstr("counts.txt:1"));
  EXPECT_THAT(fails("1\n"), AllOf(HasSubstr("got 1 counts"), HasSubstr("expected 2")));
  EXPECT_THAT(fails("1\n2\n3\n"), HasSubstr("got 3 counts"));
  EXPECT_THAT(fails(""), HasSubstr("got 0 counts"));
  EXPECT_THAT(fails("\x01\x02 and a line that goes on and on and on\n"),
              AllOf(HasSubstr("'?? and a line"), HasSubstr("...'")));
}

TEST(ParseIndices, KeepTheOrderOfTheFile) {
  EXPECT_THAT(parse_indices("3\n0\n# x\n2", 4, "f"), ElementsAre(3, 0, 2));
}

TEST(ParseIndices, ErrorsNameTheLine) {
  const auto fails = [](const char* text, std::size_t size) {
    return error_of<DataError>([&] { parse_indices(text, size, "f"); });
  };
  EXPECT_THAT(fails("0\n4\n", 4), AllOf(HasSubstr("f:2"), HasSubstr("0 to 3")));
  EXPECT_THAT(fails("1\n#\n1\n", 4),
              AllOf(HasSubstr("f:3"), HasSubstr("position 1"), HasSubstr("line 1")));
  EXPECT_THAT(fails("\n", 4), HasSubstr("no positions"));
  EXPECT_THAT(fails("0", 0), HasSubstr("empty"));
}

TEST(ReadCounts, FromAFile) {
  const Folder folder;
  EXPECT_THAT(read_counts(folder.write("c", "1\n2\n"), 2), ElementsAre(1, 2));
  EXPECT_THAT(read_indices(folder.write("i", "1\n"), 2), ElementsAre(1));
  EXPECT_THAT(error_of<DataError>([&] { read_counts(folder.path() / "none", 2); }),
              AllOf(HasSubstr("none is missing"), HasSubstr("data.counts_file")));
  EXPECT_THAT(error_of<DataError>([&] { read_indices(folder.path() / "none", 2); }),
              HasSubstr("data.indices_file"));
  EXPECT_THROW(read_counts(folder.path(), 2), IoError);  // a folder
}

}  // namespace
}  // namespace smcl::data
