#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace smcl::command {

/// What `work` comes to as an exit code, an error as one line on standard error. The only place
/// that prints errors.
int exit_code_after(const std::function<void()>& work);

/// Parses a command line and runs the command of `app` that it names; returns the exit code.
int run(CLI::App& app, int argc, char** argv);

}  // namespace smcl::command
