#include "metrics/features.h"

#include <cmath>

#include "core/error.h"

namespace smcl::metrics {

Features unit_rows(const Features& features, const char* name) {
  const std::size_t rows = features.size();
  if (features.dim < 1 || features.values.size() != rows * static_cast<std::size_t>(features.dim)) {
    throw InternalError(concat("features of ", name, ": ", features.values.size(),
                               " values are no rows of ", features.dim));
  }
  Features unit{features.dim, {}};
  unit.values.reserve(features.values.size());
  for (std::size_t i = 0; i < rows; ++i) {
    double squares = 0.0;
    for (const float value : features.row(i)) {
      if (!std::isfinite(value)) {
        throw DataError(concat("features of ", name, ": ", value, " in row ", i,
                               ", expected finite values; the network has diverged"));
      }
      squares += static_cast<double>(value) * value;
    }
    const double length = std::sqrt(squares);
    for (const float value : features.row(i)) {
      unit.values.push_back(length > 0.0 ? static_cast<float>(value / length) : 0.0F);
    }
  }
  return unit;
}

ClassMeans::ClassMeans(const Features& unit, std::span<const std::int32_t> labels, int classes)
    : unit_(unit), labels_(labels.begin(), labels.end()) {
  if (labels.size() != unit.size() || classes < 1) {
    throw InternalError(concat("class means of ", unit.size(), " rows: ", labels.size(),
                               " labels of ", classes, " classes"));
  }
  const auto dim = static_cast<std::size_t>(unit.dim);
  sums_.assign(static_cast<std::size_t>(classes) * dim, 0.0);
  counts_.assign(static_cast<std::size_t>(classes), 0);
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] < 0 || labels_[i] >= classes) {
      throw InternalError(concat("class means: label ", labels_[i], " of ", classes, " classes"));
    }
    const auto label = static_cast<std::size_t>(labels_[i]);
    const auto row = unit.row(i);
    for (std::size_t d = 0; d < dim; ++d) sums_[label * dim + d] += row[d];
    ++counts_[label];
  }
}

bool ClassMeans::takes_out(int label, std::int64_t left_out) const {
  return left_out >= 0 && labels_.at(static_cast<std::size_t>(left_out)) == label;
}

bool ClassMeans::has(int label, std::int64_t left_out) const {
  return counts_.at(static_cast<std::size_t>(label)) > (takes_out(label, left_out) ? 1 : 0);
}

double ClassMeans::cosine(std::span<const float> row, int label, std::int64_t left_out) const {
  const auto dim = static_cast<std::size_t>(unit_.dim);
  const double* sum = sums_.data() + static_cast<std::size_t>(label) * dim;
  const bool less = takes_out(label, left_out);
  double product = 0.0;
  double squares = 0.0;
  double own = 0.0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double value =
        sum[d] - (less ? unit_.values[static_cast<std::size_t>(left_out) * dim + d] : 0.0F);
    product += value * row[d];
    squares += value * value;
    own += static_cast<double>(row[d]) * row[d];
  }
  const double lengths = std::sqrt(squares) * std::sqrt(own);
  return lengths > 0.0 ? product / lengths : 0.0;
}

double ClassMeans::mean_cosine(std::span<const float> row, std::int64_t left_out,
                               int without) const {
  double sum = 0.0;
  int classes = 0;
  for (int label = 0; label < static_cast<int>(counts_.size()); ++label) {
    if (label == without || !has(label, left_out)) continue;
    sum += cosine(row, label, left_out);
    ++classes;
  }
  return classes > 0 ? sum / classes : 0.0;
}

}  // namespace smcl::metrics
