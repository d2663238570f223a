#pragma once

#include "experiment/analysis_measures.h"
#include "experiment/recipe.h"

namespace smcl::experiment {

/// Measures of scenes that need the truth (docs/analyze.md).
struct SceneAnalysis {
  const Recipe& recipe;  ///< its mask.*, saliency.* are those of the analysis
  const data::Opened& data;
  nn::Network& network;
  std::uint64_t seed = 0;
  int judged = 1000;  ///< training images that detectors are judged on
  metrics::Bootstrap bootstrap;
};

/// How well the kind of the background can be read from the features of test images: a linear probe
/// fitted on every second object, judged on the others; beside it one on colours alone.
void add_probe(const SceneAnalysis& what, const Seen& test, MeasureList& list);

/// Accuracy on test images by whether their saliency peak lies on the object.
void add_peaks(const SceneAnalysis& what, const Seen& test, MeasureList& list);

/// How well every detector finds the object on training images.
void add_places(const SceneAnalysis& what, MeasureList& list);

/// What summary.json holds under `bias`, by these weights.
void add_bias(const SceneAnalysis& what, const Seen& test, MeasureList& list);

/// For each of `samples` of a set that knows its objects whether the saliency peak of the image, as
/// it is at test time, lies on the object.
std::vector<std::uint8_t> peaks_on_object(const SceneAnalysis& what, const data::Dataset& set,
                                          const std::vector<std::uint32_t>& samples);

/// Mean and standard deviation of each colour channel, in grey levels: six values an image.
metrics::Features colour_features(const data::Dataset& set,
                                  const std::vector<std::uint32_t>& samples);

}  // namespace smcl::experiment
