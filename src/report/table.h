#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace smcl::report {

/// A mean with its standard deviation, e.g. over seeds.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;
};

/// A mean of differences with their standard deviation and half the width of its interval.
struct Difference {
  double mean = 0.0;
  double deviation = 0.0;
  double half_width = 0.0;
};

/// Nothing (a dash in text, empty in CSV, null in JSON), a text, a number, a mean with spread, a
/// difference. Numbers that are not finite are treated as nothing.
using Cell = std::variant<std::monostate, std::string, double, Spread, Difference>;
Cell cell(const std::optional<double>& value);

struct Column {
  std::string title;           ///< in text
  std::string key;             ///< in CSV and JSON; unique within a table
  int digits = 1;              ///< after the point, in text
  double scale = 1.0;          ///< factor in text, e.g. 100 for percent
  bool hide_if_empty = false;  ///< in text, where no row has a value
  bool differences = false;    ///< CSV and JSON have KEY, KEY_sd, KEY_low, KEY_high
  bool probability = false;    ///< in text as p_number of markup.h
};

/// `plain` everywhere, or `bold` for the header and emphasised rows.
enum class TextStyle { plain, bold };
/// Bold on a terminal, unless the environment variable NO_COLOR is set and not empty
/// (no-color.org).
TextStyle text_style(bool is_terminal);

enum class Emphasis { none, strong };
enum class TableFormat { text, csv, json };
/// "text", "csv" or "json". Throws UsageError with the valid names.
TableFormat table_format(std::string_view name);

/// A small table with one row a thing and one column a quantity.
class Table {
 public:
  /// Throws InternalError where there is no column or two have one key.
  explicit Table(std::vector<Column> columns);

  /// Throws InternalError where there is not one cell a column.
  void add_row(std::vector<Cell> cells, Emphasis emphasis = Emphasis::none);
  std::size_t rows() const { return rows_.size(); }

  /// Aligned columns, two blanks between them, a line a row, without trailing blanks. Columns of
  /// numbers are aligned to the right. A spread is "50.0 +- 2.5", a difference "5.0 +- 2.5 (1.2)":
  /// mean, deviation, half width. Control characters in texts become '?'.
  std::string text(TextStyle style = TextStyle::plain) const;
  /// Quoted as in RFC 4180, with a header line and Unix line ends. Numbers unscaled, with as many
  /// digits as they need to be read back exactly. A column with spreads is followed by one named
  /// KEY_sd.
  std::string csv() const;
  /// An array of objects, one a row, keys in the order of the columns; spreads as in CSV.
  std::string json() const;
  /// A table of GitHub's Markdown; emphasised rows are bold.
  std::string markdown() const;
  /// A LaTeX tabular with the rules of booktabs; emphasised rows are bold.
  std::string latex() const;
  /// A <table> with class "num" on numbers and "strong" on emphasised rows.
  std::string html() const;
  std::string render(TableFormat format, TextStyle style = TextStyle::plain) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    Emphasis emphasis;
  };
  /// A column's number and the ending of a key under which CSV and JSON show it: "", "_sd"...
  using Part = std::pair<std::size_t, std::string>;
  std::vector<Part> parts() const;
  /// Texts of header and rows, the columns shown in text, with spreads as "50.0 +- 2.5".
  std::vector<std::vector<std::string>> texts() const;
  bool is_shown(std::size_t column) const;
  bool aligns_right(std::size_t column) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace smcl::report
