#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/comparison.h"

namespace smcl::report {

/// Groups that differ in one setting alone, along its values.
struct Sensitivity {
  std::string key;
  std::string fixed;  ///< the other settings that vary among all groups: "mask.prob = 0.2"
  /// In order: numbers by value, else as the runs came. The second is the group's place.
  std::vector<std::pair<std::string, std::size_t>> values;
};

/// Groups that differ in two settings alone and have every pair of their values.
struct SensitivityGrid {
  std::string row_key, column_key;
  std::string fixed;
  std::vector<std::string> rows, columns;
  std::vector<std::size_t> groups;  ///< rows x columns: places of groups
};

/// What of a condition is a sweep over settings, whatever the recipes' names: over single settings
/// (three values or more), and over pairs of settings (two values or more each). A line that is a
/// row or column of a grid is left to it.
struct Sensitivities {
  std::vector<Sensitivity> lines;
  std::vector<SensitivityGrid> grids;
};
Sensitivities sensitivities_of(const Condition& condition);

}  // namespace smcl::report
