#pragma once

#include <gtest/gtest.h>

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

}  // namespace smcl::cli
