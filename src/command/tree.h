#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace smcl::command {

/// "smcl data info"
std::string path_of(const CLI::App& app);
std::vector<const CLI::App*> commands_of(const CLI::App& app);
/// Long names of the options of one command: "--set".
std::vector<std::string> options_of(const CLI::App& app);
/// Refuses what is no whole number from 0 up, which a conversion would wrap or tell badly.
CLI::Validator whole_number();
/// `--format`, which takes one of `words`; its help lists them behind `of`.
void add_format(CLI::App& command, std::string& format, const std::string& of = "",
                const std::vector<std::string>& words = {"text", "json", "csv"});
/// Words that an option allows, where it lists them: text, json, csv.
std::vector<std::string> words_of(const CLI::Option& option);

}  // namespace smcl::command
