#include "data/lists.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "core/error.h"
#include "data/missing.h"
#include "format/file.h"

namespace smcl::data {
namespace {

constexpr std::string_view kBlank = " \t\r";

struct Number {
  std::uint32_t value;
  std::size_t line;
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Quoted in errors: whatever somebody put there, on one line and not too long.
std::string quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word.substr(0, 30)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (word.size() > 30 ? "...'" : "'");
}

std::vector<Number> parse_numbers(std::string_view text, std::uint32_t max, std::string_view what,
                                  const std::string& origin) {
  std::vector<Number> numbers;
  std::size_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view word = trimmed(whole.substr(0, whole.find('#')));
    if (word.empty()) continue;
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || rest != word.data() + word.size() || value > max) {
      throw DataError(concat(origin, ":", line, ": got ", quoted(word), ", expected one ", what,
                             " from 0 to ", max));
    }
    numbers.push_back({value, line});
  }
  return numbers;
}

std::string read_list(const std::filesystem::path& file, std::string_view key,
                      std::string_view what) {
  if (missing(file)) {
    throw DataError(concat(std::filesystem::absolute(file).string(), " is missing: data.", key,
                           " must name a text file with one ", what,
                           " a line, seen from the current folder; set it with --set data.", key,
                           "=FILE"));
  }
  return format::read_text(file);
}

}  // namespace

std::vector<int> parse_counts(std::string_view text, int classes, const std::string& origin) {
  const std::vector<Number> numbers =
      parse_numbers(text, std::numeric_limits<int>::max(), "count", origin);
  if (numbers.size() != static_cast<std::size_t>(classes)) {
    throw DataError(concat(origin, ": got ", numbers.size(), " counts, expected ", classes,
                           ", one a class in label order"));
  }
  std::vector<int> counts;
  for (const Number& number : numbers) counts.push_back(static_cast<int>(number.value));
  return counts;
}

std::vector<std::uint32_t> parse_indices(std::string_view text, std::size_t size,
                                         const std::string& origin) {
  if (size == 0) throw DataError(concat(origin, ": the training set is empty"));
  const std::size_t last =
      std::min<std::size_t>(size - 1, std::numeric_limits<std::uint32_t>::max());
  const std::vector<Number> numbers =
      parse_numbers(text, static_cast<std::uint32_t>(last), "position", origin);
  if (numbers.empty()) throw DataError(concat(origin, ": got no positions, expected one a line"));
  std::vector<std::uint32_t> indices;
  std::unordered_map<std::uint32_t, std::size_t> first_line;
  for (const auto& [value, line] : numbers) {
    const auto [seen, fresh] = first_line.emplace(value, line);
    if (!fresh) {
      throw DataError(concat(origin, ":", line, ": position ", value, " stands in line ",
                             seen->second, " already, expected each once"));
    }
    indices.push_back(value);
  }
  return indices;
}

std::vector<int> read_counts(const std::filesystem::path& file, int classes) {
  return parse_counts(read_list(file, "counts_file", "count"), classes, file.string());
}

std::vector<std::uint32_t> read_indices(const std::filesystem::path& file, std::size_t size) {
  return parse_indices(read_list(file, "indices_file", "position"), size, file.string());
}

}  // namespace smcl::data
