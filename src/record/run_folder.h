#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smcl::record {

/// Throws UsageError where a folder of `what` ("a run") cannot be called so.
void check_name(const std::string& name, const char* what);

/// A run folder `ROOT/NAME-N/`, the record of one run:
///   config.toml         resolved configuration with origins
///   fingerprint.json    versions, CPU, threads, hashes
///   metrics.jsonl       one JSON object a line, append only
///   events.out.tfevents.SECONDS.smcl   its image for TensorBoard (experiment/event_file.h)
///   log.txt
///   lock                held by the process that writes the folder (record/run_lock.h)
///   checkpoints/last.safetensors, best_on_val.safetensors or best_on_test.safetensors
///   checkpoints/state-EPOCH-STEP.safetensors   to go on from (record/checkpoint_files.h)
///   predictions/test.safetensors   labels and logits of the last epoch
///   failed.json         why it came to no end, where an error ended it; gone once it goes on
///   summary.json        written when the run is finished, schema in docs/run-folder.md
/// Every JSON and safetensors file carries "format_version".
class RunFolder {
 public:
  /// Why a run came to no end: failed.json.
  struct Failure {
    int code = 0;  ///< exit code
    std::string reason;
  };

  /// Makes ROOT/NAME-N with N one above the highest there (from 1); of several processes each
  /// gets its own. Throws IoError, UsageError (a NAME that is no plain folder name).
  static RunFolder create(const std::filesystem::path& root, const std::string& name);
  /// Opens one that is there. Throws IoError (none there), DataError (not a run folder).
  static RunFolder open(const std::filesystem::path& folder);
  /// The newest (highest N) run of NAME with this settings_hash, if any. Folders with a damaged
  /// fingerprint are passed over, with a warning. Throws IoError where one cannot be read.
  static std::optional<RunFolder> find(const std::filesystem::path& root, const std::string& name,
                                       const std::string& settings_hash);

  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.filename().string(); }
  bool finished() const;  ///< summary.json is there

  /// `settings_hash` says which runs have the same settings; it is kept in fingerprint.json,
  /// whichever of the two is written first.
  void write_config(const std::string& toml, const std::string& settings_hash);
  void write_fingerprint(const nlohmann::json& fingerprint);
  void append_metrics(const nlohmann::json& row);
  /// Rows so far reach the disk.
  void sync_metrics();
  /// Throws IoError where the folder vanished: nothing may make half of it anew.
  void check_there() const;
  /// Keeps only the first `rows` rows: a resume goes back to its checkpoint.
  void cut_metrics(std::size_t rows);
  void write_summary(const nlohmann::json& summary);
  /// Throws IoError where the folder vanished.
  void write_failure(const Failure& failure);
  void clear_failure();

  std::string config() const;
  nlohmann::json fingerprint() const;
  nlohmann::json summary() const;  ///< throws DataError where the run is not finished
  /// Throws DataError where the file is damaged.
  std::optional<Failure> failure() const;
  /// Rows of metrics.jsonl; none where it is missing. A torn last line is left out, anything else
  /// that is wrong throws DataError.
  std::vector<nlohmann::json> metrics() const;

  std::filesystem::path weights_file(const std::string& which) const;  ///< "last", "best_on_val"...
  std::filesystem::path predictions_file(const std::string& which = "test") const;
  std::filesystem::path log_file() const { return path_ / "log.txt"; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// The text of a fingerprint.json, with what this program reads back checked; `origin` names it in
/// errors. Throws DataError.
nlohmann::json parse_fingerprint(std::string_view text, const std::string& origin);
/// Rows of the text of a metrics.jsonl; `origin` names it in errors. Throws as RunFolder::metrics.
std::vector<nlohmann::json> parse_metrics(std::string_view text, const std::string& origin);

/// The fingerprint of this process on this machine, as far as the torch-free half knows it:
/// version, revision, compiler, C library, system, CPU model, instruction set, CPUs.
nlohmann::json base_fingerprint();

}  // namespace smcl::record
