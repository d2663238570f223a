#pragma once

#include <CLI/CLI.hpp>

namespace smcl::cli {

// One function a subcommand: adds it to `app`, with its options and what it does.
void add_train(CLI::App& app);
void add_sweep(CLI::App& app);
void add_eval(CLI::App& app);
void add_compare(CLI::App& app);
void add_report(CLI::App& app);
void add_explain(CLI::App& app);
void add_analyze(CLI::App& app);
void add_data(CLI::App& app);
void add_doctor(CLI::App& app);
void add_settings(CLI::App& app);
void add_manual(CLI::App& app);
void add_completion(CLI::App& app);

/// Parses and runs a command line; returns the exit code.
int run(int argc, char** argv);

}  // namespace smcl::cli
