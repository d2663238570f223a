#include "format/json.h"

#include <cstdint>
#include <limits>
#include <set>

#include "core/error.h"
#include "format/file.h"

namespace smcl::format {

using nlohmann::json;

namespace {

std::int64_t integer_of(const json& value, std::int64_t low, std::int64_t high,
                        const std::string& key, const std::string& origin) {
  const bool large = value.is_number_unsigned() &&
                     value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (value.is_number_integer() && !large) {
    const auto number = value.get<std::int64_t>();
    if (number >= low && number <= high) return number;
  }
  throw DataError(concat(origin, ": ", key, " is ", to_line(value), ", expected an integer from ",
                         low, " to ", high));
}

const json& value_at(const json& object, const std::string& key, const std::string& origin) {
  const auto found = object.find(key);
  if (found == object.end()) throw DataError(concat(origin, ": ", key, " is missing"));
  return *found;
}

}  // namespace

json parse_json(std::string_view text, const std::string& origin, int max_depth) {
  // Keys seen so far of every object that is open, by depth.
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth >= max_depth) {
        throw DataError(concat(origin, ": JSON nested deeper than ", max_depth));
      }
      if (open.size() < level + 2) open.resize(level + 2);
      open[level + 1].clear();
    } else if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open.at(level).insert(key).second) {
        throw DataError(concat(origin, ": the key ", to_line(key), " comes twice"));
      }
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::parse_error& failure) {
    throw DataError(concat(origin, ": no valid JSON at byte ", failure.byte));
  } catch (const json::exception& failure) {
    throw DataError(concat(origin, ": no valid JSON: ", failure.what()));
  }
}

std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

nlohmann::json number_or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

std::optional<double> optional_number(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

std::string damage(const std::string& origin, const json::exception& problem) {
  std::string text = problem.what();  // "[json.exception.out_of_range.403] key 'last' not found"
  if (const auto end = text.find("] "); end != std::string::npos) text = text.substr(end + 2);
  return concat(origin, ": ", text, ": damaged, or not written by this version");
}

std::int64_t integer_at(const json& object, const std::string& key, std::int64_t low,
                        std::int64_t high, const std::string& origin) {
  return integer_of(value_at(object, key, origin), low, high, key, origin);
}

std::vector<int> integers_at(const json& object, const std::string& key, int low, int high,
                             const std::string& origin) {
  const json& list = value_at(object, key, origin);
  if (!list.is_array()) {
    throw DataError(concat(origin, ": ", key, " is ", list.type_name(), ", expected a list"));
  }
  std::vector<int> numbers;
  for (const json& value : list) {
    numbers.push_back(static_cast<int>(integer_of(value, low, high, key, origin)));
  }
  return numbers;
}

json read_json_object(const std::filesystem::path& file) {
  json object = parse_json(read_text(file), file.string());
  if (!object.is_object()) {
    throw DataError(concat(file.string(), ": expected a JSON object, got ", object.type_name()));
  }
  return object;
}

void check_format_version(const json& object, const std::string& origin) {
  const auto found = object.find("format_version");
  if (found == object.end()) throw DataError(concat(origin, ": 'format_version' is missing"));
  if (!found->is_number_integer() || *found < 1 || *found > kFormatVersion) {
    throw DataError(concat(origin, ": format_version is ", to_line(*found),
                           "; this program reads versions up to ", kFormatVersion));
  }
}

std::vector<json> parse_json_lines(std::string_view text, const std::string& origin) {
  std::vector<json> rows;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = concat(origin, ":", rows.size() + 1);
    rows.push_back(parse_json(text.substr(begin, end - begin), line));
    if (!rows.back().is_object()) throw DataError(concat(line, ": expected a JSON object"));
  }
  return rows;
}

std::vector<json> read_json_lines(const std::filesystem::path& file) {
  return parse_json_lines(read_text(file), file.string());
}

}  // namespace smcl::format
