#pragma once

#include <filesystem>
#include <string>

#include "data/open.h"
#include "experiment/recipe.h"
#include "experiment/recorder.h"
#include "nn/network.h"
#include "nn/stage_classifier.h"
#include "record/checkpoint_files.h"
#include "record/run_folder.h"
#include "record/run_lock.h"
#include "train/run_point.h"

namespace smcl::experiment {

/// What training changes.
struct Learned {
  nn::Network& network;
  nn::StageClassifier* stage = nullptr;  ///< where a second stage learns
};

/// The state of a run that a branch at `epoch` begins from: that at the epoch's beginning, or where
/// `epoch` is the end of a finished run, its last. Throws UsageError, with those that are there.
record::CheckpointFile branch_state(const record::RunFolder& run, int epoch);

/// A run folder that this process writes, locked, with its log open.
class Session {
 public:
  /// A new run under the next number. Unless `always_new`, throws IoError where another process
  /// began the same run since it was looked for.
  static Session start(const std::filesystem::path& root, const Recipe& recipe,
                       const data::Opened& data, bool always_new);
  /// A run that is there; it may be finished. Throws IoError where another process writes it.
  static Session open(const record::RunFolder& folder);
  ~Session();
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;

  record::RunFolder& folder() { return folder_; }

  /// Puts network and recorder where the newest readable checkpoint was (an unreadable one is named
  /// and passed over), cuts metrics.jsonl back to it and writes down what changed since. Returns
  /// the point; the beginning where the run has no checkpoint. Throws UsageError where `recipe` may
  /// not go on with this run, DataError where no checkpoint can be read or the data are others.
  train::RunPoint resume(const Recipe& recipe, const data::Opened& data, const Learned& learned,
                         Recorder& recorder);
  /// Puts network and recorder where `parent` was at the beginning of `epoch`, and copies its
  /// metrics so far; check_branch comes before. At the end of the parent's run that is the point
  /// before its last evaluations. Throws IoError, DataError.
  train::RunPoint branch(const record::RunFolder& parent, int epoch, const Recipe& recipe,
                         const data::Opened& data, const Learned& learned, Recorder& recorder);

 private:
  Session(record::RunFolder folder, record::RunLock lock);

  record::RunFolder folder_;
  record::RunLock lock_;
  bool logs_ = true;
};

/// Throws UsageError where a run of `recipe` may not branch from `parent` at `epoch`: the settings
/// differ in what decides anything before; DataError where the data are others.
void check_branch(const record::RunFolder& parent, int epoch, const Recipe& recipe,
                  const data::Opened& data);

/// Throws DataError where `data` are not those that the run was trained on.
void check_data_of(const record::RunFolder& folder, const data::Opened& data);

/// What makes two runs the same experiment: settings, and the data themselves, since paths are no
/// part of the settings.
std::string run_hash(const Recipe& recipe, const data::Opened& data);
/// Whether the folder's config.toml is not what its settings_hash was made of: somebody edited it.
/// False where the folder does not say.
bool was_edited(const record::RunFolder& folder, const Recipe& stored);

/// Fingerprint of a run of `recipe` in this process (docs/run-folder.md).
nlohmann::json fingerprint(const Recipe& recipe, const data::Opened& data);

/// The recipe as a run folder holds it. Throws DataError where its settings are wrong.
Recipe recipe_of(const record::RunFolder& folder);

}  // namespace smcl::experiment
