#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace smcl::experiment {

/// What TensorBoard shows of a run: `events.out.tfevents.SECONDS.smcl` in its folder.
///
/// metrics.jsonl is the record and this file its image: every process that trains the run begins a
/// new one with the rows so far, after a resume those of the checkpoint, in a branch its parent's
/// too. So nothing of it need be read back, cut or stored with a checkpoint, and a run that had
/// none gets all of it. The old one is emptied, so that whoever looks now sees no point twice and
/// none that is void. A TensorBoard that was watching goes on to the new file, whose name sorts
/// behind, and drops what it had shown; it would stop at a file that is gone, so an empty one stays
/// until the next process begins. Times of rows so far are counted back from the beginning of the
/// process by the seconds that they took: pauses between processes are left out.
class EventFile {
 public:
  /// Begins a file, in place of that of before, with the points of `rows` of metrics.jsonl; `now`
  /// in seconds since 1970. Throws IoError, DataError (a row that is none).
  static EventFile begin(const std::filesystem::path& run_folder,
                         const std::vector<nlohmann::json>& rows, double now);
  /// Adds the points of one more row, if it has any. Throws IoError; the file is then as it was.
  void add(const nlohmann::json& row, double now);

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit EventFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// Deletes a run's event files. Throws IoError.
void remove_event_files(const std::filesystem::path& run_folder);

}  // namespace smcl::experiment
