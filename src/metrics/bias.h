#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "metrics/bootstrap.h"
#include "metrics/metrics.h"

namespace smcl::metrics {

/// What is known about the backgrounds of a paired test set: every row of the predictions shows
/// an object over a kind of background.
struct BackgroundTruth {
  std::vector<std::int32_t> kinds;          ///< of each row, 0 or more
  std::vector<std::int32_t> objects;        ///< of each row; rows of one object share a label
  std::vector<std::vector<int>> preferred;  ///< kinds preferred in training, a class
  std::vector<std::vector<int>> seen;       ///< kinds with a training image, a class
};

/// The kinds with a count above 0: row c of `counts` holds training images of class c by kind.
template <class Rows>
std::vector<std::vector<int>> kinds_present(const Rows& counts) {
  std::vector<std::vector<int>> result;
  for (const auto& row : counts) {
    auto& kinds = result.emplace_back();
    int kind = 0;
    for (const auto count : row) {
      if (count > 0) kinds.push_back(kind);
      ++kind;
    }
  }
  return result;
}

/// One value a shot group; empty groups have none. medium_few: medium and few together.
struct GroupValues {
  std::optional<double> all, many, medium, few, medium_few;
};

struct GroupIntervals {
  std::optional<Interval> all, many, medium, few, medium_few;
};

/// Difference of two accuracies, in [-1, 1].
struct Gap {
  std::vector<std::optional<double>> per_class;  ///< none where either side has no image
  GroupValues mean;                              ///< over the classes of a group that have a gap
  GroupIntervals interval;                       ///< of the means, by bootstrap over objects
};

struct BackgroundBias {
  Gap gap;       ///< accuracy on a class's preferred kinds minus on the others
  Gap gap_seen;  ///< accuracy on kinds seen in training minus on the unseen
  /// Share of the test images of few-shot classes that are predicted as a many-shot class, on kinds
  /// that their class has not seen in training, and has seen.
  std::optional<double> few_to_many_unseen, few_to_many_seen;
  /// Pairwise disagreement: of all pairs of images of one object (that differ in kind alone) the
  /// share with two different predictions; mean over the objects of a group with two or more.
  GroupValues flips;
};

/// Bias by backgrounds (docs/scenes.md); intervals over the objects of each class. A group with a
/// class that has fewer than two objects gets no interval. Throws InternalError where sizes, kinds
/// or objects do not fit, DataError where a logit is not finite.
BackgroundBias background_bias(const Predictions& predictions, const BackgroundTruth& truth,
                               std::span<const int> train_counts, const GroupBounds& bounds,
                               const Bootstrap& bootstrap);

/// What the network says of backgrounds without an object, in probabilities (softmax).
struct PlainBias {
  /// Mean over few-shot classes: probability of the class on kinds that it has not seen minus on
  /// kinds that it has. Negative: the class is tied to its backgrounds.
  std::optional<double> few_unseen_minus_seen;
  /// Mean probability of all many-shot classes together, minus their share of the training images.
  std::optional<double> many_above_share;
};

/// `plain`: logits of background-only images, labels without meaning; `kinds` of each row; `seen`
/// as in BackgroundTruth. Throws as background_bias does.
PlainBias plain_bias(const Predictions& plain, std::span<const std::int32_t> kinds,
                     const std::vector<std::vector<int>>& seen, std::span<const int> train_counts,
                     const GroupBounds& bounds);

}  // namespace smcl::metrics
