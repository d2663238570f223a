#include "record/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "core/cpu.h"
#include "core/error.h"
#include "core/log.h"
#include "format/file.h"
#include "format/scratch.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class Runs : public ScratchFolder {
 protected:
  fs::path root() const { return folder() / "runs"; }
  RunFolder make(const std::string& name, const std::string& hash) {
    RunFolder run = RunFolder::create(root(), name);
    run.write_config("a = 1\n", hash);
    return run;
  }
};

TEST_F(Runs, AreNumberedFromOne) {
  EXPECT_EQ(RunFolder::create(root(), "x").name(), "x-1");
  EXPECT_EQ(RunFolder::create(root(), "x").name(), "x-2");
  EXPECT_EQ(RunFolder::create(root(), "x-2").name(), "x-2-1");
  EXPECT_EQ(RunFolder::create(root(), "y").path(), root() / "y-1");
  // Others' folders are no runs of x; a gap is not filled, since the highest is the newest.
  for (const char* other : {"x-7b", "x-08", "x--9", "x-", "x-99999999999999999999"}) {
    fs::create_directories(root() / other);
  }
  fs::create_directories(root() / "x-5");
  EXPECT_EQ(RunFolder::create(root(), "x").name(), "x-6");
}

TEST_F(Runs, NamesMustBePlainFolderNames) {
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string(".."), std::string(".a"),
        std::string("a\nb"), std::string("a\0b", 3), std::string(201, 'a')}) {
    EXPECT_THROW(RunFolder::create(root(), name), UsageError) << name;
    EXPECT_THROW(RunFolder::find(root(), name, "h"), UsageError) << name;
  }
  format::write_file_atomic(folder() / "plain", "");
  EXPECT_THROW(RunFolder::create(folder() / "plain", "x"), IoError);
}

TEST_F(Runs, EachOfSeveralProcessesGetsItsOwn) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      for (int i = 0; i < 10; ++i) {
        std::ofstream(RunFolder::create(root(), "x").path() / "owner", std::ios::app) << child;
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int n = 1; n <= 40; ++n) {
    EXPECT_EQ(format::read_text(root() / ("x-" + std::to_string(n)) / "owner").size(), 1U) << n;
  }
}

TEST_F(Runs, KeepTheirRecord) {
  RunFolder run = make("x", "hash");
  run.write_fingerprint({{"cpu", "some"}});
  EXPECT_EQ(run.config(), "a = 1\n");
  EXPECT_EQ(run.fingerprint(),
            (json{{"cpu", "some"}, {"settings_hash", "hash"}, {"format_version", 1}}));
  EXPECT_TRUE(run.metrics().empty());
  run.append_metrics({{"epoch", 0}, {"loss", 2.5}});
  run.append_metrics({{"epoch", 1}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_EQ(run.metrics(),
            (std::vector<json>{{{"epoch", 0}, {"loss", 2.5}, {"format_version", 1}},
                               {{"epoch", 1}, {"loss", nullptr}, {"format_version", 1}}}));
  EXPECT_FALSE(run.finished());
  EXPECT_THAT(error_of<DataError>([&] { run.summary(); }), HasSubstr("not finished"));
  run.write_summary({{"epochs", 2}});
  EXPECT_TRUE(run.finished());
  EXPECT_EQ(run.summary(), (json{{"epochs", 2}, {"format_version", 1}}));
  EXPECT_EQ(run.weights_file("last"), run.path() / "checkpoints/last.safetensors");
  EXPECT_EQ(run.predictions_file(), run.path() / "predictions/test.safetensors");
  EXPECT_EQ(run.log_file(), run.path() / "log.txt");
}

TEST_F(Runs, TheHashSurvivesWhicheverIsWrittenFirst) {
  RunFolder run = RunFolder::create(root(), "x");
  run.write_fingerprint({{"cpu", "some"}});
  run.write_config("", "hash");
  EXPECT_EQ(run.fingerprint().at("cpu"), "some");
  run.write_fingerprint({{"cpu", "other"}});
  EXPECT_EQ(run.fingerprint().at("cpu"), "other");
  EXPECT_EQ(run.fingerprint().at("settings_hash"), "hash");
}

TEST_F(Runs, AreOpenedByPath) {
  make("x", "hash");
  EXPECT_EQ(RunFolder::open(root() / "x-1").name(), "x-1");
  EXPECT_EQ(RunFolder::open(root() / "x-1/").name(), "x-1");
  EXPECT_EQ(RunFolder::open(root() / "x-1/../x-1/.").name(), "x-1");
  EXPECT_THROW(RunFolder::open(root() / "x-2"), IoError);
  EXPECT_THROW(RunFolder::open(root() / "x-1/config.toml"), IoError);
  EXPECT_THAT(error_of<DataError>([&] { RunFolder::open(root()); }),
              HasSubstr("config.toml is missing"));
}

TEST_F(Runs, AreFoundByTheirSettings) {
  EXPECT_FALSE(RunFolder::find(root(), "x", "a"));  // no root yet
  make("x", "a");
  make("x", "b");
  make("x", "a");
  make("y", "c");
  RunFolder::create(root(), "x");  // nothing in it yet
  EXPECT_EQ(RunFolder::find(root(), "x", "a")->name(), "x-3");
  EXPECT_EQ(RunFolder::find(root(), "x", "b")->name(), "x-2");
  EXPECT_FALSE(RunFolder::find(root(), "x", "c"));
  EXPECT_FALSE(RunFolder::find(root(), "x", ""));
}

TEST_F(Runs, ABrokenOneIsPassedOverWithAWarning) {
  make("x", "a");
  const RunFolder broken = make("x", "a");
  const auto expect_passed_over = [&] {
    ::testing::internal::CaptureStderr();
    const auto found = RunFolder::find(root(), "x", "a");
    const std::string warning = ::testing::internal::GetCapturedStderr();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name(), "x-1");
    EXPECT_THAT(warning, HasSubstr("x-2/fingerprint.json"));
  };
  format::write_file_atomic(broken.path() / "fingerprint.json", "{");
  expect_passed_over();
  std::filesystem::remove(broken.path() / "fingerprint.json");
  expect_passed_over();
}

TEST_F(Runs, MetricsTolerateATornLastLineOnly) {
  RunFolder run = make("x", "a");
  run.append_metrics({{"epoch", 0}});
  const fs::path file = run.path() / "metrics.jsonl";
  std::ofstream(file, std::ios::app) << "{\"epoch\":";
  EXPECT_EQ(run.metrics().size(), 1U);
  run.append_metrics({{"epoch", 1}});  // and going on does not bury it
  ASSERT_EQ(run.metrics().size(), 2U);
  EXPECT_EQ(run.metrics()[1].at("epoch"), 1);
  for (const char* bad : {"{\n", "{\"epoch\":2}\n", "{\"format_version\":2}\n", "3\n"}) {
    const std::string before = format::read_text(file);
    std::ofstream(file, std::ios::app) << bad;
    EXPECT_THAT(error_of<DataError>([&] { run.metrics(); }), HasSubstr("metrics.jsonl:3: ")) << bad;
    format::write_file_atomic(file, before);
  }
  EXPECT_THROW(run.append_metrics(json::array()), InternalError);
}

TEST_F(Runs, AResumeCutsMetricsBack) {
  RunFolder run = make("x", "a");
  for (int epoch = 0; epoch < 4; ++epoch) run.append_metrics({{"epoch", epoch}});
  run.cut_metrics(2);
  ASSERT_EQ(run.metrics().size(), 2U);
  EXPECT_EQ(run.metrics()[1].at("epoch"), 1);
  EXPECT_THAT(error_of<DataError>([&] { run.cut_metrics(3); }), HasSubstr("2 rows, expected 3"));
  run.cut_metrics(0);
  EXPECT_TRUE(run.metrics().empty());
  run.append_metrics({{"epoch", 0}});
  EXPECT_EQ(run.metrics().size(), 1U);
}

TEST_F(Runs, FilesOfALaterVersionAreRefused) {
  RunFolder run = make("x", "a");
  format::write_file_atomic(run.path() / "summary.json", "{\"format_version\": 2}");
  EXPECT_THAT(error_of<DataError>([&] { run.summary(); }), HasSubstr("versions up to 1"));
  format::write_file_atomic(run.path() / "summary.json", "[]");
  EXPECT_THROW(run.summary(), DataError);
}

TEST(Fingerprint, IsCheckedBeforeItIsUsed) {
  const auto parse = [](const std::string& fields) {
    return parse_fingerprint(concat(R"({"format_version": 1, )", fields, "}"), "fingerprint.json");
  };
  EXPECT_NO_THROW(parse(R"("settings_hash": "a", "resumes": [{"changes": "", "settings": "",
      "epoch": 3}], "branched_from": {"run": "a-1", "epoch": 1, "changes": ""})"));
  for (const char* fields :
       {R"("settings_hash": 3)", R"("data_hash": [])", R"("resumes": 7)", R"("resumes": ["x"])",
        R"("resumes": [{"changes": 1, "settings": "", "epoch": 3}])",
        R"("resumes": [{"changes": "", "settings": "", "epoch": -3}])", R"("branched_from": "x")",
        R"("branched_from": {"run": "a-1", "epoch": 4294967297, "changes": ""})"}) {
    EXPECT_THAT(error_of<DataError>([&] { parse(fields); }),
                ::testing::StartsWith("fingerprint.json: "))
        << fields;
  }
}

TEST(Fingerprint, TellsWhatDecidesTheBits) {
  const json fingerprint = base_fingerprint();
  EXPECT_EQ(fingerprint.at("isa"), std::string(name(best_isa())));
  EXPECT_EQ(fingerprint.at("cpus"), usable_cpus());
  EXPECT_EQ(fingerprint.at("cpu"), cpu_model());
  for (const char* key : {"version", "revision", "compiler", "c_library", "system"}) {
    EXPECT_FALSE(fingerprint.at(key).get<std::string>().empty()) << key;
  }
}

}  // namespace
}  // namespace smcl::record
