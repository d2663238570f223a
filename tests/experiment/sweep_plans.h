#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiment/sweep.h"
#include "format/scratch.h"

namespace smcl::experiment {

inline const std::string kHead = "recipes = ['base.toml']\n";

/// Four epochs of a second; masks and a rule would start at epoch 2.
inline const std::string kBase = R"(
data.n_max = 20
data.ratio = 10
scenes.test_objects = 1
scenes.val_objects = 1
network.arch = "resnet20"
network.width = 0.25
method.name = "ce"
train.epochs = 4
train.batch_size = 16
mask.start = 2
rule.start = 2
run.precision = "fp32"
run.threads = 1
run.name = "base"
)";

class SweepPlanning : public ScratchFolder {
 protected:
  void SetUp() override {
    ScratchFolder::SetUp();
    write("base.toml", kBase);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder() / name) << text;
  }
  SweepPlan plan(const std::string& text, const SweepOptions& options = {}) const {
    write("sweep.toml", text);
    return plan_sweep(folder() / "sweep.toml", options);
  }
  /// What a sweep writes, into "copy".
  void write_copy(const SweepPlan& planned) const {
    for (const auto& [name, content] : planned.files) {
      std::filesystem::create_directories((folder() / "copy" / name).parent_path());
      write("copy/" + name, content);
    }
  }
  std::string refusal(const std::string& text) const {
    return error_of<UsageError>([&] { plan(text); });
  }
  static std::vector<std::string> names(const SweepPlan& plan) {
    std::vector<std::string> all;
    for (const SweepRun& run : plan.runs) {
      all.push_back(concat(run.recipe.name, "@", run.recipe.train.seed));
    }
    return all;
  }
};

}  // namespace smcl::experiment
