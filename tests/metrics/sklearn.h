#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "metrics/features.h"

namespace smcl::metrics {

/// What scikit-learn gave (tests/python/analyze_reference.py).
inline nlohmann::json sklearn(const char* part) {
  std::ifstream file(SMCL_SOURCE_DIR "/tests/fixtures/analyze/reference.json");
  return nlohmann::json::parse(file).at(part);
}

inline Features table(const nlohmann::json& rows) {
  Features features{static_cast<int>(rows.at(0).size()), {}};
  for (const auto& row : rows) {
    for (const auto& value : row) features.values.push_back(value.get<float>());
  }
  return features;
}

}  // namespace smcl::metrics
