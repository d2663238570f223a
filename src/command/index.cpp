#include "command/index.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "command/render.h"
#include "command/tree.h"
#include "core/config_text.h"
#include "core/error.h"
#include "core/log.h"
#include "record/run_index.h"
#include "record/setting_kinds.h"

namespace smcl::command {
namespace {

struct Options {
  std::string root = "runs";
  std::vector<std::string> where;
  std::vector<std::string> columns;
  std::string sort;
  std::string format = "text";
  std::size_t limit = 50;
};

const std::vector<std::pair<std::string, std::string>> kResults{
    {"last.accuracy.balanced", "balanced"},
    {"last.accuracy.many", "many"},
    {"last.accuracy.medium", "medium"},
    {"last.accuracy.few", "few"}};

/// Settings that are not the same in all runs.
std::vector<std::string> varying(const std::vector<record::IndexedRun>& runs) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::size_t> counts;
  for (const record::IndexedRun& run : runs) {
    for (const auto& [key, value] : run.settings) {
      values[key].insert(value);
      ++counts[key];
    }
  }
  std::vector<std::string> keys;
  for (const auto& [key, all] : values) {
    const bool constant = all.size() == 1 && counts[key] == runs.size();
    if (!constant && !record::is_of_execution(key)) keys.push_back(key);
  }
  return keys;
}

report::Cell cell_of(const record::IndexedRun& run, const std::string& key) {
  if (key == "folder") return run.folder;
  if (key == "state") return run.state;
  if (key == "recipe") return run.recipe;
  if (key == "reason") return run.reason;
  if (const auto result = run.results.find(key); result != run.results.end()) {
    return result->second;
  }
  if (const auto setting = run.settings.find(key); setting != run.settings.end()) {
    return record::bare(setting->second);
  }
  return {};
}

report::Table table_of(const std::vector<record::IndexedRun>& runs, const Options& options) {
  std::vector<report::Column> columns;
  std::set<std::string> there;
  const auto add = [&](report::Column column) {
    if (there.insert(column.key).second) columns.push_back(std::move(column));
  };
  if (options.columns.empty()) {
    add({"folder", "folder"});
    add({"state", "state"});
    for (const std::string& key : varying(runs)) add({key, key});
    for (const auto& [key, title] : kResults) add({title, key, 1, 100.0, true});
    add({"reason", "reason", 1, 1.0, true});
  } else {
    for (const std::string& key : options.columns) add({key, key, 4});
  }
  std::vector<std::string> keys;
  for (const report::Column& column : columns) keys.push_back(column.key);
  report::Table table(std::move(columns));
  for (const record::IndexedRun& run : runs) {
    std::vector<report::Cell> cells;
    for (const std::string& key : keys) {
      cells.push_back(cell_of(run, key));
      const auto* text = std::get_if<std::string>(&cells.back());
      if (text != nullptr && text->empty()) cells.back() = {};
    }
    table.add_row(std::move(cells));
  }
  return table;
}

/// What a run is sorted by: a number, a text, or nothing (an empty text).
struct SortKey {
  std::optional<double> number;
  std::string text;
};

SortKey sort_key(const record::IndexedRun& run, const std::string& key) {
  const report::Cell cell = cell_of(run, key);
  if (const auto* value = std::get_if<double>(&cell)) return {*value, ""};
  const auto* text = std::get_if<std::string>(&cell);
  if (text == nullptr) return {};
  char* end = nullptr;
  const double value = std::strtod(text->c_str(), &end);
  if (end != text->c_str() && *end == '\0') return {value, ""};
  return {std::nullopt, *text};
}

/// Numbers first, the largest at the top, then texts in their order, then runs without it.
bool comes_before(const SortKey& a, const SortKey& b) {
  if (a.number && b.number) return *a.number > *b.number;
  if (a.number || b.number) return a.number.has_value();
  if (a.text.empty() || b.text.empty()) return !a.text.empty() && b.text.empty();
  return a.text < b.text;
}

void sort_by(std::vector<record::IndexedRun>& runs, const std::string& key) {
  std::vector<std::pair<SortKey, record::IndexedRun>> keyed;
  for (record::IndexedRun& run : runs) {
    SortKey of_run = sort_key(run, key);
    keyed.emplace_back(std::move(of_run), std::move(run));
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return comes_before(a.first, b.first); });
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i] = std::move(keyed[i].second);
}

/// Keys beside those of settings and results.
const std::vector<std::string> kOwnKeys{"folder", "state", "recipe", "reason"};

/// Refuses a key that no run has and that is no setting: a typing error would otherwise look like
/// an answer. An index without runs knows too little to say.
void check_key(const record::RunIndex& index, const char* option, const std::string& key,
               const SettingKeys& setting_keys) {
  const auto is_in = [&](const std::vector<std::string>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  const auto shown = [&](const auto& result) { return result.first == key; };  // null in all runs
  if (is_in(kOwnKeys) || std::ranges::any_of(kResults, shown)) return;
  if (index.knows(key) || index.count({}) == 0) return;
  std::vector<std::string> known = setting_keys();
  if (is_in(known)) return;
  const std::vector<std::string> of_runs = index.keys();
  known.insert(known.end(), of_runs.begin(), of_runs.end());
  known.insert(known.end(), kOwnKeys.begin(), kOwnKeys.end());
  std::string near;
  for (const auto& [result, title] : kResults) {
    if (key == title) near = result;  // as the table is headed
  }
  if (near.empty()) near = config::nearest(key, known);
  throw UsageError(concat(option, " ", key, ": no run has such a setting or result",
                          near.empty() ? "; 'smcl settings' lists settings, results are the "
                                         "numbers of summary.json, such as last.accuracy.few"
                                       : concat("; did you mean '", near, "'?")));
}

void check_keys(const record::RunIndex& index, const Options& options,
                const std::vector<record::RunFilter>& filters, const SettingKeys& setting_keys) {
  const std::vector<std::string> states{"finished", "unfinished", "failed"};
  for (const record::RunFilter& filter : filters) {
    check_key(index, "--where", filter.key, setting_keys);
    const bool known = std::find(states.begin(), states.end(), filter.value) != states.end();
    if (filter.key != "state" || known) continue;
    throw UsageError(concat("--where state", filter.sign, filter.value, ": expected one of ",
                            config::join(states), config::hint(filter.value, states)));
  }
  for (const std::string& key : options.columns) check_key(index, "--columns", key, setting_keys);
  if (!options.sort.empty()) check_key(index, "--sort", options.sort, setting_keys);
}

void list(const Options& options, const SettingKeys& setting_keys) {
  std::vector<record::RunFilter> filters;
  for (const std::string& text : options.where) filters.push_back(record::parse_filter(text));
  record::RunIndex index = record::RunIndex::open(options.root);
  index.update();
  check_keys(index, options, filters, setting_keys);
  const bool sorted = !options.sort.empty();
  std::vector<record::IndexedRun> runs = index.runs(filters, sorted ? 0 : options.limit);
  const std::size_t all = sorted ? runs.size() : index.count(filters);
  if (sorted) {
    sort_by(runs, options.sort);
    if (options.limit > 0 && runs.size() > options.limit) runs.resize(options.limit);
  }
  std::cout << render(table_of(runs, options), options.format);
  if (options.format == "text") {
    std::cout << runs.size() << " of " << all << " runs"
              << (filters.empty() ? ""
                                  : concat(" that meet --where (", index.count({}), " in all)"))
              << (options.columns.empty() ? "; accuracies in percent\n" : "\n");
  }
}

void rebuild(const Options& options) {
  const auto index = record::RunIndex::rebuild(options.root);
  log::info(
      concat("index of ", index.count({}), " runs: ", options.root, "/", record::RunIndex::kFile));
}

}  // namespace

void add_index(CLI::App& app, const SettingKeys& setting_keys) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("index", "lists run folders, by an index of them");
  command->require_subcommand(1);
  CLI::App* list_command =
      command->add_subcommand("list", "a table of runs with the settings that differ");
  CLI::App* rebuild_command =
      command->add_subcommand("rebuild", "makes the index anew from the run folders");
  for (CLI::App* each : {list_command, rebuild_command}) {
    each->add_option("root", options->root, "folder of run folders, or of sweeps")
        ->capture_default_str();
  }
  list_command
      ->add_option("--where", options->where,
                   "only runs with KEY=VALUE (or != < <= > >=): a setting, a result of "
                   "summary.json, state (finished, unfinished, failed), recipe, folder "
                   "(repeatable: all must hold)")
      ->take_all()
      ->allow_extra_args(false);
  list_command
      ->add_option("--columns", options->columns, "keys to show instead of those that differ")
      ->delimiter(',')
      ->allow_extra_args(false);
  list_command->add_option("--sort", options->sort,
                           "key to sort by: numbers from the largest, texts by their letters");
  list_command->add_option("--limit", options->limit, "most rows; 0 = all")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  add_format(*list_command, options->format);
  list_command->footer(
      "Examples:\n"
      "  smcl index list runs --where method.name=smcl --where 'mask.prob>0.1'\n"
      "  smcl index list runs/sweep --where state=failed --columns folder,reason\n"
      "  smcl index list runs --sort last.accuracy.few --limit 10");
  list_command->callback([options, setting_keys] { list(*options, setting_keys); });
  rebuild_command->callback([options] { rebuild(*options); });
}

}  // namespace smcl::command
