#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace smcl::record {

/// A run folder `ROOT/NAME-N/`, the record of one run:
///   config.toml         resolved configuration with origins
///   fingerprint.json    versions, CPU, threads, hashes
///   metrics.jsonl       one JSON object a line, append only
///   log.txt
///   checkpoints/last.safetensors, best_on_val.safetensors or best_on_test.safetensors
///   predictions/test.safetensors   labels and logits of the last epoch
///   summary.json        written when the run is finished, schema in docs/run-folder.md
/// Every JSON and safetensors file carries "format_version".
class RunFolder {
 public:
  /// Makes the first free ROOT/NAME-N, N from 1. Throws IoError.
  static RunFolder create(const std::filesystem::path& root, const std::string& name);
  /// Opens one that is there. Throws IoError (none there), DataError (not a run folder).
  static RunFolder open(const std::filesystem::path& folder);
  /// The newest (highest N) run of NAME whose config.toml resolves to the same settings, if any.
  static std::optional<RunFolder> find(const std::filesystem::path& root, const std::string& name,
                                       const std::string& settings_hash);

  const std::filesystem::path& path() const { return path_; }
  std::string name() const { return path_.filename().string(); }
  bool finished() const;  ///< summary.json is there

  /// `settings_hash` says which runs have the same settings; it is kept in fingerprint.json.
  void write_config(const std::string& toml, const std::string& settings_hash);
  void write_fingerprint(const nlohmann::json& fingerprint);
  void append_metrics(const nlohmann::json& row);
  void write_summary(const nlohmann::json& summary);

  std::string config() const;
  nlohmann::json fingerprint() const;
  nlohmann::json summary() const;  ///< throws DataError where the run is not finished
  std::vector<nlohmann::json> metrics() const;

  std::filesystem::path weights_file(const std::string& which) const;  ///< "last", "best_on_val"...
  std::filesystem::path predictions_file(const std::string& which = "test") const;
  std::filesystem::path log_file() const { return path_ / "log.txt"; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// The fingerprint of this process on this machine, as far as the torch-free half knows it:
/// version, revision, compiler, CPU model, instruction set, CPUs.
nlohmann::json base_fingerprint();

}  // namespace smcl::record
