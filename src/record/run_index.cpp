#include "record/run_index.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>

#include "core/config.h"
#include "core/config_text.h"
#include "core/error.h"
#include "format/file.h"
#include "record/folder_scan.h"
#include "record/index_entry.h"
#include "record/run_folder.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;

constexpr int kVersion = 1;

void check_root(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) throw IoError(concat("no folder ", root.string()));
  if (!is_run_folder(root)) return;
  throw UsageError(concat(root.string(), " is a run folder itself, not a folder of runs: give ",
                          fs::absolute(root / "").parent_path().parent_path().string()));
}

constexpr const char* kTables = R"(
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    folder TEXT NOT NULL UNIQUE,
    stamp INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    recipe TEXT NOT NULL);
  CREATE TABLE words (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    number REAL,
    UNIQUE (key, value));
  CREATE TABLE settings (
    run INTEGER NOT NULL,
    word INTEGER NOT NULL,
    PRIMARY KEY (run, word)) WITHOUT ROWID;
  CREATE INDEX settings_by_word ON settings (word, run);
  CREATE TABLE results (
    run INTEGER NOT NULL,
    key TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, key)) WITHOUT ROWID;
  CREATE INDEX results_by_key ON results (key, value);
)";

std::optional<double> number_of(std::string_view text) {
  double value = 0.0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

/// Writes runs into the tables, within a transaction.
class Writer {
 public:
  explicit Writer(Database& database)
      : database_(database),
        run_(database,
             "INSERT INTO runs (folder, stamp, state, reason, recipe) VALUES (?,?,?,?,?)"),
        find_word_(database, "SELECT id FROM words WHERE key = ? AND value = ?"),
        word_(database, "INSERT INTO words (key, value, number) VALUES (?,?,?)"),
        setting_(database, "INSERT INTO settings (run, word) VALUES (?,?)"),
        result_(database, "INSERT INTO results (run, key, value) VALUES (?,?,?)"),
        forget_settings_(database,
                         "DELETE FROM settings WHERE run = (SELECT id FROM runs WHERE folder = ?)"),
        forget_results_(database,
                        "DELETE FROM results WHERE run = (SELECT id FROM runs WHERE folder = ?)"),
        forget_run_(database, "DELETE FROM runs WHERE folder = ?") {}

  void forget(const std::string& folder) {
    for (Statement* each : {&forget_settings_, &forget_results_, &forget_run_}) {
      each->bind(0, folder).run();
    }
  }

  void add(const IndexedRun& run, std::int64_t stamp) {
    run_.bind(0, run.folder).bind(1, stamp).bind(2, run.state).bind(3, run.reason);
    run_.bind(4, run.recipe).run();
    const std::int64_t id = database_.last_row();
    for (const auto& [key, value] : run.settings) {
      setting_.bind(0, id).bind(1, word(key, value)).run();
    }
    for (const auto& [key, value] : run.results) {
      result_.bind(0, id).bind(1, key).bind(2, std::optional(value)).run();
    }
  }

 private:
  std::int64_t word(const std::string& key, const std::string& value) {
    const auto [found, fresh] = words_.try_emplace({key, value});
    if (!fresh) return found->second;
    find_word_.bind(0, key).bind(1, value);
    if (find_word_.step()) {
      found->second = find_word_.integer(0);
      find_word_.run();
    } else {
      word_.bind(0, key).bind(1, value).bind(2, number_of(value)).run();
      found->second = database_.last_row();
    }
    return found->second;
  }

  Database& database_;
  Statement run_, find_word_, word_, setting_, result_;
  Statement forget_settings_, forget_results_, forget_run_;
  std::map<std::pair<std::string, std::string>, std::int64_t> words_;
};

/// "WHERE ..." of filters, and what is bound to it in order.
struct Where {
  std::string sql;
  std::vector<std::variant<std::string, double>> values;
};

/// "[0.8, 0.9]" of "[0.8,0.9]", as a run's settings have it; what is no TOML as it is.
std::string as_toml(const std::string& value) {
  try {
    config::Document document;
    document.set("value=" + value);
    return config::to_text(document.entries().at("value").value);
  } catch (const UsageError&) {
    return value;
  }
}

Where where_of(const std::vector<RunFilter>& filters) {
  Where where;
  for (const RunFilter& filter : filters) {
    where.sql += where.sql.empty() ? " WHERE " : " AND ";
    const bool own = filter.key == "state" || filter.key == "folder" || filter.key == "recipe" ||
                     filter.key == "reason";
    const bool equality = filter.sign == "=" || filter.sign == "!=";
    const auto number = number_of(filter.value);
    if (!equality && !number) {
      throw UsageError(concat("--where ", filter.key, filter.sign, filter.value, ": '",
                              filter.value, "' is no number, which ", filter.sign, " needs"));
    }
    if (own) {
      where.sql += concat(filter.key, " ", filter.sign, " ?");
      where.values.emplace_back(filter.value);
      continue;
    }
    const std::string sign = filter.sign == "!=" ? "=" : filter.sign;
    std::string test = concat("number ", sign, " ?");
    if (!number) test = "value IN (?, ?, ?)";
    std::string matches = concat(
        "id IN (SELECT run FROM settings WHERE word IN (SELECT id FROM "
        "words WHERE key = ? AND ",
        test, "))");
    where.values.emplace_back(filter.key);
    if (number) {
      where.values.emplace_back(*number);
      matches = concat("(", matches, " OR id IN (SELECT run FROM results WHERE key = ? AND value ",
                       sign, " ?))");
      where.values.emplace_back(filter.key);
      where.values.emplace_back(*number);
    } else {
      where.values.emplace_back(filter.value);
      where.values.emplace_back("\"" + filter.value + "\"");
      where.values.emplace_back(as_toml(filter.value));
    }
    where.sql += filter.sign == "!=" ? "NOT " + matches : matches;
  }
  return where;
}

void bind(Statement& statement, const Where& where) {
  int parameter = 0;
  for (const auto& value : where.values) {
    if (const auto* number = std::get_if<double>(&value)) {
      statement.bind(parameter++, std::optional(*number));
    } else {
      statement.bind(parameter++, std::get<std::string>(value));
    }
  }
}

}  // namespace

RunFilter parse_filter(const std::string& text) {
  constexpr std::array<std::string_view, 6> kSigns{"!=", "<=", ">=", "=", "<", ">"};
  const auto at = text.find_first_of("=<>!");
  for (const std::string_view sign : kSigns) {
    if (at == std::string::npos || at == 0 || text.compare(at, sign.size(), sign) != 0) continue;
    std::string value = text.substr(at + sign.size());
    if (value.find_first_of("=<>!") == 0) break;  // "==", "=>"
    return {text.substr(0, at), std::string(sign), std::move(value)};
  }
  throw UsageError(concat("--where ", text,
                          ": expected KEY and VALUE with =, !=, <, <=, > or >= between, such as "
                          "method.name=smcl or last.accuracy.few>0.2"));
}

RunIndex::RunIndex(fs::path root, Database database)
    : root_(std::move(root)), database_(std::move(database)) {}

void RunIndex::make_tables() {
  Transaction transaction(database_);
  bool there = false;
  {
    Statement tables(database_, "SELECT name FROM sqlite_master WHERE name = 'runs'");
    there = tables.step();
  }
  if (!there) {  // else another process was first
    database_.run(kTables);
    database_.run(concat("PRAGMA user_version = ", kVersion));
  }
  transaction.commit();
}

void RunIndex::check_version() const {
  Statement version(database_, "PRAGMA user_version");
  version.step();
  if (version.integer(0) == kVersion) return;
  throw DataError(concat((root_ / kFile).string(), ": version ", version.integer(0),
                         " of an index, this program knows ", kVersion, "; 'smcl index rebuild ",
                         root_.string(), "' makes it anew"));
}

RunIndex RunIndex::open(const fs::path& root) {
  check_root(root);
  const fs::path file = root / kFile;
  const auto made = [&] {
    try {
      RunIndex index(root, Database(file, Database::Access::read_write));
      index.make_tables();
      return index;
    } catch (const DataError& problem) {
      throw DataError(concat(problem.what(), "; 'smcl index rebuild ", root.string(),
                             "' makes it anew from the folders"));
    } catch (const IoError&) {
      RunIndex index(root, Database::in_memory());
      index.in_memory_ = true;
      index.make_tables();
      return index;
    }
  };
  RunIndex index = made();
  index.check_version();
  return index;
}

RunIndex RunIndex::rebuild(const fs::path& root) {
  check_root(root);
  std::error_code ignored;
  const fs::path file = root / kFile;
  const fs::path fresh = root / concat(kFile, ".new-", getpid());  // another may make one too
  const auto forget = [&] {
    fs::remove(fresh, ignored);
    fs::remove(concat(fresh.string(), "-journal"), ignored);
  };
  forget();
  try {
    RunIndex index(root, Database(fresh, Database::Access::read_write));
    index.make_tables();
    index.refresh();
  } catch (...) {
    forget();
    throw;
  }
  fs::remove(concat(file.string(), "-journal"), ignored);  // of the one that goes
  fs::rename(fresh, file);
  return open(root);
}

void RunIndex::update() {
  try {
    refresh();
  } catch (const IoError&) {  // a full disk, or no right to write
    if (in_memory_) throw;
    database_ = Database::in_memory();
    in_memory_ = true;
    make_tables();
    refresh();
  }
}

void RunIndex::refresh() {
  std::map<std::string, std::int64_t> stored;
  std::set<std::string> known;
  {
    Statement runs(database_, "SELECT folder, stamp FROM runs");
    while (runs.step()) {
      stored.emplace(runs.text(0), runs.integer(1));
      known.insert(runs.text(0));
    }
  }
  const auto found = run_folders(root_, known);
  std::vector<std::string> gone;
  for (const auto& [folder, stamp] : stored) {
    const auto now = found.find(folder);
    if (now == found.end() || now->second != stamp) gone.push_back(folder);
  }
  std::vector<std::string> changed;
  for (const auto& [folder, stamp] : found) {
    const auto before = stored.find(folder);
    if (before == stored.end() || before->second != stamp) changed.push_back(folder);
  }
  if (gone.empty() && changed.empty()) return;
  Transaction transaction(database_);
  Writer writer(database_);
  for (const std::string& folder : gone) writer.forget(folder);
  for (const std::string& folder : changed) {
    writer.forget(folder);  // another process may have put it there in between
    // The stamp of before: who changes the folder from now on is seen the next time.
    if (is_run_folder(root_ / folder)) writer.add(index_entry(root_, folder), found.at(folder));
  }
  transaction.commit();
}

bool RunIndex::knows(const std::string& key) const {
  Statement found(
      database_,
      "SELECT EXISTS (SELECT 1 FROM words JOIN settings ON word = id WHERE key = ?1) OR "
      "EXISTS (SELECT 1 FROM results WHERE key = ?1)");
  found.bind(0, key).step();
  return found.integer(0) != 0;
}

std::vector<std::string> RunIndex::keys() const {
  Statement rows(database_,
                 "SELECT key FROM words WHERE id IN (SELECT word FROM settings) UNION "
                 "SELECT key FROM results ORDER BY key");
  std::vector<std::string> all;
  while (rows.step()) all.push_back(rows.text(0));
  return all;
}

std::size_t RunIndex::count(const std::vector<RunFilter>& filters) const {
  const Where where = where_of(filters);
  Statement count(database_, "SELECT COUNT(*) FROM runs" + where.sql);
  bind(count, where);
  count.step();
  return static_cast<std::size_t>(count.integer(0));
}

std::vector<IndexedRun> RunIndex::runs(const std::vector<RunFilter>& filters,
                                       std::size_t limit) const {
  const Where where = where_of(filters);
  std::string sql =
      "SELECT id, folder, state, reason, recipe FROM runs" + where.sql + " ORDER BY folder";
  if (limit > 0) sql += concat(" LIMIT ", limit);
  Statement rows(database_, sql);
  bind(rows, where);
  Statement settings(database_,
                     "SELECT key, value FROM settings JOIN words ON words.id = settings.word "
                     "WHERE run = ?");
  Statement results(database_, "SELECT key, value FROM results WHERE run = ?");
  std::vector<IndexedRun> found;
  while (rows.step()) {
    IndexedRun& run = found.emplace_back();
    run.folder = rows.text(1);
    run.state = rows.text(2);
    run.reason = rows.text(3);
    run.recipe = rows.text(4);
    settings.bind(0, rows.integer(0));
    while (settings.step()) run.settings[settings.text(0)] = settings.text(1);
    results.bind(0, rows.integer(0));
    while (results.step()) run.results[results.text(0)] = *results.number(1);
  }
  return found;
}

std::string RunIndex::dump() const {
  std::string text;
  for (const IndexedRun& run : runs({})) {
    text += concat(run.folder, " ", run.state, " ", run.recipe, " ", run.reason, "\n");
    for (const auto& [key, value] : run.settings) text += concat("  ", key, " = ", value, "\n");
    for (const auto& [key, value] : run.results) {
      std::array<char, 40> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
      text += concat("  ", key, " ", std::string_view(digits.data(), end), "\n");
    }
  }
  return text;
}

}  // namespace smcl::record
