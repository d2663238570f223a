#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/export.h"

namespace smcl::metrics {

/// Bounds of the shot groups by training count: many > many_above, few < few_below, medium
/// between.
struct GroupBounds {
  int many_above = 100;
  int few_below = 20;
};

enum class Group { many, medium, few };
SMCL_API Group shot_group(int count, const GroupBounds& bounds);

/// Accuracies in [0, 1]. An empty group has no value (a dash in tables), never 0. Group values
/// are means over the classes of the group (equal to the mean over images on a balanced test
/// set).
struct Accuracy {
  double all = 0.0;       ///< mean over images
  double balanced = 0.0;  ///< mean over classes that have test images
  std::optional<double> many, medium, few;
  /// Thirds of the classes by rank of training count (rank r of C: third floor(3r/C), so 4/3/3 of
  /// ten classes); equal counts rank in label order.
  std::optional<double> head, middle, tail;
  std::vector<std::optional<double>> per_class;
};

/// Labels and logits of a test set, row after row.
struct SMCL_API Predictions {
  int classes = 0;
  std::vector<std::int32_t> labels;  ///< N
  std::vector<float> logits;         ///< N x classes
  std::size_t size() const { return labels.size(); }
  std::int32_t predicted(std::size_t row) const;  ///< first maximum
};

/// All functions of predictions throw InternalError where sizes do not fit or there is no row,
/// DataError where a label is out of range or a logit is not finite.
SMCL_API Accuracy accuracy(const Predictions& predictions, std::span<const int> train_counts,
                           const GroupBounds& bounds);

/// Mean of `per_class` over medium-shot and few-shot classes together: steadier than few alone, of
/// which there may be one or two. Throws InternalError where there is not one count a class.
std::optional<double> medium_few(const std::vector<std::optional<double>>& per_class,
                                 std::span<const int> train_counts, const GroupBounds& bounds);

/// Logits minus tau * log(prior of the training counts) (logit adjustment after training, Menon et
/// al. 2021). Classes without training images keep their logits minus the log of one half image.
SMCL_API Predictions prior_corrected(const Predictions& predictions,
                                     std::span<const int> train_counts, double tau);

/// The confusion matrix: result[true * classes + predicted], counts.
SMCL_API std::vector<std::int64_t> confusion(const Predictions& predictions);

struct Calibration {
  struct Bin {
    double confidence = 0.0;  ///< mean of the largest probability
    double accuracy = 0.0;
    std::int64_t count = 0;
  };
  /// Equal widths; bin m of M holds confidences in ((m-1)/M, m/M] (Guo et al. 2017).
  std::vector<Bin> bins;
  double ece = 0.0;  ///< expected calibration error, in [0, 1]
  double nll = 0.0;  ///< mean negative log-likelihood
};
SMCL_API Calibration calibration(const Predictions& predictions, int bins = 15);

}  // namespace smcl::metrics
