#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/open.h"
#include "experiment/features.h"
#include "experiment/masked_images.h"
#include "metrics/bootstrap.h"
#include "metrics/neighbours.h"
#include "record/analysis.h"

namespace smcl::experiment {

/// Measures in the order in which they are shown.
class MeasureList {
 public:
  void add(record::Measure measure) { all_.push_back(std::move(measure)); }
  /// With the interval of `estimate`; nothing where there is none.
  void add(record::Measure measure, const std::optional<metrics::Estimate>& estimate);
  const std::vector<record::Measure>& all() const { return all_; }

 private:
  std::vector<record::Measure> all_;
};

/// Unmasked training images, among which neighbours are sought.
struct Gallery {
  std::vector<std::uint32_t> samples;  ///< positions in the training set
  metrics::Features unit;              ///< a unit row a sample
  std::vector<std::int32_t> labels;
};

/// Masked images of one set and what the network says of them.
struct Queries {
  std::string key;    ///< "train", "test"
  std::string title;  ///< "training images", "test images"
  MaskedImages images;
  SeenMasked seen;
  std::vector<std::int64_t> own;  ///< row of the gallery with the same image, -1 for none
};

/// What is known of the data.
struct AnalysisData {
  const data::Opened& data;
  const metrics::GroupBounds& bounds;
};

/// Neighbours of masked images and of the same images unmasked, nearest first.
struct QueryNeighbours {
  metrics::Neighbours masked;
  metrics::Neighbours plain;
};
/// Throws UsageError where k does not fit the gallery.
QueryNeighbours find_neighbours(const Gallery& gallery, const Queries& queries, int k);

/// Where neighbours lie (docs/analyze.md): in classes by shot group, in the own and the target
/// class and, on sets that know them, on the own kind of background and on kinds that the class
/// prefers.
void add_neighbours(const AnalysisData& what, const Gallery& gallery, const Queries& queries,
                    const QueryNeighbours& neighbours, const metrics::RowBootstrap& bootstrap,
                    MeasureList& list);

/// Cosines with the mean features of the target class and of the own class.
void add_similarity(const Gallery& gallery, const Queries& queries,
                    const metrics::RowBootstrap& bootstrap, MeasureList& list);

/// Probability of many, medium and few-shot classes, beside their share of the training images.
void add_mass(const AnalysisData& what, const Queries& queries,
              const metrics::RowBootstrap& bootstrap, MeasureList& list);

/// Over the images of `queries` (copies of one image are one unit), class by class; on sets that
/// know them over objects.
metrics::RowBootstrap bootstrap_of(const AnalysisData& what, const Queries& queries,
                                   const metrics::Bootstrap& bootstrap);

/// The set as scenes, which know their backgrounds; null where it is none.
const data::Scenes* scenes_of(const data::Opened& data, const data::Dataset& set);

}  // namespace smcl::experiment
