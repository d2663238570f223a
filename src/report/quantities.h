#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace smcl::report {

/// What is compared of runs. Accuracies, gaps and errors are fractions.
enum class Quantity {
  all,
  balanced,
  many,
  medium,
  few,
  medium_few,
  head,
  middle,
  tail,
  bias_gap,
  corrected,
  corrected_medium_few,
  ece,
};
inline constexpr std::size_t kQuantities = 13;

/// A value each; what a run does not know has none.
using Quantities = std::array<std::optional<double>, kQuantities>;

inline std::size_t place(Quantity quantity) {
  return static_cast<std::size_t>(quantity);
}

struct QuantityInfo {
  Quantity quantity;
  const char* key;    ///< in CSV and JSON
  const char* title;  ///< head of a column
  const char* text;   ///< one sentence on what it is, without its stop
  bool less_is_better;
};

/// In the order of the enumeration.
inline constexpr std::array<QuantityInfo, kQuantities> kQuantityInfos{{
    {Quantity::all, "all", "all", "Accuracy, mean over images", false},
    {Quantity::balanced, "balanced", "balanced", "Accuracy, mean over classes", false},
    {Quantity::many, "many", "many", "Accuracy over classes with many training images", false},
    {Quantity::medium, "medium", "medium", "Accuracy over classes between", false},
    {Quantity::few, "few", "few", "Accuracy over classes with few training images", false},
    {Quantity::medium_few, "medium_few", "medium+few",
     "Accuracy over medium and few classes together", false},
    {Quantity::head, "head", "head", "Accuracy over the third of classes with most training images",
     false},
    {Quantity::middle, "middle", "middle", "Accuracy over the third of classes between", false},
    {Quantity::tail, "tail", "tail",
     "Accuracy over the third of classes with fewest training images", false},
    {Quantity::bias_gap, "bias_gap", "bias gap",
     "Accuracy on the backgrounds that a class prefers in training minus on others, medium and few "
     "classes",
     true},
    {Quantity::corrected, "corrected", "corrected",
     "Balanced accuracy after the training prior was divided out of the predictions", false},
    {Quantity::corrected_medium_few, "corrected_medium_few", "corr. medium+few",
     "Balanced accuracy over medium and few classes after the same correction", false},
    {Quantity::ece, "ece", "ECE", "Expected calibration error", true},
}};

/// Thirds by rank, which are shown beside shot groups where one of these has no class.
inline bool is_of_thirds(Quantity quantity) {
  return quantity == Quantity::head || quantity == Quantity::middle || quantity == Quantity::tail;
}

}  // namespace smcl::report
