#include "report/markup.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace smcl::report {
namespace {

std::string base64_of(std::string_view text) {
  return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(Escaped, NothingEndsAnElementOrAnAttribute) {
  EXPECT_EQ(escaped("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;");
}

TEST(Escaped, ControlCharactersAndBytesThatAreNoText) {
  EXPECT_EQ(escaped(std::string("a\0b\x1b[1m", 7)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD[1m");
  EXPECT_EQ(escaped("a\xff"
                    "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(escaped("b\xc3\xa4r\n"), "b\xc3\xa4r\n");
}

TEST(Fixed, SignsAndLimits) {
  EXPECT_EQ(fixed(-0.04, 1), "0.0");
  EXPECT_EQ(fixed(2.25, 1), "2.2");
  EXPECT_EQ(fixed(std::numeric_limits<double>::infinity(), 1), "-");
  EXPECT_EQ(signed_fixed(0.44, 1), "+0.4");
  EXPECT_EQ(signed_fixed(-1.25, 2), "-1.25");
  EXPECT_EQ(signed_fixed(-0.04, 1), "0.0") << "neither above nor below";
  EXPECT_EQ(signed_fixed(0.0, 2), "0.00");
  EXPECT_EQ(p_text(0.0004), "p < 0.001");
  EXPECT_EQ(p_text(0.0344), "p = 0.034");
}

// An interval that leaves zero out must not look as if it held it.
TEST(IntervalText, SaysOnWhichSideOfZeroAnEndLies) {
  EXPECT_EQ(interval_text(-0.31, -0.04), "-0.3 to -0.04");
  EXPECT_EQ(interval_text(-0.31, 0.004), "-0.3 to +0.004");
  EXPECT_EQ(interval_text(0.05, 1.25), "+0.1 to +1.2");
  EXPECT_EQ(interval_text(0.0, 1e-9), "0.0 to 0.0000");
}

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(base64_of("f"), "Zg==");
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  EXPECT_EQ(base64_of("foo"), "Zm9v");
  EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
}

TEST(Base64, PiecesJoin) {
  const std::string zeros((3U << 20U) + 1, '\0');
  const std::string coded = base64_of(zeros);
  EXPECT_EQ(coded.size(), ((3U << 20U) + 3) / 3 * 4);
  EXPECT_EQ(coded.substr(0, coded.size() - 3).find_first_not_of('A'), std::string::npos);
  EXPECT_TRUE(coded.ends_with("AA=="));
}

TEST(PNumber, KeepsItsSideOfTheLevel) {
  EXPECT_EQ(p_number(0.00003), "< 0.001");
  EXPECT_EQ(p_number(0.0341), "0.034");
  EXPECT_EQ(p_number(0.05), "0.050");
  EXPECT_EQ(p_number(0.0504), "0.0504");
  EXPECT_EQ(p_number(0.04996), "0.050") << "decided, and shown so";
  EXPECT_EQ(p_text(0.0504), "p = 0.0504");
  EXPECT_EQ(p_text(0.0), "p < 0.001");
}

TEST(Shortened, CountsLetters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4), "\xc3\xa4...");
}

TEST(Printable, LeavesNoEscapeSequence) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a??31m")
      << "CSI as one character";
  EXPECT_EQ(printable("\xc3\x9b\xc2\xa0"), "\xc3\x9b\xc2\xa0") << "letters stay";
}

TEST(MarkdownEscaped, CellsAndEmphasis) {
  EXPECT_EQ(markdown_escaped("a|b*c_\n<d>"), "a\\|b\\*c\\_ \\<d\\>");
}

TEST(LatexEscaped, SpecialCharacters) {
  EXPECT_EQ(latex_escaped("50 % of a_b & c\\d ~ ^"),
            "50 \\% of a\\_b \\& c\\textbackslash{}d \\textasciitilde{} \\textasciicircum{}");
}

}  // namespace
}  // namespace smcl::report
