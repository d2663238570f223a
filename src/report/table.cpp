#include "report/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "report/markup.h"

namespace smcl::report {
namespace {

bool is_missing(const Cell& value) {
  return std::holds_alternative<std::monostate>(value);
}

Cell without_non_finite(Cell value) {
  if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
    return {};
  }
  if (const auto* spread = std::get_if<Spread>(&value);
      spread && !(std::isfinite(spread->mean) && std::isfinite(spread->deviation))) {
    return {};
  }
  if (const auto* difference = std::get_if<Difference>(&value);
      difference && !(std::isfinite(difference->mean) && std::isfinite(difference->deviation) &&
                      std::isfinite(difference->half_width))) {
    return {};
  }
  return value;
}

std::string as_text(const Cell& value, const Column& column) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return printable(*text);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    if (column.probability) return p_number(*number);
    return fixed(*number * column.scale, column.digits);
  }
  if (const auto* spread = std::get_if<Spread>(&value)) {
    return fixed(spread->mean * column.scale, column.digits) + " +- " +
           fixed(spread->deviation * column.scale, column.digits);
  }
  if (const auto* difference = std::get_if<Difference>(&value)) {
    return fixed(difference->mean * column.scale, column.digits) + " +- " +
           fixed(difference->deviation * column.scale, column.digits) + " (" +
           fixed(difference->half_width * column.scale, column.digits) + ")";
  }
  return "-";
}

/// Characters of UTF-8, as a terminal shows them side by side.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string shortest(double value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) {
    return text;
  }
  std::string result = "\"";
  for (const char c : text) {
    result += c;
    if (c == '"') {
      result += c;
    }
  }
  return result + '"';
}

/// What CSV and JSON show under the key with `ending`: a text, a number or nothing.
Cell part(const Cell& value, const std::string& ending) {
  const bool whole = ending.empty();
  if (const auto* spread = std::get_if<Spread>(&value)) {
    return whole ? spread->mean : spread->deviation;
  }
  if (const auto* difference = std::get_if<Difference>(&value)) {
    return whole              ? difference->mean
           : ending == "_sd"  ? difference->deviation
           : ending == "_low" ? difference->mean - difference->half_width
                              : difference->mean + difference->half_width;
  }
  return whole ? value : Cell();
}

bool is_whole(double value) {
  return std::abs(value) < 0x1p53 && std::nearbyint(value) == value;
}

std::string as_csv(const Cell& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return quoted(*text);
  }
  const auto* number = std::get_if<double>(&value);
  return number ? shortest(*number) : std::string();
}

nlohmann::ordered_json as_json(const Cell& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  const auto* number = std::get_if<double>(&value);
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Cell cell(const std::optional<double>& value) {
  return value ? Cell(*value) : Cell();
}

TextStyle text_style(bool is_terminal) {
  return is_terminal && !log::no_color() ? TextStyle::bold : TextStyle::plain;
}

TableFormat table_format(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, TableFormat>, 3> known{
      {{"text", TableFormat::text}, {"csv", TableFormat::csv}, {"json", TableFormat::json}}};
  for (const auto& [known_name, format] : known) {
    if (name == known_name) {
      return format;
    }
  }
  throw UsageError(concat("format: got \"", name, "\", expected text, csv or json"));
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::set<std::string> keys;
  for (const Column& column : columns_) {
    if (!keys.insert(column.key).second) {
      throw InternalError(concat("table: two columns with the key \"", column.key, "\""));
    }
  }
  if (columns_.empty()) {
    throw InternalError("table: no columns");
  }
}

void Table::add_row(std::vector<Cell> cells, Emphasis emphasis) {
  if (cells.size() != columns_.size()) {
    throw InternalError(
        concat("table: a row of ", cells.size(), " cells, expected ", columns_.size()));
  }
  std::transform(cells.begin(), cells.end(), cells.begin(), without_non_finite);
  rows_.push_back({std::move(cells), emphasis});
}

std::vector<Table::Part> Table::parts() const {
  std::vector<Part> result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const bool spreads = std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
      return std::holds_alternative<Spread>(row.cells[c]);
    });
    result.emplace_back(c, "");
    if (spreads || columns_[c].differences) {
      result.emplace_back(c, "_sd");
    }
    if (columns_[c].differences) {
      result.emplace_back(c, "_low");
      result.emplace_back(c, "_high");
    }
  }
  return result;
}

bool Table::is_shown(std::size_t column) const {
  return !columns_[column].hide_if_empty ||
         std::any_of(rows_.begin(), rows_.end(),
                     [&](const Row& row) { return !is_missing(row.cells[column]); });
}

bool Table::aligns_right(std::size_t column) const {
  return std::none_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    return std::holds_alternative<std::string>(row.cells[column]);
  });
}

std::vector<std::vector<std::string>> Table::texts() const {
  std::vector<std::vector<std::string>> result(rows_.size() + 1);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (!is_shown(c)) continue;
    result.front().push_back(printable(columns_[c].title));
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      result[r + 1].push_back(as_text(rows_[r].cells[c], columns_[c]));
    }
  }
  return result;
}

std::string Table::text(TextStyle style) const {
  std::vector<std::string> lines(rows_.size() + 1);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (!is_shown(c)) {
      continue;
    }
    std::vector<std::string> texts{printable(columns_[c].title)};
    for (const Row& row : rows_) {
      texts.push_back(as_text(row.cells[c], columns_[c]));
    }
    std::size_t widest = 0;
    for (const std::string& text : texts) {
      widest = std::max(widest, width(text));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string padding(widest - width(texts[i]), ' ');
      lines[i] += lines[i].empty() && c == 0 ? "" : "  ";
      lines[i] += aligns_right(c) ? padding + texts[i] : texts[i] + padding;
    }
  }
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].erase(lines[i].find_last_not_of(' ') + 1);
    const bool strong = i == 0 || rows_[i - 1].emphasis == Emphasis::strong;
    const bool bold = strong && style == TextStyle::bold;
    result += bold ? "\x1b[1m" + lines[i] + "\x1b[0m\n" : lines[i] + "\n";
  }
  return result;
}

std::string Table::csv() const {
  const std::vector<Part> shown = parts();
  std::string result;
  for (const auto& [column, ending] : shown) {
    result += (result.empty() ? "" : ",") + quoted(columns_[column].key + ending);
  }
  for (const Row& row : rows_) {
    const char* before = "\n";
    for (const auto& [column, ending] : shown) {
      result += before + as_csv(part(row.cells[column], ending));
      before = ",";
    }
  }
  return result + "\n";
}

std::string Table::json() const {
  const std::vector<Part> shown = parts();
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const Row& row : rows_) {
    nlohmann::ordered_json object;
    for (const auto& [column, ending] : shown) {
      const Cell value = part(row.cells[column], ending);
      nlohmann::ordered_json& place = object[columns_[column].key + ending];
      place = as_json(value);
      const auto* number = std::get_if<double>(&value);
      const bool count = number != nullptr && columns_[column].digits == 0;
      if (count && is_whole(*number)) place = static_cast<std::int64_t>(*number);
    }
    result.push_back(std::move(object));
  }
  // A name that is no UTF-8 must not keep the numbers from being printed.
  return result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Table::render(TableFormat format, TextStyle style) const {
  switch (format) {
    case TableFormat::csv:
      return csv();
    case TableFormat::json:
      return json();
    case TableFormat::text:
      break;
  }
  return text(style);
}

}  // namespace smcl::report
