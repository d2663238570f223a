#include "report/markup.h"
#include "report/table.h"

// Tables for pages and papers. "+-" of the texts becomes the sign of each language.
namespace smcl::report {
namespace {

constexpr std::string_view kPlusMinus = " +- ";

std::string with_sign(std::string text, std::string_view sign) {
  const auto at = text.find(kPlusMinus);
  if (at != std::string::npos) text.replace(at, kPlusMinus.size(), sign);
  return text;
}

}  // namespace

std::string Table::markdown() const {
  std::vector<bool> right;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (is_shown(c)) right.push_back(aligns_right(c));
  }
  std::string result;
  const auto rows = texts();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool strong = r > 0 && rows_[r - 1].emphasis == Emphasis::strong;
    for (const std::string& text : rows[r]) {
      const std::string cell = with_sign(markdown_escaped(text), " \u00b1 ");
      result += strong ? "| **" + cell + "** " : "| " + cell + " ";
    }
    result += "|\n";
    if (r > 0) continue;
    for (const bool each : right) result += each ? "| ---: " : "| --- ";
    result += "|\n";
  }
  return result;
}

std::string Table::latex() const {
  std::string align;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (is_shown(c)) align += aligns_right(c) ? 'r' : 'l';
  }
  std::string result = "\\begin{tabular}{" + align + "}\n\\toprule\n";
  const auto rows = texts();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool strong = r > 0 && rows_[r - 1].emphasis == Emphasis::strong;
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const std::string cell = with_sign(latex_escaped(rows[r][i]), " $\\pm$ ");
      line += (i == 0 ? "" : " & ") + (strong ? "\\textbf{" + cell + "}" : cell);
    }
    result += line + (r == 0 ? " \\\\\n\\midrule\n" : " \\\\\n");
  }
  return result + "\\bottomrule\n\\end{tabular}\n";
}

std::string Table::html() const {
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (is_shown(c)) shown.push_back(c);
  }
  std::string result = "<table>";
  const auto rows = texts();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool strong = r > 0 && rows_[r - 1].emphasis == Emphasis::strong;
    result += r == 0 ? "<thead><tr>" : strong ? "<tr class=\"strong\">" : "<tr>";
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const char* const number = aligns_right(shown[i]) ? " class=\"num\"" : "";
      const std::string cell = with_sign(escaped(rows[r][i]), " \u00b1 ");
      result += r == 0   ? "<th scope=\"col\"" + std::string(number) + ">" + cell + "</th>"
                : i == 0 ? "<th scope=\"row\">" + cell + "</th>"
                         : "<td" + std::string(number) + ">" + cell + "</td>";
    }
    result += r == 0 ? "</tr></thead><tbody>" : "</tr>";
  }
  return result + "</tbody></table>";
}

}  // namespace smcl::report
