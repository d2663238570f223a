#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

#include "cli/program.h"
#include "format/scratch.h"

namespace smcl::cli {
namespace {

using ::testing::HasSubstr;

std::string without_backslashes(std::string text) {
  std::erase(text, '\\');
  return text;
}

// Everything that --help says of a command stands in the page too: they come from one text.
TEST(Manual, SaysWhatHelpSays) {
  const std::string page = without_backslashes(smcl({"manual"}).out);
  EXPECT_EQ(page.rfind(".TH SMCL 1", 0), 0U);
  for (const char* text :
       {"smcl data verify", "--branch-from", "--by-recipe", "{text,json,csv}", "Exit codes: 0 done",
        "override a setting: section.key=value (repeatable)", "(default: runs)", "smcl analyze",
        "among which they are sought"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

class Completion : public ScratchFolder {
 protected:
  /// What bash completes the last of `words` to, one after another.
  std::string complete(const std::string& words) {
    const std::string script = (folder() / "complete.bash").string();
    std::ofstream(script) << smcl({"completion", "bash"}).out << "cd " << folder().string()
                          << "\nCOMP_WORDS=(" << words
                          << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_smcl\n"
                          << "echo \"${COMPREPLY[*]}\"\n";
    FILE* bash = ::popen(("bash '" + script + "' 2>&1").c_str(), "r");
    std::string out;
    for (int c = std::fgetc(bash); c != EOF; c = std::fgetc(bash)) out += static_cast<char>(c);
    EXPECT_EQ(::pclose(bash), 0) << out;
    return out.substr(0, out.find('\n'));
  }
};

TEST_F(Completion, KnowsCommandsOptionsWordsAndFiles) {
  EXPECT_EQ(complete("smcl tra"), "train");
  EXPECT_EQ(complete("smcl data ''"), "info verify --help");
  EXPECT_EQ(complete("smcl ana"), "analyze");
  EXPECT_EQ(complete("smcl analyze x --spread ''"), "balanced training target");
  EXPECT_EQ(complete("smcl data verify --fo"), "--format");
  EXPECT_EQ(complete("smcl train x.toml --format ''"), "text json csv");
  EXPECT_EQ(complete("smcl train --form"), "--format");
  EXPECT_EQ(complete("smcl train comp"), "complete.bash");
  EXPECT_EQ(complete("smcl completion z"), "zsh");
}

TEST_F(Completion, ShellsThatAreNotKnownEndWith2) {
  EXPECT_EQ(smcl({"completion", "tcsh"}).code, 2);
  EXPECT_THAT(smcl({"completion", "zsh"}).out, HasSubstr("bashcompinit"));
  EXPECT_THAT(smcl({"completion", "fish"}).out,
              HasSubstr("complete -c smcl -n '__fish_seen_subcommand_from train' -l branch-from"));
}

}  // namespace
}  // namespace smcl::cli
