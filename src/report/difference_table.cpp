#include <algorithm>
#include <utility>

#include "core/error.h"
#include "report/comparison.h"

// Comparisons as cells, rows and a table.
namespace smcl::report {

std::optional<double> p_holm_of(const Against& against) {
  return against.verdict == Verdict::none ? std::nullopt : std::optional(against.p_holm);
}

Cell difference_cell(const Against& against) {
  const auto& found = against.difference;
  if (!found) return {};
  return Difference{found->mean, found->deviation, found->half_width};
}

Cell verdict_cell(const Against& against, int pairs) {
  if (against.verdict != Verdict::none) return std::string(text_of(against.verdict));
  if (pairs < kFewestPairs) return std::string("too few pairs");
  return {};
}

void add_difference_columns(std::vector<Column>& columns, std::span<const QuantityInfo> quantities,
                            Quantity judged) {
  for (const QuantityInfo& info : quantities) {
    columns.push_back({info.title, concat("diff_", info.key), 1, 100.0, true, true});
  }
  const char* const title = kQuantityInfos[place(judged)].title;
  columns.push_back({concat("p (Holm), ", title), "p_holm", 3, 1.0, true, false, true});
}

void add_difference_cells(std::vector<Cell>& cells, const std::array<Against, kQuantities>& against,
                          std::span<const QuantityInfo> quantities, Quantity judged) {
  for (const QuantityInfo& info : quantities) {
    cells.push_back(difference_cell(against[place(info.quantity)]));
  }
  cells.push_back(cell(p_holm_of(against[place(judged)])));
}

void add_difference_rows(Table& table, const Condition& condition,
                         std::span<const QuantityInfo> quantities, Quantity judged,
                         ConditionCell which) {
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    if (g == condition.baseline) continue;
    const GroupResult& group = condition.groups[g];
    std::vector<Cell> cells;
    if (which == ConditionCell::first) cells.emplace_back(condition.label);
    cells.emplace_back(group.group.label);
    cells.emplace_back(static_cast<double>(group.pairs));
    add_difference_cells(cells, group.against, quantities, judged);
    cells.push_back(verdict_cell(group.against[place(judged)], group.pairs));
    table.add_row(std::move(cells));
  }
}

Table difference_table(std::span<const Condition> conditions) {
  const bool several = conditions.size() > 1;
  constexpr double points = 100.0;
  std::vector<QuantityInfo> shown;
  for (const Quantity quantity : {Quantity::all, Quantity::many, Quantity::medium, Quantity::few,
                                  Quantity::medium_few, Quantity::bias_gap}) {
    shown.push_back(kQuantityInfos[place(quantity)]);
  }
  if (std::any_of(conditions.begin(), conditions.end(), lacks_shot_group)) {
    for (const QuantityInfo& info : kQuantityInfos) {
      if (is_of_thirds(info.quantity)) shown.insert(shown.end() - 1, info);
    }
  }
  std::vector<Column> columns;
  if (several) columns.push_back({"condition", "condition"});
  columns.push_back({"method", "method"});
  columns.push_back({"pairs", "n", 0});
  for (const QuantityInfo& info : shown) {
    const bool hidden = info.quantity == Quantity::bias_gap || is_of_thirds(info.quantity);
    columns.push_back({info.title, concat("diff_", info.key), 1, points, hidden, true});
  }
  columns.push_back({"p (Holm)", "p_holm", 3, 1.0, true, false, true});
  columns.push_back({"verdict (all)", "verdict", 1, 1.0, true});
  Table table(std::move(columns));
  const Condition* with_baseline = nullptr;
  for (const Condition& condition : conditions) {
    if (!condition.baseline) continue;
    with_baseline = &condition;
    add_difference_rows(table, condition, shown, Quantity::all,
                        several ? ConditionCell::first : ConditionCell::absent);
  }
  if (with_baseline == nullptr) throw UsageError("no baseline to compare with: name one");
  if (table.rows() == 0) {
    throw UsageError(concat("no runs of another recipe on the same data as '",
                            with_baseline->groups[*with_baseline->baseline].group.label,
                            "', which leaves nothing to compare it with: name some too"));
  }
  return table;
}

}  // namespace smcl::report
