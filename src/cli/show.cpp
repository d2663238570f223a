#include "cli/show.h"

#include <unistd.h>

#include <optional>

#include "cli/stored.h"

namespace smcl::cli {
namespace {

std::optional<double> number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

metrics::Accuracy accuracy_from(const nlohmann::json& accuracy) {
  metrics::Accuracy out;
  out.all = accuracy.at("all").get<double>();
  out.balanced = accuracy.at("balanced").get<double>();
  out.many = number(accuracy, "many");
  out.medium = number(accuracy, "medium");
  out.few = number(accuracy, "few");
  out.head = number(accuracy, "head");
  out.middle = number(accuracy, "middle");
  out.tail = number(accuracy, "tail");
  if (const auto list = accuracy.find("per_class"); list != accuracy.end()) {
    for (const auto& value : *list) {
      out.per_class.push_back(value.is_number() ? std::optional(value.get<double>())
                                                : std::nullopt);
    }
  }
  return out;
}

report::AccuracyRow row_of(const std::string& name, const nlohmann::json& summary) {
  report::AccuracyRow row;
  row.run = name;
  row.accuracy = accuracy_from(summary.at("last").at("accuracy"));
  if (const auto bias = summary.find("bias"); bias != summary.end()) {
    row.bias_gap = number(bias->at("gap"), "medium_few");
  }
  return row;
}

std::string render(const report::Table& table, const std::string& format) {
  return table.render(report::table_format(format), report::text_style(isatty(STDOUT_FILENO) != 0));
}

void show_runs(std::ostream& out, const std::vector<FinishedRun>& runs, const std::string& format) {
  if (format == "json") {
    for (const FinishedRun& run : runs) out << run.summary.dump() << '\n';
    return;
  }
  std::vector<report::AccuracyRow> rows;
  for (const FinishedRun& run : runs) {
    rows.push_back(from_summary(run.path, run.summary, [](const nlohmann::json& summary) {
      return row_of(summary.at("run").get<std::string>(), summary);
    }));
  }
  out << render(report::accuracy_table(rows), format);
  if (format != "text") return;
  out << "percent of the test set after the last epoch; bias gap in points, medium and few "
         "classes\n";
  for (const FinishedRun& run : runs) out << "run folder " << run.path << '\n';
}

}  // namespace smcl::cli
