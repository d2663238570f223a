#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/log.h"

namespace smcl::cli {

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

/// The program, in this process.
inline Result smcl(std::vector<std::string> words) {
  words.insert(words.begin(), "smcl");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  log::set_console_level(log::Level::info);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Result result;
  result.code = run(static_cast<int>(arguments.size()), arguments.data());
  result.out = ::testing::internal::GetCapturedStdout();
  result.err = ::testing::internal::GetCapturedStderr();
  return result;
}

inline std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

/// Goes away with the process.
struct Scratch {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / ("smcl-cli-" + std::to_string(getpid()));
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

inline std::filesystem::path fresh_folder(const std::string& name) {
  static const Scratch scratch;
  auto folder = scratch.path / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// A run folder as it stands after training, as far as it is read before the weights.
inline std::filesystem::path stored_run(const std::string& name, const std::string& summary,
                                        const std::string& config = "[train]\nepochs = 2\n") {
  auto run = fresh_folder(name);
  std::ofstream(run / "config.toml") << config;
  std::ofstream(run / "summary.json") << summary;
  std::filesystem::create_directories(run / "checkpoints");
  for (const char* which : {"last", "best_on_val"}) {
    std::ofstream(run / "checkpoints" / (std::string(which) + ".safetensors")) << "weights";
  }
  return run;
}

inline void expect_one_line(const Result& result, int code, const std::string& part) {
  EXPECT_EQ(result.code, code);
  EXPECT_EQ(lines(result.err), 1) << result.err;
  EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
}

}  // namespace smcl::cli
