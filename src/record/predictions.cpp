#include "record/predictions.h"

#include <cstring>
#include <limits>

#include "core/error.h"
#include "format/json.h"

namespace smcl::record {
namespace {

using format::Dtype;
using format::SafetensorsFile;

constexpr const char* kLabels = "labels";
constexpr const char* kLogits = "logits";
constexpr const char* kContent = "predictions";

template <class T>
format::TensorView view(const std::string& name, Dtype dtype, std::vector<std::int64_t> shape,
                        const std::vector<T>& values) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span(values))};
}

template <class T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name, Dtype dtype,
                      const std::vector<std::int64_t>& shape) {
  const SafetensorsFile::Entry& entry = file.at(name);
  if (entry.dtype != dtype || entry.shape != shape) {
    throw DataError(concat(file.origin(), ": '", name, "' is ", format::dtype_name(entry.dtype),
                           " ", nlohmann::json(entry.shape).dump(), ", expected ",
                           format::dtype_name(dtype), " ", nlohmann::json(shape).dump()));
  }
  const std::span<const std::byte> bytes = file.bytes(entry);
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

void check_metadata(const SafetensorsFile& file) {
  if (file.note("content") != kContent) {
    throw DataError(
        concat(file.origin(), ": expected predictions, but the metadata do not say so"));
  }
  file.check_format_version();
}

std::vector<std::int32_t> labels(const SafetensorsFile& file, std::int64_t n,
                                 std::int64_t classes) {
  const auto wide = values<std::int64_t>(file, kLabels, Dtype::i64, {n});
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] < 0 || wide[i] >= classes) {
      throw DataError(
          concat(file.origin(), ": label ", i, " is ", wide[i], ", expected 0 to ", classes - 1));
    }
  }
  return {wide.begin(), wide.end()};
}

}  // namespace

void write_predictions(const std::filesystem::path& file, const Predictions& predictions) {
  const auto n = static_cast<std::int64_t>(predictions.labels.size());
  const std::int64_t c = predictions.classes;
  for (const std::int32_t label : predictions.labels) {
    if (label < 0 || label >= c) {
      throw InternalError(concat("predictions have the label ", label, " of ", c, " classes"));
    }
  }
  const std::vector<std::int64_t> wide(predictions.labels.begin(), predictions.labels.end());
  if (c < 0 || static_cast<std::int64_t>(predictions.logits.size()) != n * c) {
    throw InternalError(
        concat("predictions have ", predictions.logits.size(), " logits, expected ", n, " x ", c));
  }
  std::vector<format::TensorView> tensors{view(kLabels, Dtype::i64, {n}, wide),
                                          view(kLogits, Dtype::f32, {n, c}, predictions.logits)};
  for (const auto& [name, extra] : predictions.extra) {
    if (static_cast<std::int64_t>(extra.size()) != n) {
      throw InternalError(
          concat("predictions have ", extra.size(), " values of '", name, "', expected ", n));
    }
    tensors.push_back(view(name, Dtype::i32, {n}, extra));
  }
  format::write_safetensors(file, tensors, {{"content", kContent}});
}

Predictions predictions_of(const SafetensorsFile& file) {
  check_metadata(file);
  const std::vector<std::int64_t>& shape = file.at(kLogits).shape;
  if (shape.size() != 2 || shape[1] > std::numeric_limits<std::int32_t>::max()) {
    throw DataError(concat(file.origin(), ": 'logits' are no N x C table"));
  }
  const std::int64_t n = shape[0];
  Predictions predictions;
  predictions.classes = static_cast<int>(shape[1]);
  predictions.labels = labels(file, n, shape[1]);
  predictions.logits = values<float>(file, kLogits, Dtype::f32, shape);
  for (const auto& [name, entry] : file.tensors()) {
    if (name == kLabels || name == kLogits) continue;
    predictions.extra.emplace(name, values<std::int32_t>(file, name, Dtype::i32, {n}));
  }
  return predictions;
}

Predictions read_predictions(const std::filesystem::path& file) {
  return predictions_of(SafetensorsFile::read(file));
}

}  // namespace smcl::record
