#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace smcl::command {

/// What is wrong with a command line that `app` refused with `problem`, in one line: an unknown
/// word with the nearest known one, or the parser's own text.
std::string usage_text(const CLI::App& app, const CLI::ParseError& problem);

}  // namespace smcl::command
