#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "format/safetensors.h"

namespace smcl::record {

/// What a network said about a set of N images, in the order of the set.
struct Predictions {
  int classes = 0;                   ///< C
  std::vector<std::int32_t> labels;  ///< N true classes, each in [0, classes)
  std::vector<float> logits;         ///< N x C, row-major
  /// Further values of the images, N each ("background", "index"...).
  std::map<std::string, std::vector<std::int32_t>> extra;
};

/// Writes them as safetensors, atomically: `labels` I64 [N], `logits` F32 [N, C] and each of
/// `extra` as I32 [N], with the metadata content = "predictions". Throws InternalError where the
/// sizes do not fit or an extra is named like labels or logits; IoError.
void write_predictions(const std::filesystem::path& file, const Predictions& predictions);

/// Reads what write_predictions wrote. Throws IoError, DataError (not such a file, sizes that do
/// not fit, a label out of range).
Predictions read_predictions(const std::filesystem::path& file);
/// The same from a file in memory. Throws DataError.
Predictions predictions_of(const format::SafetensorsFile& file);

}  // namespace smcl::record
