#include "metrics/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace smcl::metrics {
namespace {

void check(const Predictions& predictions) {
  const std::size_t rows = predictions.size();
  if (predictions.classes < 1 || rows == 0 ||
      predictions.logits.size() != rows * static_cast<std::size_t>(predictions.classes)) {
    throw InternalError(concat("predictions: ", predictions.logits.size(), " logits for ", rows,
                               " labels and ", predictions.classes,
                               " classes, expected labels x classes and at least one row"));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int32_t label = predictions.labels[row];
    if (label < 0 || label >= predictions.classes) {
      throw DataError(concat("predictions: label ", label, " in row ", row, ", expected 0 to ",
                             predictions.classes - 1));
    }
  }
  const auto bad = std::find_if(predictions.logits.begin(), predictions.logits.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad != predictions.logits.end()) {
    const auto position = static_cast<std::size_t>(bad - predictions.logits.begin());
    const auto classes = static_cast<std::size_t>(predictions.classes);
    throw DataError(concat("predictions: logit of class ", position % classes, " in row ",
                           position / classes, " is ", *bad,
                           ", expected a finite value; the network has diverged"));
  }
}

void check_counts(const Predictions& predictions, std::span<const int> train_counts) {
  if (train_counts.size() != static_cast<std::size_t>(predictions.classes)) {
    throw InternalError(concat("predictions: ", train_counts.size(), " training counts for ",
                               predictions.classes, " classes"));
  }
  const auto negative =
      std::find_if(train_counts.begin(), train_counts.end(), [](int n) { return n < 0; });
  if (negative != train_counts.end()) {
    throw InternalError(concat("predictions: training count ", *negative, " of class ",
                               negative - train_counts.begin(), " is negative"));
  }
}

/// Mean of the values that are there over the classes for which `belongs` holds.
template <class Belongs>
std::optional<double> mean_where(const std::vector<std::optional<double>>& values,
                                 Belongs belongs) {
  double sum = 0.0;
  int count = 0;
  for (std::size_t c = 0; c < values.size(); ++c) {
    if (values[c] && belongs(c)) {
      sum += *values[c];
      ++count;
    }
  }
  if (count == 0) {
    return std::nullopt;
  }
  return sum / count;
}

/// Third (0 head, 1 middle, 2 tail) of each class by rank of training count; ties by label.
std::vector<int> thirds(std::span<const int> train_counts) {
  std::vector<std::size_t> order(train_counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return train_counts[a] > train_counts[b]; });
  std::vector<int> third(train_counts.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    third[order[rank]] = static_cast<int>(3 * rank / order.size());
  }
  return third;
}

struct Confidence {
  double largest = 0.0;       ///< probability of the predicted class
  double log_of_label = 0.0;  ///< log probability of the true class
};

Confidence confidence(const Predictions& predictions, std::size_t row) {
  const auto classes = static_cast<std::size_t>(predictions.classes);
  const float* logits = predictions.logits.data() + row * classes;
  const double top = *std::max_element(logits, logits + classes);
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    sum += std::exp(logits[c] - top);
  }
  const double label_logit = logits[static_cast<std::size_t>(predictions.labels[row])];
  return {1.0 / sum, label_logit - top - std::log(sum)};
}

}  // namespace

Group shot_group(int count, const GroupBounds& bounds) {
  if (count > bounds.many_above) {
    return Group::many;
  }
  return count < bounds.few_below ? Group::few : Group::medium;
}

std::int32_t Predictions::predicted(std::size_t row) const {
  const auto first = logits.begin() + static_cast<std::ptrdiff_t>(row) * classes;
  return static_cast<std::int32_t>(std::max_element(first, first + classes) - first);
}

Accuracy accuracy(const Predictions& predictions, std::span<const int> train_counts,
                  const GroupBounds& bounds) {
  check(predictions);
  check_counts(predictions, train_counts);
  const auto classes = static_cast<std::size_t>(predictions.classes);
  std::vector<std::int64_t> right(classes), seen(classes);
  std::int64_t all_right = 0;
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const auto label = static_cast<std::size_t>(predictions.labels[row]);
    const bool hit = predictions.predicted(row) == predictions.labels[row];
    ++seen[label];
    right[label] += hit;
    all_right += hit;
  }

  Accuracy result;
  result.all = static_cast<double>(all_right) / static_cast<double>(predictions.size());
  result.per_class.resize(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    if (seen[c] > 0) {
      result.per_class[c] = static_cast<double>(right[c]) / static_cast<double>(seen[c]);
    }
  }
  const auto of_group = [&](Group group) {
    return mean_where(result.per_class,
                      [&](std::size_t c) { return shot_group(train_counts[c], bounds) == group; });
  };
  const std::vector<int> third = thirds(train_counts);
  const auto of_third = [&](int which) {
    return mean_where(result.per_class, [&](std::size_t c) { return third[c] == which; });
  };
  result.balanced = mean_where(result.per_class, [](std::size_t) { return true; }).value();
  result.many = of_group(Group::many);
  result.medium = of_group(Group::medium);
  result.few = of_group(Group::few);
  result.head = of_third(0);
  result.middle = of_third(1);
  result.tail = of_third(2);
  return result;
}

std::optional<double> medium_few(const std::vector<std::optional<double>>& per_class,
                                 std::span<const int> train_counts, const GroupBounds& bounds) {
  if (per_class.size() != train_counts.size()) {
    throw InternalError(concat("accuracies of ", per_class.size(), " classes with ",
                               train_counts.size(), " training counts"));
  }
  return mean_where(
      per_class, [&](std::size_t c) { return shot_group(train_counts[c], bounds) != Group::many; });
}

Predictions prior_corrected(const Predictions& predictions, std::span<const int> train_counts,
                            double tau) {
  check(predictions);
  check_counts(predictions, train_counts);
  const double total = std::accumulate(train_counts.begin(), train_counts.end(), 0.0);
  if (total <= 0.0) {
    throw InternalError("prior correction: the training counts sum to 0");
  }
  Predictions result = predictions;
  const auto classes = static_cast<std::size_t>(predictions.classes);
  for (std::size_t c = 0; c < classes; ++c) {
    const double images = train_counts[c] > 0 ? train_counts[c] : 0.5;
    const double shift = tau * std::log(images / total);
    for (std::size_t row = 0; row < predictions.size(); ++row) {
      float& logit = result.logits[row * classes + c];
      logit = static_cast<float>(logit - shift);
    }
  }
  return result;
}

std::vector<std::int64_t> confusion(const Predictions& predictions) {
  check(predictions);
  const auto classes = static_cast<std::size_t>(predictions.classes);
  std::vector<std::int64_t> counts(classes * classes);
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const auto label = static_cast<std::size_t>(predictions.labels[row]);
    ++counts[label * classes + static_cast<std::size_t>(predictions.predicted(row))];
  }
  return counts;
}

Calibration calibration(const Predictions& predictions, int bins) {
  check(predictions);
  if (bins < 1) {
    throw InternalError(concat("calibration: ", bins, " bins, expected at least 1"));
  }
  Calibration result;
  result.bins.resize(static_cast<std::size_t>(bins));
  for (std::size_t row = 0; row < predictions.size(); ++row) {
    const Confidence found = confidence(predictions, row);
    const int place = static_cast<int>(std::ceil(found.largest * bins)) - 1;
    auto& bin = result.bins[static_cast<std::size_t>(std::clamp(place, 0, bins - 1))];
    bin.confidence += found.largest;
    bin.accuracy += predictions.predicted(row) == predictions.labels[row] ? 1.0 : 0.0;
    ++bin.count;
    result.nll -= found.log_of_label;
  }
  const auto rows = static_cast<double>(predictions.size());
  result.nll /= rows;
  for (auto& bin : result.bins) {
    if (bin.count > 0) {
      result.ece += std::abs(bin.accuracy - bin.confidence) / rows;
      bin.confidence /= static_cast<double>(bin.count);
      bin.accuracy /= static_cast<double>(bin.count);
    }
  }
  return result;
}

}  // namespace smcl::metrics
