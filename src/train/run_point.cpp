#include "train/run_point.h"

#include <cstdint>

#include "format/json.h"

namespace smcl::train {
nlohmann::json to_json(const RunPoint& point) {
  return {{"epoch", point.epoch},
          {"step", point.step},
          {"loss", point.loss},
          {"classification", point.classification},
          {"contrast", point.contrast},
          {"images", point.images},
          {"contrast_images", point.contrast_images},
          {"masked_steps", point.masked_steps},
          {"mean_cosine", format::number_or_null(point.mean_cosine)},
          {"zero_features", format::number_or_null(point.zero_features)},
          {"seconds", point.seconds},
          {"data_wait", point.data_wait}};
}

RunPoint run_point_from(const nlohmann::json& json, const std::string& origin) {
  constexpr std::int64_t kLargest = 1'000'000'000;
  constexpr std::int64_t kMostImages = 1'000'000'000'000'000;
  const auto count = [&](const char* key, std::int64_t high) {
    return format::integer_at(json, key, 0, high, origin);
  };
  return format::reading(origin, [&] {
    RunPoint point;
    point.epoch = static_cast<int>(count("epoch", kLargest));
    point.step = static_cast<int>(count("step", kLargest));
    point.loss = json.at("loss").get<double>();
    point.classification = json.at("classification").get<double>();
    point.contrast = json.at("contrast").get<double>();
    point.images = count("images", kMostImages);
    point.contrast_images = count("contrast_images", kMostImages);
    point.masked_steps = static_cast<int>(count("masked_steps", kLargest));
    point.mean_cosine = format::optional_number(json.at("mean_cosine"));
    point.zero_features = format::optional_number(json.at("zero_features"));
    point.seconds = json.at("seconds").get<double>();
    point.data_wait = json.at("data_wait").get<double>();
    return point;
  });
}

}  // namespace smcl::train
