#include "report/accuracy_table.h"

#include <array>

#include "core/error.h"
#include "metrics/paired.h"

namespace smcl::report {
namespace {

constexpr std::size_t kQuantities = 8;
using Quantities = std::array<std::optional<double>, kQuantities>;

Quantities quantities(const AccuracyRow& row) {
  const metrics::Accuracy& a = row.accuracy;
  return {a.all, a.many, a.medium, a.few, a.head, a.middle, a.tail, row.bias_gap};
}

std::vector<Column> columns(const std::string& first) {
  constexpr double percent = 100.0;
  return {{first, first},
          {"all", "all", 1, percent},
          {"many", "many", 1, percent},
          {"medium", "medium", 1, percent},
          {"few", "few", 1, percent},
          {"head", "head", 1, percent},
          {"middle", "middle", 1, percent},
          {"tail", "tail", 1, percent},
          {"bias gap", "bias_gap", 1, percent, true}};
}

Cell over_runs(const MethodRuns& method, std::size_t quantity) {
  std::vector<double> values;
  for (const AccuracyRow& run : method.runs) {
    const std::optional<double> value = quantities(run)[quantity];
    if (!value) {
      return {};
    }
    values.push_back(*value);
  }
  const metrics::Moments found = metrics::moments(values);
  if (values.size() == 1) return found.mean;
  return Spread{found.mean, found.deviation};
}

}  // namespace

Table accuracy_table(std::span<const AccuracyRow> rows) {
  Table table(columns("run"));
  for (const AccuracyRow& row : rows) {
    std::vector<Cell> cells{row.run};
    for (const std::optional<double>& value : quantities(row)) {
      cells.push_back(cell(value));
    }
    table.add_row(std::move(cells), row.emphasis);
  }
  return table;
}

Table method_table(std::span<const MethodRuns> methods) {
  std::vector<Column> with_runs = columns("method");
  with_runs.insert(with_runs.begin() + 1, Column{"runs", "runs", 0});
  Table table(std::move(with_runs));
  for (const MethodRuns& method : methods) {
    if (method.runs.empty()) {
      throw InternalError(concat("table of methods: no run of ", method.method));
    }
    std::vector<Cell> cells{method.method, static_cast<double>(method.runs.size())};
    for (std::size_t quantity = 0; quantity < kQuantities; ++quantity) {
      cells.push_back(over_runs(method, quantity));
    }
    table.add_row(std::move(cells));
  }
  return table;
}

}  // namespace smcl::report
