#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace smcl::command {

using SettingKeys = std::function<std::vector<std::string>()>;

/// Adds `smcl index`. `setting_keys` gives the keys of all settings; it is asked only for a key
/// that no run has.
void add_index(CLI::App& app, const SettingKeys& setting_keys);

}  // namespace smcl::command
