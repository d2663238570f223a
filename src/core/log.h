#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// Messages for people, on standard error and, where one is set, in a run's log file. Neither
/// spdlog nor fmt shows here: torch's headers carry another fmt.
namespace smcl::log {

enum class Level { debug, info, warn, error, off };

/// What reaches standard error; default: info.
void set_console_level(Level level);
/// Whether the environment variable NO_COLOR is set and not empty (no-color.org): no colours then,
/// here or elsewhere.
bool no_color();
/// Stands before what the calling thread says on standard error, so that runs that are trained at
/// once can be told apart; empty: nothing.
void set_name(std::string_view name);
/// Appends everything from debug on that the calling thread says, and the threads without a file of
/// their own where no other is open, to `file` with time stamps; an empty path closes it. Throws
/// IoError where the file cannot be opened.
void set_file(const std::filesystem::path& file);
/// Throws IoError where a message since set_file did not reach the file, with the reason.
void check_file();

void debug(std::string_view text);
void info(std::string_view text);
void warn(std::string_view text);
void error(std::string_view text);
/// An error that somebody else prints: to the file only.
void error_to_file(std::string_view text);

std::string library_version();  ///< of spdlog: "1.10.0"

}  // namespace smcl::log
