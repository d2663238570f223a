#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/error.h"
#include "report/report.h"

// Gains over the baseline under one condition against those under another.
namespace smcl::report {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;  // conditions

bool is_compared(const GainChange& gain, Quantity quantity) {
  return gain.against[place(quantity)].difference.has_value();
}

bool is_compared(const Report& report, Quantity quantity) {
  return std::any_of(report.gains.begin(), report.gains.end(),
                     [&](const GainChange& gain) { return is_compared(gain, quantity); });
}

bool is_compared(const Report& report, Pair pair, Quantity quantity) {
  return std::any_of(report.gains.begin(), report.gains.end(), [&](const GainChange& gain) {
    return Pair(gain.here, gain.there) == pair && is_compared(gain, quantity);
  });
}

const char* gains_text(const Against& against) {
  if (against.verdict == Verdict::better) return "gains more";
  return against.verdict == Verdict::worse ? "gains less" : text_of(against.verdict);
}

std::string labels_with(const Report& report, Pair pair, Quantity quantity, Verdict verdict) {
  std::string text;
  for (const GainChange& gain : report.gains) {
    if (Pair(gain.here, gain.there) != pair) continue;
    if (gain.against[place(quantity)].verdict != verdict) continue;
    text += (text.empty() ? "" : ", ") + gain.label;
  }
  return text;
}

std::string sentence(const Report& report, Pair pair, Quantity quantity, const char* what) {
  std::string text;
  for (const auto& [verdict, words] :
       {std::pair(Verdict::better, "more: "), std::pair(Verdict::worse, "less: "),
        std::pair(Verdict::undecided, "not decided: "),
        std::pair(Verdict::none, "cannot be compared: ")}) {
    const std::string labels = labels_with(report, pair, quantity, verdict);
    if (!labels.empty()) text += concat(text.empty() ? "" : "; ", words, labels);
  }
  const Condition& here = report.conditions[pair.first];
  return concat(what, ", gain over ", here.groups[*here.baseline].group.label, " under ",
                here.label, " against that under ", report.conditions[pair.second].label, ": ",
                text, ".");
}

}  // namespace

std::vector<std::string> gain_words(const Report& report) {
  std::set<Pair> pairs;
  for (const GainChange& gain : report.gains) pairs.emplace(gain.here, gain.there);
  std::vector<std::string> sentences;
  for (const Pair& pair : pairs) {
    for (const auto& [quantity, what] : {std::pair(Quantity::balanced, "Balanced accuracy"),
                                         std::pair(Quantity::medium_few, "Medium and few classes"),
                                         std::pair(Quantity::bias_gap, "Bias by backgrounds")}) {
      // Of accuracy always something is said.
      if (quantity == Quantity::balanced || is_compared(report, pair, quantity)) {
        sentences.push_back(sentence(report, pair, quantity, what));
      }
    }
  }
  return sentences;
}

std::optional<NamedTable> gain_table(const Report& report) {
  if (report.gains.empty()) return std::nullopt;
  std::vector<QuantityInfo> infos;
  const bool thirds =
      std::any_of(report.conditions.begin(), report.conditions.end(), lacks_shot_group);
  for (const QuantityInfo& info : kQuantityInfos) {
    if (info.quantity == Quantity::all || !is_compared(report, info.quantity)) continue;
    if (!is_of_thirds(info.quantity) || thirds) infos.push_back(info);
  }
  std::vector<Column> columns{{"method", "method"}, {"against", "against"}, {"pairs", "n", 0}};
  add_difference_columns(columns, infos, Quantity::balanced);
  columns.push_back({"balanced", "verdict"});
  Table table(std::move(columns));
  for (const GainChange& gain : report.gains) {
    std::vector<Cell> cells{gain.label, report.conditions[gain.there].label,
                            static_cast<double>(gain.pairs)};
    add_difference_cells(cells, gain.against, infos, Quantity::balanced);
    const Against& balanced = gain.against[place(Quantity::balanced)];
    if (balanced.difference) {
      cells.emplace_back(std::string(gains_text(balanced)));
    } else {
      cells.emplace_back();
    }
    table.add_row(std::move(cells));
  }
  const Condition& here = report.conditions[report.gains.front().here];
  return NamedTable{
      concat("Gain over ", here.groups[*here.baseline].group.label, " under ", here.label,
             " minus that under another condition, points: mean, standard deviation and half width "
             "of the 95 % t-interval over seeds that all four have; p after Holm's correction over "
             "the rows"),
      std::move(table)};
}

}  // namespace smcl::report
