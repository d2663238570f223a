#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "record/sqlite.h"

namespace smcl::record {

/// A condition on runs: "mask.prob>0.1", "method.name=smcl", "state=finished",
/// "last.accuracy.few>=0.2".
struct RunFilter {
  std::string key;    ///< a setting, a result, or state, folder, recipe, reason
  std::string sign;   ///< = != < <= > >=
  std::string value;  ///< a number for the last four; else as --set takes it
};
/// Throws UsageError where there is no sign or no key.
RunFilter parse_filter(const std::string& text);

/// A run of the index.
struct IndexedRun {
  std::string folder;  ///< below the root: "scenes-ce-1", "sweep/scenes-ce-1"
  std::string state;   ///< finished, failed, or unfinished: running or stopped
  std::string reason;  ///< why it failed, or why its folder cannot be read
  std::string recipe;  ///< its name
  std::map<std::string, std::string> settings;  ///< key to TOML text
  std::map<std::string, double> results;        ///< "last.accuracy.all" to number
};

/// The run folders below a root (and below folders in it, such as a sweep's) in a SQLite file,
/// ROOT/index.sqlite, so that ten thousand of them are listed at once. The folders are the record:
/// the index can be deleted at any time, is brought up to date from those that changed, and is then
/// equal to one made anew. Processes may use it at the same time; each change is whole or absent.
class RunIndex {
 public:
  static constexpr const char* kFile = "index.sqlite";

  /// Opens ROOT/index.sqlite, or makes it. Where it can be neither read nor written, then or
  /// later, an index in memory takes its place. Throws IoError where there is no root, DataError
  /// where the file is damaged or of a version that this program does not know.
  static RunIndex open(const std::filesystem::path& root);
  /// Makes the file anew from the folders, whatever it was. Throws IoError.
  static RunIndex rebuild(const std::filesystem::path& root);

  /// Reads the folders that changed since the last time, forgets those that are gone. Throws
  /// IoError where the root cannot be listed. Folders that cannot be read have the state failed,
  /// with the reason.
  void update();

  /// Runs that meet all filters, by folder. `limit` 0: all. Throws UsageError where a filter's
  /// value is no number and has to be.
  std::vector<IndexedRun> runs(const std::vector<RunFilter>& filters, std::size_t limit = 0) const;
  /// Whether some run has the setting or result; and all that some run has, sorted.
  bool knows(const std::string& key) const;
  std::vector<std::string> keys() const;
  /// How many runs meet all filters.
  std::size_t count(const std::vector<RunFilter>& filters) const;

  /// Everything in it as text, but when folders changed: equal for equal indexes.
  std::string dump() const;

 private:
  RunIndex(std::filesystem::path root, Database database);
  void make_tables();
  void refresh();
  void check_version() const;

  std::filesystem::path root_;
  Database database_;
  bool in_memory_ = false;
};

}  // namespace smcl::record
