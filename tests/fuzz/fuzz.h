#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "core/error.h"

/// What the fuzz targets share. A target is one parser; whatever it does with an input other than
/// taking it or refusing it in one line ends the process, which the fuzzer reports as a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace smcl::fuzz {

inline void require(bool good, const char* promise) {
  if (good) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// Whether `action` took the input; any exception but an error that blames the file goes through.
template <class Action>
bool takes(Action action) {
  try {
    action();
    return true;
  } catch (const Error& refusal) {
    if (refusal.code() != ExitCode::usage && refusal.code() != ExitCode::data &&
        refusal.code() != ExitCode::io) {
      throw;
    }
    const std::string_view text = refusal.what();
    require(!text.empty() && std::none_of(text.begin(), text.end(),
                                          [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
            "an error is one line without control characters");
    return false;
  }
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Reads every byte, so that a sanitizer sees a view that points outside of its memory.
inline void touch(std::span<const std::byte> bytes) {
  volatile unsigned sum = 0;
  for (const std::byte byte : bytes) sum = sum + static_cast<unsigned>(byte);
}

}  // namespace smcl::fuzz
