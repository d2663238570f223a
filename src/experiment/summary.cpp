#include "experiment/summary.h"

#include <sys/resource.h>

#include <array>
#include <chrono>
#include <ctime>

#include "format/json.h"
#include "record/predictions.h"

namespace smcl::experiment {

nlohmann::json to_json(const metrics::Accuracy& accuracy, bool per_class) {
  nlohmann::json out{{"all", accuracy.all}, {"balanced", accuracy.balanced}};
  out["many"] = format::number_or_null(accuracy.many);
  out["medium"] = format::number_or_null(accuracy.medium);
  out["few"] = format::number_or_null(accuracy.few);
  out["head"] = format::number_or_null(accuracy.head);
  out["middle"] = format::number_or_null(accuracy.middle);
  out["tail"] = format::number_or_null(accuracy.tail);
  if (per_class) {
    auto& list = out["per_class"] = nlohmann::json::array();
    for (const auto& value : accuracy.per_class) list.push_back(format::number_or_null(value));
  }
  return out;
}

nlohmann::json judge(const metrics::Predictions& predictions, std::span<const int> train_counts,
                     const metrics::GroupBounds& bounds) {
  nlohmann::json out;
  out["accuracy"] = to_json(metrics::accuracy(predictions, train_counts, bounds), true);
  const auto corrected = metrics::prior_corrected(predictions, train_counts, 1.0);
  out["prior_corrected"] = to_json(metrics::accuracy(corrected, train_counts, bounds), true);
  const metrics::Calibration calibration = metrics::calibration(predictions);
  out["ece"] = calibration.ece;
  out["nll"] = calibration.nll;
  out["images"] = predictions.size();
  return out;
}

void store_predictions(const std::filesystem::path& file, const metrics::Predictions& predictions) {
  record::write_predictions(file,
                            {predictions.classes, predictions.labels, predictions.logits, {}});
}

metrics::Predictions stored_predictions(const std::filesystem::path& file) {
  record::Predictions stored = record::read_predictions(file);
  return {stored.classes, std::move(stored.labels), std::move(stored.logits)};
}

double peak_memory_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace smcl::experiment
