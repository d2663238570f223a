#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace smcl::record {

/// A stored point of a run: `step` steps of 0-based `epoch` are done.
struct CheckpointFile {
  int epoch = 0;
  int step = 0;
  std::filesystem::path path;
};

/// RUN/checkpoints/state-EPOCH-STEP.safetensors.
std::filesystem::path checkpoint_file(const std::filesystem::path& run, int epoch, int step);
/// Beside a checkpoint: the best weights so far as it knows them, another name of the same file.
std::filesystem::path best_weights_beside(const std::filesystem::path& checkpoint);
/// Those in a run folder, the newest point first; none where the folder is missing. Throws IoError.
std::vector<CheckpointFile> checkpoint_files(const std::filesystem::path& run);
/// Takes one that cannot be used out of the list: its name gets the ending ".unusable". Throws
/// IoError.
void set_aside(const CheckpointFile& checkpoint);
/// Deletes all but the `newest` newest and those at the beginning of an epoch of `kept`, and best
/// weights without a checkpoint, and what a killed process left half written. Throws IoError.
void prune_checkpoints(const std::filesystem::path& run, std::size_t newest,
                       const std::vector<int>& kept);

}  // namespace smcl::record
