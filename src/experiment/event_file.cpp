#include "experiment/event_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "format/file.h"
#include "format/json.h"
#include "format/tensorboard.h"

namespace smcl::experiment {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kPrefix = "events.out.tfevents.";  // what TensorBoard looks for
constexpr std::string_view kSuffix = ".smcl";

fs::path event_file(const fs::path& run_folder, long seconds) {
  // As many digits for every time until 2286, so that names sort as times do.
  const std::string digits = std::to_string(seconds);
  const std::string zeros(digits.size() < 10 ? 10 - digits.size() : 0, '0');
  return run_folder / concat(kPrefix, zeros, digits, kSuffix);
}

/// SECONDS of a file's name; nothing where it is no event file of ours.
std::optional<long> seconds_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  if (name.size() <= kPrefix.size() + kSuffix.size()) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  long seconds = 0;
  const char* const last = name.data() + name.size();
  const auto [end, failure] = std::from_chars(name.data(), last, seconds);
  return failure == std::errc() && end == last && seconds >= 0 ? std::optional(seconds)
                                                               : std::nullopt;
}

/// Those of a run, by their SECONDS.
std::map<long, fs::path> event_files(const fs::path& run_folder) {
  std::map<long, fs::path> files;
  std::error_code failure;
  for (fs::directory_iterator it(run_folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    const auto number = seconds_of(it->path().filename().string());
    if (number) files[*number] = it->path();
  }
  if (failure) throw IoError(concat("cannot list ", run_folder.string(), ": ", failure.message()));
  return files;
}

void erase(const fs::path& file) {
  std::error_code failure;
  fs::remove(file, failure);
  if (failure) throw IoError(concat("cannot delete ", file.string(), ": ", failure.message()));
}

/// Empties it; deletes it where it was empty already, and where it is known by another name too,
/// under which it stays as it is.
void retire(const fs::path& file) {
  std::error_code failure;
  const fs::file_status status = fs::symlink_status(file, failure);
  const bool elsewhere =
      !failure && (!fs::is_regular_file(status) || fs::hard_link_count(file, failure) > 1);
  const bool empty = !failure && !elsewhere && fs::file_size(file, failure) == 0;
  if (!failure && (elsewhere || empty)) {
    erase(file);
    return;
  }
  if (!failure) fs::resize_file(file, 0, failure);
  if (failure) throw IoError(concat("cannot empty ", file.string(), ": ", failure.message()));
}

std::optional<double> number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : format::optional_number(*found);
}

double seconds(const json& row) {
  return number(row, "seconds").value_or(0.0);
}

/// What is drawn of a row: a tag each; of warnings nothing.
std::vector<format::Scalar> points_of(const json& row) {
  std::vector<format::Scalar> points;
  const auto add = [&](const std::string& tag, const std::optional<double>& value) {
    if (value && std::isfinite(*value)) points.push_back({tag, static_cast<float>(*value)});
  };
  const std::string type = row.at("type").get<std::string>();
  if (type == "epoch") {
    for (const char* key : {"loss", "classification", "contrast", "mean_cosine", "zero_features",
                            "rate", "masked_share"}) {
      add(concat("train/", key), number(row, key));
    }
    if (const double took = seconds(row); took > 0) {
      add("train/images_per_second", row.at("images").get<double>() / took);
      add("train/data_wait_share", row.at("data_wait").get<double>() / took);
    }
  } else if (type == "evaluation") {
    const std::string set = row.at("set").get<std::string>();
    for (const char* group : {"all", "balanced", "many", "medium", "few"}) {
      add(concat(set, "/accuracy_", group), number(row.at("accuracy"), group));
    }
  }
  return points;
}

/// The record of a row; empty where nothing of it is drawn. Throws json::exception.
std::string record_of(const json& row, double wall_time) {
  const auto points = points_of(row);
  if (points.empty()) return {};
  return format::scalars_record(wall_time, row.at("epoch").get<std::int64_t>(), points);
}

}  // namespace

EventFile EventFile::begin(const fs::path& run_folder, const std::vector<json>& rows, double now) {
  const std::string origin = (run_folder / "metrics.jsonl").string();
  double time = now;
  for (const json& row : rows) time -= format::reading(origin, [&] { return seconds(row); });
  // One who watches has points of the old file: they are void from the first step on.
  std::string records = format::version_record(time) + format::start_record(time, 0);
  for (const json& row : rows) {
    format::reading(origin, [&] {
      time += seconds(row);
      records += record_of(row, time);
    });
  }
  const auto old = event_files(run_folder);
  for (const auto& [number, name] : old) retire(name);
  const long before = old.empty() ? 0 : old.rbegin()->first;
  EventFile file(event_file(run_folder, std::max(static_cast<long>(now), before + 1)));
  format::append_bytes(file.path_, records);
  return file;
}

void EventFile::add(const json& row, double now) {
  if (const std::string record = record_of(row, now); !record.empty()) {
    format::append_bytes(path_, record);
  }
}

void remove_event_files(const fs::path& run_folder) {
  for (const auto& [number, file] : event_files(run_folder)) erase(file);
}

}  // namespace smcl::experiment
