#include "report/summary.h"

#include <limits>

#include "core/error.h"
#include "format/json.h"

namespace smcl::report {
namespace {

std::optional<double> number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

metrics::Accuracy accuracy_of(const nlohmann::json& accuracy) {
  metrics::Accuracy out;
  out.all = accuracy.at("all").get<double>();
  out.balanced = accuracy.at("balanced").get<double>();
  out.many = number(accuracy, "many");
  out.medium = number(accuracy, "medium");
  out.few = number(accuracy, "few");
  out.head = number(accuracy, "head");
  out.middle = number(accuracy, "middle");
  out.tail = number(accuracy, "tail");
  if (const auto list = accuracy.find("per_class"); list != accuracy.end()) {
    for (const auto& value : *list) {
      out.per_class.push_back(value.is_number() ? std::optional(value.get<double>())
                                                : std::nullopt);
    }
  }
  return out;
}

AccuracyRow row_of(const std::string& name, const nlohmann::json& summary) {
  AccuracyRow row;
  row.run = name;
  row.accuracy = accuracy_of(summary.at("last").at("accuracy"));
  if (const auto bias = summary.find("bias"); bias != summary.end()) {
    row.bias_gap = number(bias->at("gap"), "medium_few");
  }
  return row;
}

StoredClasses stored_classes(const nlohmann::json& summary, const std::string& origin) {
  constexpr int kLargest = std::numeric_limits<int>::max();
  const auto bound = [&](const char* key) {
    return static_cast<int>(format::integer_at(summary.at("groups"), key, 0, kLargest, origin));
  };
  return {format::integers_at(summary, "train_counts", 0, kLargest, origin),
          {bound("many_above"), bound("few_below")}};
}

std::optional<double> medium_few(const metrics::Accuracy& accuracy, const StoredClasses& classes,
                                 const std::string& origin) {
  if (accuracy.per_class.size() != classes.train_counts.size()) {
    throw DataError(concat(origin, ": ", accuracy.per_class.size(), " accuracies of classes for ",
                           classes.train_counts.size(), " train_counts"));
  }
  return metrics::medium_few(accuracy.per_class, classes.train_counts, classes.bounds);
}

}  // namespace smcl::report
