#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/log.h"
#include "experiment/run.h"
#include "format/file.h"
#include "format/scratch.h"

namespace smcl::experiment {

/// A narrow network, all steps of the last half masked.
inline constexpr const char* kTinyTraining = R"(
    [network]
    arch = "resnet20"
    width = 0.25
    [train]
    epochs = 2
    batch_size = 16
    [mask]
    prob = 1.0
    start = 0.5
    [run]
    precision = "fp32"
    threads = 1
  )";

/// A run of a second: 75 scenes or so in 5 steps an epoch, and kTinyTraining. `extra` is TOML with
/// dotted keys.
inline Recipe tiny(const std::string& extra) {
  const std::string base = R"(
    [data]
    n_max = 20
    ratio = 10
    [scenes]
    test_objects = 1
    val_objects = 1
  )";
  config::Document document = config::Document::parse(base + kTinyTraining, "tiny");
  document.merge(config::Document::parse(extra, "extra"));
  return resolve_recipe(document, "tiny");
}

/// Runs go into a scratch folder.
class TinyRuns : public ScratchFolder {
 protected:
  void SetUp() override {
    ScratchFolder::SetUp();
    log::set_console_level(log::Level::error);
    options_.root = folder() / "runs";
  }
  RunOptions options_;
};

inline std::string weights_hash(const RunResult& run) {
  return format::sha256_of_file(run.folder.weights_file("last"));
}

}  // namespace smcl::experiment
