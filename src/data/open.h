#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "data/dataset.h"
#include "data/scenes.h"

namespace smcl::data {

/// Section [data] of a recipe: which set, which long-tailed form of it.
struct DataSettings {
  std::string name = "scenes";  ///< cifar10, cifar100, idx, scenes
  std::string dir;              ///< folder of the files; not for scenes
  std::string profile = "exp";  ///< exp, step, balanced, all, counts (a file), indices (a file)
  double ratio = 100.0;         ///< largest over smallest class
  /// images of the largest class, val_per_class included; 0: all there are (of a set that is not
  /// balanced: of its smallest class; scenes: 1000)
  int n_max = 0;
  std::string counts_file;       ///< one count a line, in label order
  std::string indices_file;      ///< one training position a line
  int val_per_class = 0;         ///< taken out of the training set (not scenes: it has its own)
  std::uint64_t split_seed = 0;  ///< which images
  std::int64_t class_order_seed = -1;  ///< which classes are rare; -1: label order (protocol)
  ScenesSettings scenes;
};
void bind(config::Binder& binder, DataSettings& settings);

/// Throws UsageError where settings are out of range, contradict one another, or would do nothing.
void check(const DataSettings& settings);

/// A data set opened for training: three sets, and which positions of them are used.
struct Opened {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> validation;  ///< may be the training set; null without one
  std::shared_ptr<const Dataset> test;
  std::vector<std::uint32_t> train_samples;
  std::vector<std::uint32_t> validation_samples;
  std::vector<std::uint32_t> test_samples;  ///< all of them
  std::vector<int> train_counts;            ///< a class, after the split
  Normalisation normalisation;
  int height = 32;
  int width = 32;
  std::optional<SceneSets> scenes;  ///< with truth, for name = scenes
  /// SHA-256 over positions, labels and pixels of all samples used (data/fingerprint.h): the same
  /// data, the same hash.
  std::string hash;

  int classes() const { return train->classes(); }
  std::vector<std::int32_t> train_labels() const;
};

/// Throws UsageError (settings), DataError (missing file, naming what was looked for and where to
/// get it; wrong size, label or contents), IoError (a file that cannot be read).
Opened open_data(const DataSettings& settings);

}  // namespace smcl::data
