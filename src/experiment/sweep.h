#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiment/recipe.h"

namespace smcl::experiment {

/// One run of a sweep.
struct SweepRun {
  Recipe recipe;
  std::uint64_t seed = 0;
  /// The run, before this one in the list, that it branches from, and at the beginning of which
  /// 0-based epoch: the two are the same up to there.
  std::optional<std::size_t> trunk;
  int branch_epoch = 0;
  int epochs = 0;  ///< of the run by itself, with those of a second stage
};

/// What a sweep trains.
struct SweepPlan {
  std::string name;
  std::vector<SweepRun> runs;  ///< all variants of the first seed, then of the next...
  std::size_t variants = 0;
  std::size_t seeds = 0;
  std::int64_t epochs = 0;  ///< of all runs by themselves
  std::int64_t saved = 0;   ///< of them that branches share with their trunks
  /// The sweep as a file beside its recipes, which stands on its own: its name and text, first
  /// "sweep.toml".
  std::vector<std::pair<std::string, std::string>> files;
};

struct SweepOptions {
  std::vector<std::string> overrides;  ///< of all recipes, "key=value"
  bool branch = true;
};

/// Reads a sweep file (docs/sweeps.md) and every recipe with every setting it gets, so that a
/// mistake shows before anything is trained. Variants that differ only late are planned as branches
/// where that is exact (early_differences). Throws UsageError, IoError.
SweepPlan plan_sweep(const std::filesystem::path& file, const SweepOptions& options);

/// Names of two variants each that do the same in every epoch of one seed: what they differ by
/// never acts. Of a plan with many variants the first 500 are looked at.
std::vector<std::pair<std::string, std::string>> alike_variants(const SweepPlan& plan);

}  // namespace smcl::experiment
