#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "data/dataset.h"

namespace smcl::data {

/// The built-in data set with ground truth for backgrounds (docs/scenes.md): items of clothing from
/// Fashion-MNIST, tinted and placed over a textured background of one of kSceneKinds kinds. Every
/// byte is a pure function of the settings; a part, a class or an image draws from streams of its
/// own, so that other counts leave it as it was. The parts take objects from fixed pools: test from
/// t10k (1000 a class), validation from the last 1000 of each class in the training file, training
/// from the 5000 before.
inline constexpr int kSceneKinds = 24;
inline constexpr int kSceneSize = 32;

struct ScenesSettings {
  std::uint64_t seed = 0;  ///< of objects, kinds, poses and textures
  /// How kinds go with classes in training:
  /// context(alpha = 0.6, preferred = 4): with probability alpha one of the class's preferred
  /// kinds, else any; independent: any; resampled(alpha = 0, preferred = 4): as context, drawn anew
  /// each epoch, texture and all; scarce(kinds = 4): only the class's preferred kinds.
  config::Call support{"context", {0.6, 4.0}};
  double kind_zipf = 0.0;  ///< exponent of a long tail of kinds; 0 = all alike
  double scale_min = 0.5;  ///< of the object's 28 pixels
  double scale_max = 0.8;
  double texture_amplitude = 0.1;  ///< of +-127 grey levels
  int test_objects = 40;           ///< a class, each over all kinds; at least 1
  int val_objects = 20;            ///< a class, each over all kinds; 0: no validation set
  std::string fashion_dir = "/usr/share/datasets/fashion-mnist";
};
void bind(config::Binder& binder, ScenesSettings& settings);

/// Rendered scenes; images and truth are made on construction (`resampled` renders on demand).
class Scenes : public Dataset {
 public:
  /// Background kind of image `index` in epoch `epoch`, 0..kSceneKinds-1.
  virtual int kind(std::size_t index, int epoch) const = 0;
  /// Number of the object shown, unique within the set; -1 on background-only images.
  virtual int object(std::size_t index) const = 0;
};

/// What goes with what in training.
struct SceneTruth {
  std::vector<std::vector<int>> preferred;  ///< kinds preferred by each class, ascending
  /// training images of each class over each kind (epoch 0 for `resampled`)
  std::vector<std::array<int, kSceneKinds>> seen;
};

struct SceneSets {
  std::shared_ptr<const Scenes> train;  ///< class by class, counts[label] images each
  std::shared_ptr<const Scenes>
      validation;                      ///< other objects, val_objects x kinds a class; null for 0
  std::shared_ptr<const Scenes> test;  ///< other objects, test_objects x kinds a class
  std::shared_ptr<const Scenes> backgrounds;  ///< no object: kinds x 8, label 0 without meaning
  SceneTruth truth;
};

/// `counts[label]`: training images of each of the 10 classes. Throws UsageError where
/// settings are out of range, DataError where Fashion-MNIST is not at fashion_dir (the text names
/// the Debian package) or has too few images.
SceneSets make_scenes(const ScenesSettings& settings, std::span<const int> counts);

}  // namespace smcl::data
