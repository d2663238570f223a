#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace smcl::metrics {

/// A table of features, a row an image.
struct Features {
  int dim = 0;
  std::vector<float> values;  ///< rows x dim
  std::size_t size() const { return dim > 0 ? values.size() / static_cast<std::size_t>(dim) : 0; }
  std::span<const float> row(std::size_t i) const {
    return std::span(values).subspan(i * static_cast<std::size_t>(dim),
                                     static_cast<std::size_t>(dim));
  }
};

/// Every row divided by its Euclidean length; a row of zeros stays one, and has the cosine 0 with
/// everything. Throws InternalError where the values are no whole rows, DataError where one is not
/// finite; `name` says whose they are.
Features unit_rows(const Features& features, const char* name);

/// Mean of the unit rows of each class, for cosines with it.
class ClassMeans {
 public:
  /// `unit`: of unit_rows, outlives this; `labels`: one a row, in [0, classes). Throws
  /// InternalError otherwise.
  ClassMeans(const Features& unit, std::span<const std::int32_t> labels, int classes);

  /// Whether a class has rows; `left_out` as below.
  bool has(int label, std::int64_t left_out = -1) const;
  /// Cosine of a unit row with the mean of `label`, from which row `left_out` of the table is taken
  /// where it belongs to the class (-1: none). 0 where the mean is a row of zeros.
  double cosine(std::span<const float> row, int label, std::int64_t left_out = -1) const;
  /// Mean of these cosines over all classes that have rows, but `without` (-1: none): what a class
  /// drawn evenly among them would give.
  double mean_cosine(std::span<const float> row, std::int64_t left_out = -1,
                     int without = -1) const;

 private:
  bool takes_out(int label, std::int64_t left_out) const;

  const Features& unit_;
  std::vector<std::int32_t> labels_;
  std::vector<double> sums_;  // classes x dim
  std::vector<int> counts_;
};

}  // namespace smcl::metrics
