#include "cli/show.h"

#include "cli/stored.h"
#include "command/render.h"
#include "format/json.h"
#include "report/summary.h"

namespace smcl::cli {
void show_runs(std::ostream& out, const std::vector<FinishedRun>& runs, const std::string& format) {
  if (format == "json") {
    for (const FinishedRun& run : runs) out << format::to_line(run.summary) << '\n';
    return;
  }
  std::vector<report::AccuracyRow> rows;
  for (const FinishedRun& run : runs) {
    rows.push_back(from_summary(run.path, run.summary, [](const nlohmann::json& summary) {
      return report::row_of(summary.at("run").get<std::string>(), summary);
    }));
  }
  out << command::render(report::accuracy_table(rows), format);
  if (format != "text") return;
  out << "percent of the test set after the last epoch; bias gap in points, medium and few "
         "classes\n";
  for (const FinishedRun& run : runs) out << "run folder " << run.path << '\n';
}

}  // namespace smcl::cli
