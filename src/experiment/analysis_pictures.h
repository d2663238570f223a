#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiment/analysis_measures.h"
#include "image/image.h"

namespace smcl::experiment {

/// A picture of an analysis before it is written.
struct AnalysisGrid {
  record::AnalysisPicture about;
  Image image;
};

/// Examples of masked images with the training images that are nearest to them in feature space, a
/// row an image, at most ten classes evenly spread from the most to the least frequent. Sets that
/// know their objects have two pictures: masks whose centre lies on the object, and beside it.
std::vector<AnalysisGrid> neighbour_pictures(const AnalysisData& what, const Gallery& gallery,
                                             const Queries& queries,
                                             const QueryNeighbours& neighbours);

/// `count` of `classes` ranks (fewer where there are fewer), from first to last, evenly spread.
std::vector<int> even_ranks(int classes, int count);

/// For each image whether the centre of its mask lies on its object; empty where the set does not
/// know its objects.
std::vector<std::uint8_t> centres_on_object(const Queries& queries, int height, int width);

}  // namespace smcl::experiment
