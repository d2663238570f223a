#include "command/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/run.h"
#include "format/scratch.h"
#include "record/run_folder.h"
#include "record/run_index.h"

namespace smcl::command {
namespace {

using ::testing::HasSubstr;

struct Result {
  int code = 0;
  int asked = 0;  ///< how often for the settings that there are
  std::string out;
  std::string err;
};

class IndexTest : public ScratchFolder {
 protected:
  void SetUp() override {
    ScratchFolder::SetUp();
    for (const char* prob : {"0.2", "0.5"}) {
      record::RunFolder run = record::RunFolder::create(folder(), std::string("p") + prob);
      run.write_config(std::string("[mask]\nprob = ") + prob + "\n", "hash");
    }
  }

  Result index(std::vector<std::string> words) {
    words.insert(words.begin(), {"smcl", "index"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    Result result;
    CLI::App app;
    app.name("smcl");
    add_index(app, [&result]() -> std::vector<std::string> {
      ++result.asked;
      return {"mask.prob", "mask.kind"};
    });
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    result.code = run(app, static_cast<int>(arguments.size()), arguments.data());
    result.out = ::testing::internal::GetCapturedStdout();
    result.err = ::testing::internal::GetCapturedStderr();
    return result;
  }
};

TEST_F(IndexTest, ListsWithoutKnowingSettings) {
  const Result found = index({"list", folder().string(), "--where", "mask.prob>0.3", "--columns",
                              "folder,mask.prob", "--format", "csv"});
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(found.out, "folder,mask.prob\np0.5-1,0.5\n");
  EXPECT_EQ(found.asked, 0);
}

TEST_F(IndexTest, TakesTheFolderBehindColumns) {
  const Result found =
      index({"list", "--columns", "folder,mask.prob", folder().string(), "--format", "csv"});
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(found.out, "folder,mask.prob\np0.2-1,0.2\np0.5-1,0.5\n");
}

TEST_F(IndexTest, RefusesARunFolderAsAFolderOfRuns) {
  for (const char* command : {"list", "rebuild"}) {
    const Result found = index({command, (folder() / "p0.2-1").string()});
    EXPECT_EQ(found.code, 2);
    EXPECT_THAT(found.err, HasSubstr("is a run folder itself, not a folder of runs: give " +
                                     folder().string() + "\n"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder() / "p0.2-1" / record::RunIndex::kFile));
}

TEST_F(IndexTest, AsksForSettingsWhereNoRunHasTheKey) {
  const Result setting = index({"list", folder().string(), "--columns", "mask.kind"});
  EXPECT_EQ(setting.code, 0) << setting.err;
  EXPECT_EQ(setting.asked, 1);
  const Result wrong = index({"list", folder().string(), "--columns", "mask.knid"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'mask.kind'?"));
}

TEST_F(IndexTest, AnswersNothingOfAnIndexWithoutRuns) {
  std::filesystem::create_directory(folder() / "none");
  const Result found = index({"list", (folder() / "none").string(), "--columns", "mask.knid"});
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(found.asked, 0);
}

}  // namespace
}  // namespace smcl::command
