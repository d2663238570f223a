#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

/// JSON from files that may be hostile or torn. The version of our own layouts is 1; files carry
/// it as "format_version".
namespace smcl::format {

constexpr int kFormatVersion = 1;

/// Parses one JSON text. Throws DataError, which names `origin` and the byte, for syntax, a key
/// that comes twice in an object, and nesting deeper than `max_depth`.
nlohmann::json parse_json(std::string_view text, const std::string& origin, int max_depth = 32);

/// One line of JSON. Text that is no UTF-8 is written with U+FFFD in its place; numbers that are
/// not finite become null.
std::string to_line(const nlohmann::json& value);

/// null where there is no value, and back. The second throws nlohmann::json::exception where the
/// value is neither null nor a number.
nlohmann::json number_or_null(const std::optional<double>& value);
std::optional<double> optional_number(const nlohmann::json& value);

/// The integer behind `key` of an object, in [low, high]. Throws DataError, which names `origin`,
/// where it is missing or anything else.
std::int64_t integer_at(const nlohmann::json& object, const std::string& key, std::int64_t low,
                        std::int64_t high, const std::string& origin);
/// The same for a list of integers.
std::vector<int> integers_at(const nlohmann::json& object, const std::string& key, int low,
                             int high, const std::string& origin);

/// The text of a DataError on a file that lacks something or has another type there.
std::string damage(const std::string& origin, const nlohmann::json::exception& problem);
/// `read()`; what nlohmann::json throws in there becomes a DataError that names `origin`.
template <class Read>
auto reading(const std::string& origin, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const nlohmann::json::exception& problem) {
    throw DataError(damage(origin, problem));
  }
}

/// Reads a JSON file whose top is an object. Throws IoError, DataError.
nlohmann::json read_json_object(const std::filesystem::path& file);

/// Throws DataError unless "format_version" is there and one that this program knows.
void check_format_version(const nlohmann::json& object, const std::string& origin);

/// Reads one JSON object a line. A last line without line break, which a crash or a full disk can
/// leave, is left out; whatever else is no object throws DataError with origin:line.
std::vector<nlohmann::json> parse_json_lines(std::string_view text, const std::string& origin);
/// The same from a file. Throws IoError besides where it cannot be read.
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& file);

}  // namespace smcl::format
