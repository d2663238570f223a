#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/plot.h"
#include "report/run_data.h"

namespace smcl::report {

/// A class of a group of runs. Seeds may permute which label is rare, so classes are taken by rank:
/// the one with most training images first, equal counts in label order.
struct ClassView {
  std::string name;  ///< empty where the runs have different labels at this rank
  int count = 0;     ///< training images; of the first run where they differ
  metrics::Group shot = metrics::Group::many;
  std::optional<double> mean;  ///< accuracy over the runs; none where a run has no test image
  double deviation = 0.0;
};

/// What the runs of a group show together: means over its seeds.
struct GroupView {
  std::vector<ClassView> classes;
  std::vector<PlotPoint> loss;      ///< over epochs counted from 1, with standard deviations
  std::vector<PlotPoint> accuracy;  ///< balanced, of `accuracy_set`
  std::string accuracy_set;  ///< "test" where it was tested while training, else "validation"
  /// Classes x classes by rank, rows true: mean share of the predictions, in [0, 1]. Empty where
  /// a run has no predictions.
  std::vector<std::optional<double>> confusion;
  std::vector<ReliabilityBin> bins;  ///< of the images of all runs; empty as confusion is
};

/// Throws InternalError where `runs` is empty, DataError where they have not all as many classes.
GroupView view_of(const std::vector<const RunData*>& runs);

}  // namespace smcl::report
