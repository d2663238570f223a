#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace smcl::cli {

/// The manual page of the program in roff, from the same texts as --help.
std::string manual_page(const CLI::App& app, const std::string& version);

/// A completion script of `shell` (bash, zsh, fish): commands, options, the words that an option
/// allows, and files elsewhere. Throws UsageError for another shell.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace smcl::cli
