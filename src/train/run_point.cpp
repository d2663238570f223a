#include "train/run_point.h"

#include "core/error.h"
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
  RunPoint point;
  try {
    point.epoch = json.at("epoch").get<int>();
    point.step = json.at("step").get<int>();
    point.loss = json.at("loss").get<double>();
    point.classification = json.at("classification").get<double>();
    point.contrast = json.at("contrast").get<double>();
    point.images = json.at("images").get<std::int64_t>();
    point.contrast_images = json.at("contrast_images").get<std::int64_t>();
    point.masked_steps = json.at("masked_steps").get<int>();
    point.mean_cosine = format::optional_number(json.at("mean_cosine"));
    point.zero_features = format::optional_number(json.at("zero_features"));
    point.seconds = json.at("seconds").get<double>();
    point.data_wait = json.at("data_wait").get<double>();
  } catch (const nlohmann::json::exception& problem) {
    throw DataError(concat(origin, ": the point of the run is damaged: ", problem.what()));
  }
  if (point.epoch < 0 || point.step < 0 || point.images < 0 || point.contrast_images < 0) {
    throw DataError(concat(origin, ": the point of the run is epoch ", point.epoch, ", step ",
                           point.step, ", expected numbers from 0"));
  }
  return point;
}

}  // namespace smcl::train
