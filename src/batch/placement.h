#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "batch/augmenter.h"
#include "batch/batch.h"
#include "saliency/detector.h"

namespace smcl::batch {

/// One image of a step, as the detector may look at it.
struct Shown {
  ImageView original;
  const std::uint8_t* augmented = nullptr;  ///< height x width x 3 bytes
  plan::Treatment treatment;
  std::size_t index = 0;
  int epoch = 0;
};

/// A mask in its place.
struct Placed {
  Point centre;                  ///< of the augmented image, before clipping
  Box box;                       ///< clipped; empty where nothing is hidden
  double lambda = 1.0;           ///< weight of the own label, by the rule of mce.lambda
  double contrast_lambda = 1.0;  ///< the same by area
};

/// lambda by area: the share of a height x width image that `box` leaves.
double share_left(const Box& box, int height, int width);

/// What places boxes under these settings: where images are mixed, boxes lie around the partner's
/// most salient pixel, or need no placement, and labels go by area.
ExecutorSettings of_boxes(ExecutorSettings settings);

/// Finds the place of masks; holds the detector and its memory, one a thread.
class Placement {
 public:
  /// For images of height x width. Errors: see Executor.
  Placement(const ExecutorSettings& settings, const data::Dataset& dataset, int height, int width);
  ~Placement();

  Placed place(const plan::MaskDraw& draw, const Shown& image);
  /// The map of the image placed last, over the whole augmented image (height x width bytes, 0
  /// where the detector did not look); empty where places need no map.
  std::vector<std::uint8_t> last_map() const;

 private:
  struct Map;
  const Map& saliency(const plan::MaskDraw& draw, const Shown& image);
  Placed oracle(const Shown& image);
  double own_share(const Box& box, double area_lambda) const;

  plan::MaskSettings mask_;
  plan::LambdaSettings lambda_;
  int padding_;
  const data::Dataset& dataset_;
  int height_;
  int width_;
  Augmenter augmenter_;  ///< of true objects
  std::unique_ptr<Map> map_;
};

}  // namespace smcl::batch
