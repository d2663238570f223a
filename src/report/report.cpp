#include "report/report.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "core/config_text.h"
#include "core/error.h"
#include "report/markup.h"

namespace smcl::report {
namespace {

std::string percent(const std::optional<Spread>& value, bool spread) {
  if (!value) return "-";
  const std::string mean = fixed(value->mean * 100.0, 1);
  return spread ? concat(mean, " \u00b1 ", fixed(value->deviation * 100.0, 1)) : mean;
}

constexpr std::size_t kMostNames = 5;  // more are counted: the tables have them all

/// "A, B and C", or "7 methods", of the labels of those that are `wanted`, the baseline apart.
template <class Wanted>
std::string labels_of(const Condition& condition, Wanted wanted) {
  std::vector<std::string> labels;
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    const GroupResult& group = condition.groups[g];
    if (g != condition.baseline && wanted(group)) labels.push_back(group.group.label);
  }
  if (labels.size() > kMostNames) return concat(labels.size(), " methods");
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) text += i + 1 == labels.size() ? " and " : ", ";
    text += labels[i];
  }
  return text;
}

std::string sentence(const Condition& condition, Quantity quantity, const char* what) {
  std::string text;
  const auto add = [&](const char* words, const auto& wanted) {
    const std::string labels = labels_of(condition, wanted);
    if (!labels.empty()) text += concat(text.empty() ? "" : "; ", words, labels);
  };
  for (const auto& [verdict, words] :
       {std::pair(Verdict::better, "better: "), std::pair(Verdict::worse, "worse: "),
        std::pair(Verdict::undecided, "not decided: ")}) {
    add(words, [&, wanted = verdict](const GroupResult& group) {
      return group.against[place(quantity)].verdict == wanted;
    });
  }
  const auto unjudged = [&](const GroupResult& group, bool enough) {
    return group.against[place(quantity)].verdict == Verdict::none &&
           (group.pairs >= kFewestPairs) == enough;
  };
  add("too few pairs: ", [&](const GroupResult& group) { return unjudged(group, false); });
  add("not known of all runs: ", [&](const GroupResult& group) { return unjudged(group, true); });
  return concat(what, " against ", condition.groups[*condition.baseline].group.label, ": ", text,
                ".");
}

/// Where accuracy on medium and few classes is decided in the direction of the bias gap, which is
/// in points of that accuracy.
void add_moved_by_accuracy(std::vector<std::string>& sentences, const Condition& condition) {
  for (const auto& [accuracy, gap, words, effect] :
       {std::tuple(Verdict::worse, Verdict::better, "fell", "smaller"),
        std::tuple(Verdict::better, Verdict::worse, "rose", "larger")}) {
    const std::string labels =
        labels_of(condition, [&, accuracy = accuracy, gap = gap](const GroupResult& group) {
          return group.against[place(Quantity::medium_few)].verdict == accuracy &&
                 group.against[place(Quantity::bias_gap)].verdict == gap;
        });
    if (labels.empty()) continue;
    sentences.push_back(concat("Accuracy on medium and few classes ", words, " too under ", labels,
                               ": that alone makes the bias gap ", effect,
                               ", which is in points of it."));
  }
}

/// It would count twice.
void add_one_under_two_names(std::vector<std::string>& sentences, const Condition& condition) {
  for (std::size_t a = 0; a < condition.groups.size(); ++a) {
    for (std::size_t b = a + 1; b < condition.groups.size(); ++b) {
      const RecipeGroup& one = condition.groups[a].group;
      const RecipeGroup& other = condition.groups[b].group;
      if (!is_same_experiment(one, other)) continue;
      const bool twice = condition.baseline && condition.baseline != a && condition.baseline != b;
      sentences.push_back(
          concat(one.label, " and ", other.label, " are one experiment under two ", "names (",
                 one.runs.front().path, ", ", other.runs.front().path, "), which stands here twice",
                 twice ? " and counts twice in Holm's correction" : "", ": leave one out."));
    }
  }
}

std::vector<std::string> verdicts(const Condition& condition) {
  if (condition.groups.size() == 1) return {"One recipe, nothing to compare it with."};
  std::vector<std::string> sentences;
  if (!condition.baseline) {
    sentences.emplace_back("No baseline: name one to compare with (--baseline).");
    add_one_under_two_names(sentences, condition);
    return sentences;
  }
  sentences.push_back(sentence(condition, Quantity::balanced, "Balanced accuracy"));
  for (const auto& [quantity, what] :
       {std::pair(Quantity::medium_few, "Medium and few classes"),
        std::pair(Quantity::bias_gap, "Bias by backgrounds"),
        std::pair(Quantity::corrected, "Balanced accuracy after prior correction")}) {
    if (is_compared(condition, quantity)) sentences.push_back(sentence(condition, quantity, what));
  }
  add_moved_by_accuracy(sentences, condition);
  add_one_under_two_names(sentences, condition);
  std::vector<std::string> twice;
  for (const GroupResult& group : condition.groups) {
    if (divides_prior(group.group.runs.front())) twice.push_back(group.group.label);
  }
  if (!twice.empty() && is_compared(condition, Quantity::corrected)) {
    sentences.push_back(
        concat("Training itself divides the prior out under ", config::join(twice),
               ": there prior correction corrects twice, so read balanced accuracy."));
  }
  return sentences;
}

std::string group_line(const Condition& condition, const GroupResult& group) {
  const std::size_t count = group.group.runs.size();
  const bool spread = count > 1;
  std::string text =
      concat(group.group.label, ": ", percent(group.mean[place(Quantity::balanced)], spread),
             " % balanced accuracy (many ", percent(group.mean[place(Quantity::many)], false),
             ", medium ", percent(group.mean[place(Quantity::medium)], false), ", few ",
             percent(group.mean[place(Quantity::few)], false), "), ", count,
             count == 1 ? " run" : " runs");
  if (!condition.baseline || &condition.groups[*condition.baseline] == &group) return text;
  const Against& against = group.against[place(Quantity::balanced)];
  if (!against.difference)
    return concat(text, "; ", group.pairs, group.pairs == 1 ? " pair" : " pairs",
                  " with the baseline");
  const auto& found = *against.difference;
  const std::string verdict =
      against.verdict == Verdict::none
          ? "): too few pairs"
          : concat(", ", p_text(against.p_holm), " after Holm): ", text_of(against.verdict));
  return concat(text, "; ", signed_fixed(found.mean * 100.0, 1), " points (95 % interval ",
                interval_text((found.mean - found.half_width) * 100.0,
                              (found.mean + found.half_width) * 100.0),
                ", ", found.pairs, " pairs", verdict);
}

std::string basis(const Report& report, const Condition& condition) {
  return concat(report.which == Which::last
                    ? "last epoch, test set"
                    : "best epoch on the test set, chosen by the test set: no fair estimate",
                "; mean and standard deviation ", condition.spread);
}

/// Whether some group of the condition knows it, and (of `all`) says more than `balanced`. Shot
/// groups without classes are shown as such, and thirds beside them.
bool is_shown(const Condition& condition, const QuantityInfo& info) {
  if (info.quantity == Quantity::many || info.quantity == Quantity::medium ||
      info.quantity == Quantity::few) {
    return true;
  }
  if (is_of_thirds(info.quantity) && !lacks_shot_group(condition)) return false;
  const auto says_more = [&](const GroupResult& group) {
    const auto& value = group.mean[place(info.quantity)];
    if (!value) return false;
    const auto& balanced = group.mean[place(Quantity::balanced)];
    return info.quantity != Quantity::all || !balanced ||
           std::abs(value->mean - balanced->mean) > 1e-9;
  };
  return std::any_of(condition.groups.begin(), condition.groups.end(), says_more);
}

std::vector<QuantityInfo> shown(const Condition& condition) {
  std::vector<QuantityInfo> result;
  for (const QuantityInfo& info : kQuantityInfos) {
    if (is_shown(condition, info)) result.push_back(info);
  }
  return result;
}

Cell mean_cell(const GroupResult& group, Quantity quantity) {
  const auto& value = group.mean[place(quantity)];
  if (!value) return {};
  if (group.group.runs.size() == 1) return value->mean;
  return *value;
}

Table means(const Condition& condition) {
  const auto infos = shown(condition);
  std::vector<Column> columns{{"method", "method"}, {"runs", "runs", 0}};
  for (const QuantityInfo& info : infos) columns.push_back({info.title, info.key, 1, 100.0});
  Table table(std::move(columns));
  for (std::size_t g = 0; g < condition.groups.size(); ++g) {
    const GroupResult& group = condition.groups[g];
    std::vector<Cell> cells{group.group.label, static_cast<double>(group.group.runs.size())};
    for (const QuantityInfo& info : infos) cells.push_back(mean_cell(group, info.quantity));
    table.add_row(std::move(cells), g == condition.baseline ? Emphasis::strong : Emphasis::none);
  }
  return table;
}

Table against_table(const Condition& condition) {
  const auto infos = shown(condition);
  std::vector<Column> columns{{"method", "method"}, {"pairs", "n", 0}};
  add_difference_columns(columns, infos, Quantity::balanced);
  columns.push_back({"balanced", "verdict"});
  Table table(std::move(columns));
  add_difference_rows(table, condition, infos, Quantity::balanced);
  return table;
}

}  // namespace

Report make_report(std::vector<RunData> runs, const std::string& baseline, Which which) {
  if (runs.empty()) throw UsageError("no finished run to report on");
  std::vector<RecipeRun> recipes;
  for (const RunData& run : runs) recipes.push_back(run.run);
  Report report;
  report.which = which;
  report.conditions = compare_runs(recipes, baseline);
  report.gains = gain_changes(report.conditions);
  report.runs = std::move(runs);
  return report;
}

std::vector<const RunData*> runs_of(const Report& report, const RecipeGroup& group) {
  std::vector<const RunData*> result;
  for (const RecipeRun& run : group.runs) {
    const auto found = std::find_if(report.runs.begin(), report.runs.end(),
                                    [&](const RunData& data) { return data.run.path == run.path; });
    if (found == report.runs.end()) throw InternalError(concat("report: no run ", run.path));
    result.push_back(&*found);
  }
  return result;
}

Words words_of(const Report& report, const Condition& condition) {
  Words words;
  words.verdicts = verdicts(condition);
  for (const GroupResult& group : condition.groups) {
    words.groups.push_back(group_line(condition, group));
  }
  words.basis = basis(report, condition);
  return words;
}

std::string text_of(const Report& report) {
  std::string text;
  for (const Condition& condition : report.conditions) {
    const Words words = words_of(report, condition);
    if (!condition.label.empty()) text += printable(condition.label) + ":\n";
    for (const std::string& each : words.verdicts) text += printable(each) + "\n";
    for (const std::string& each : words.groups) text += "  " + printable(each) + "\n";
    text += printable(words.basis) + "\n";
  }
  for (const std::string& each : gain_words(report)) text += printable(each) + "\n";
  return text;
}

NamedTable mean_table(const Report& report, const Condition& condition) {
  return {concat("Percent; ", basis(report, condition), condition.label.empty() ? "" : ", ",
                 condition.label),
          means(condition)};
}

std::vector<NamedTable> tables_of(const Report& report) {
  std::vector<NamedTable> tables;
  for (const Condition& condition : report.conditions) {
    const std::string after = condition.label.empty() ? "" : ", " + condition.label;
    tables.push_back(mean_table(report, condition));
    if (!condition.baseline || condition.groups.size() == 1) continue;
    tables.push_back(
        {concat("Points above ", condition.groups[*condition.baseline].group.label,
                ": mean, standard deviation and half width of the 95 % t-interval over pairs of "
                "runs with equal seeds; p after Holm's correction over the rows, decided at ",
                fixed(kLevel, 2), after),
         against_table(condition)});
  }
  if (auto gains = gain_table(report)) tables.push_back(std::move(*gains));
  return tables;
}

Table whole_table(const Report& report) {
  std::vector<Column> columns{
      {"condition", "condition"}, {"method", "method"}, {"runs", "runs", 0}, {"pairs", "n", 0}};
  for (const QuantityInfo& info : kQuantityInfos) {
    const std::string key = info.key;
    columns.push_back({key, key, 1, 100.0});
    columns.push_back({"diff " + key, "diff_" + key, 1, 100.0, false, true});
    columns.push_back({"p " + key, "p_" + key, 4});
    columns.push_back({"p_holm " + key, "p_holm_" + key, 4});
    columns.push_back({"verdict " + key, "verdict_" + key});
  }
  Table table(std::move(columns));
  for (const Condition& condition : report.conditions) {
    for (const GroupResult& group : condition.groups) {
      std::vector<Cell> cells{condition.label, group.group.label,
                              static_cast<double>(group.group.runs.size()),
                              static_cast<double>(group.pairs)};
      const bool compared = condition.baseline && &group != &condition.groups[*condition.baseline];
      for (const QuantityInfo& info : kQuantityInfos) {
        const Against& against = group.against[place(info.quantity)];
        cells.push_back(mean_cell(group, info.quantity));
        cells.push_back(difference_cell(against));
        cells.push_back(
            cell(p_holm_of(against) ? std::optional(against.difference->p) : std::nullopt));
        cells.push_back(cell(p_holm_of(against)));
        cells.push_back(compared ? verdict_cell(against, group.pairs) : Cell{});
      }
      table.add_row(std::move(cells));
    }
  }
  return table;
}

}  // namespace smcl::report
