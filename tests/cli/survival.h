#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/process.h"
#include "core/error.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "format/scratch.h"
#include "record/checkpoint_files.h"
#include "record/run_folder.h"

namespace smcl::cli {

inline const std::string kRecipe = std::string(SMCL_SOURCE_DIR) + "/recipes/scenes/smcl.toml";

/// A run of two seconds that stores itself after every step.
inline std::vector<std::string> train(const std::filesystem::path& root) {
  std::vector<std::string> words{"train", kRecipe, "--quiet", "--runs", root.string()};
  for (const char* setting :
       {"data.n_max=20", "data.ratio=10", "scenes.test_objects=1", "scenes.val_objects=1",
        "network.width=0.25", "train.epochs=6", "train.batch_size=8", "run.threads=1",
        "run.precision=fp32", "checkpoint.steps=1", "mask.start=0.3", "mask.prob=0.5",
        "eval.val_every=1"}) {
    words.insert(words.end(), {"--set", setting});
  }
  return words;
}

class Survival : public ScratchFolder {
 protected:
  Ending run(const std::filesystem::path& root) {
    return Process(train(root), folder() / "log").wait();
  }

  /// Hash of the weights of a run that nothing disturbs.
  std::string undisturbed() {
    const Ending ending = run(folder() / "whole");
    EXPECT_EQ(ending.code, 0) << ending.err;
    return weights(folder() / "whole");
  }

  static std::filesystem::path run_of(const std::filesystem::path& root) {
    return root / "scenes-smcl-1";
  }
  /// A fault while a folder is made leaves it unfinished, and the run goes into the next one.
  static std::filesystem::path finished_run(const std::filesystem::path& root) {
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      if (std::filesystem::exists(entry.path() / "summary.json")) return entry.path();
    }
    return run_of(root);
  }
  static std::string weights(const std::filesystem::path& root) {
    return format::sha256_of_file(finished_run(root) / "checkpoints" / "last.safetensors");
  }

  /// Files under their final names are whole, whatever happened.
  static int check_files(const std::filesystem::path& root) {
    int files = 0;
    std::error_code none;
    for (std::filesystem::recursive_directory_iterator it(root, none), end; !none && it != end;
         ++it) {
      if (it->path().extension() == ".safetensors") {
        EXPECT_NO_THROW(format::SafetensorsFile::read(it->path())) << it->path();
        ++files;
      }
      if (it->path().extension() == ".json") {
        EXPECT_NO_THROW(format::read_json_object(it->path())) << it->path();
        ++files;
      }
    }
    if (std::filesystem::exists(run_of(root) / "config.toml")) {
      EXPECT_NO_THROW(record::RunFolder::open(run_of(root)).metrics());
    }
    return files;
  }

  /// Whether a checkpoint is being written.
  static bool saves(const std::filesystem::path& root) {
    std::error_code none;
    for (std::filesystem::directory_iterator it(run_of(root) / "checkpoints", none), end;
         !none && it != end; it.increment(none)) {
      if (it->path().filename().string().starts_with("state-") &&
          it->path().extension() == ".tmp") {
        return true;
      }
    }
    return false;
  }

  /// Whether there is a checkpoint to go on from.
  static bool stored(const std::filesystem::path& root) {
    return !record::checkpoint_files(run_of(root)).empty();
  }

  /// What a killed process left would look like a save.
  static void clear_half_written(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> left;
    std::error_code none;
    for (std::filesystem::directory_iterator it(run_of(root) / "checkpoints", none), end;
         !none && it != end; it.increment(none)) {
      if (it->path().extension() == ".tmp") left.push_back(it->path());
    }
    for (const std::filesystem::path& file : left) std::filesystem::remove(file);
  }

  /// Whether the steps of an epoch are done and its evaluations are not.
  static bool evaluates(const std::filesystem::path& root) {
    std::ifstream file(run_of(root) / "metrics.jsonl");
    std::string last;
    for (std::string line; std::getline(file, line);) last = line;
    return last.find(R"("type":"epoch")") != std::string::npos;
  }

  /// Rows without what the clock decides, and the best weights.
  static std::vector<nlohmann::json> records(const std::filesystem::path& root) {
    const std::filesystem::path run = finished_run(root);
    std::vector<nlohmann::json> rows = record::RunFolder::open(run).metrics();
    for (nlohmann::json& row : rows) {
      row.erase("seconds");
      row.erase("data_wait");
    }
    rows.emplace_back(format::sha256_of_file(run / "checkpoints" / "best_on_val.safetensors"));
    return rows;
  }
};

}  // namespace smcl::cli
