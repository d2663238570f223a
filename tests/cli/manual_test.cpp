#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/program.h"
#include "format/scratch.h"

namespace smcl::cli {
namespace {

using ::testing::HasSubstr;

std::string without_backslashes(std::string text) {
  std::erase(text, '\\');
  return text;
}

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

/// "--set" and so on in a text.
std::set<std::string> options_in(const std::string& text) {
  std::set<std::string> options;
  for (std::size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
    const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 2);
    if (end > at + 2) options.insert(text.substr(at, end - at));
  }
  return options;
}

TEST(Manual, HasEveryCommandAndOption) {
  const std::string page = without_backslashes(smcl({"manual"}).out);
  std::size_t seen = 0;
  for (const std::string command :
       {"train", "sweep", "index list", "index rebuild", "eval", "compare", "report", "explain",
        "analyze", "data info", "data verify", "settings", "doctor", "manual", "completion"}) {
    std::vector<std::string> words;
    std::istringstream line(command);
    for (std::string word; line >> word;) words.push_back(word);
    words.emplace_back("--help");
    const std::size_t begin = page.find(".SS smcl " + command + "\n");
    ASSERT_NE(begin, std::string::npos) << command;
    const auto told = options_in(page.substr(begin, page.find("\n.S", begin + 1) - begin));
    for (const std::string& option : options_in(smcl(words).out)) {
      EXPECT_TRUE(told.contains(option)) << command << ' ' << option;
      ++seen;
    }
  }
  EXPECT_GT(seen, 50U);
}

class Completion : public ScratchFolder {
 protected:
  /// What bash completes the last of `words` to, one after another.
  std::string complete(const std::string& words) {
    const std::string script = (folder() / "complete.bash").string();
    std::ofstream(script) << smcl({"completion", "bash"}).out << "cd '" << folder().string()
                          << "'\nCOMP_WORDS=(" << words
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
