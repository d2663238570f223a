#include "record/run_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "format/file.h"
#include "format/json.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSettingsHash = "settings_hash";
constexpr const char* kFormatVersionKey = "format_version";

fs::path config_file(const fs::path& run) {
  return run / "config.toml";
}
fs::path fingerprint_file(const fs::path& run) {
  return run / "fingerprint.json";
}
fs::path metrics_file(const fs::path& run) {
  return run / "metrics.jsonl";
}
fs::path failure_file(const fs::path& run) {
  return run / "failed.json";
}
fs::path summary_file(const fs::path& run) {
  return run / "summary.json";
}

}  // namespace

void check_name(const std::string& name, const char* what) {
  const bool good = !name.empty() && name.size() <= 200 && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '/';
                    });
  if (!good) {
    throw UsageError(concat("'", name, "' is no name for ", what, ": 1 to 200 bytes, no '/', no ",
                            "control characters, not beginning with '.'"));
  }
}

namespace {

/// N of "NAME-N", 0 for another folder.
long number_of(const std::string& folder, const std::string& name) {
  const std::string prefix = name + "-";
  if (folder.rfind(prefix, 0) != 0) return 0;
  const std::string digits = folder.substr(prefix.size());
  long number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  // "1" and "01" must not be the same run.
  const bool whole = failure == std::errc() && std::to_string(number) == digits;
  return whole && end == digits.data() + digits.size() && number > 0 ? number : 0;
}

/// Numbers of the runs of NAME, highest first.
std::vector<long> numbers_of(const fs::path& root, const std::string& name) {
  std::vector<long> numbers;
  std::error_code failure;
  for (fs::directory_iterator it(root, failure), end; !failure && it != end;
       it.increment(failure)) {
    if (const long n = number_of(it->path().filename().string(), name); n > 0) numbers.push_back(n);
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw IoError(concat("cannot list runs in ", root.string(), ": ", failure.message()));
  }
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

fs::path numbered(const fs::path& root, const std::string& name, long number) {
  return root / concat(name, "-", number);
}

json read_versioned(const fs::path& file) {
  json object = format::read_json_object(file);
  format::check_format_version(object, file.string());
  return object;
}

void write_versioned(const fs::path& file, json object) {
  if (!object.is_object()) throw InternalError(concat(file.string(), ": expected a JSON object"));
  object[kFormatVersionKey] = format::kFormatVersion;
  format::write_file_atomic(file,
                            object.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

/// What a new fingerprint.json must keep of the one that is there.
std::optional<json> stored_hash(const fs::path& run) {
  if (!fs::exists(fingerprint_file(run))) return std::nullopt;
  const fs::path file = fingerprint_file(run);
  const json old = parse_fingerprint(format::read_text(file), file.string());
  const auto found = old.find(kSettingsHash);
  return found == old.end() ? std::nullopt : std::optional<json>(*found);
}

}  // namespace

RunFolder RunFolder::create(const fs::path& root, const std::string& name) {
  check_name(name, "a run");
  format::make_folder(root);
  const std::vector<long> taken = numbers_of(root, name);
  // mkdir decides between processes that count at the same time.
  for (long number = taken.empty() ? 1 : taken.front() + 1;; ++number) {
    const fs::path path = numbered(root, name, number);
    if (::mkdir(path.c_str(), 0777) == 0) {
      format::sync_folder(path.parent_path());
      return RunFolder(path);
    }
    if (errno != EEXIST) {
      throw IoError(concat("cannot make folder ", path.string(), ": ", std::strerror(errno)));
    }
  }
}

RunFolder RunFolder::open(const fs::path& folder) {
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) {
    throw IoError(concat("no run folder ", folder.string()));
  }
  const bool there = fs::is_regular_file(config_file(folder), problem);
  if (problem == std::errc::permission_denied) {
    throw IoError(concat("cannot read ", config_file(folder).string(), ": ", problem.message()));
  }
  if (!there) {
    throw DataError(concat(folder.string(), " is no run folder: config.toml is missing"));
  }
  fs::path path = folder.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "runs/x-1/"
  if (path == "." || path == "..") path = fs::canonical(path);
  return RunFolder(path);
}

std::optional<RunFolder> RunFolder::find(const fs::path& root, const std::string& name,
                                         const std::string& settings_hash) {
  check_name(name, "a run");
  for (const long number : numbers_of(root, name)) {
    const fs::path path = numbered(root, name, number);
    if (!fs::exists(config_file(path))) continue;  // never begun, or being made: it comes last
    if (!fs::exists(fingerprint_file(path))) {
      log::warn(concat("run passed over: ", fingerprint_file(path).string(), " is missing"));
      continue;
    }
    try {
      if (stored_hash(path) == json(settings_hash)) return RunFolder(path);
    } catch (const DataError& failure) {  // an IoError is no reason to begin a run again
      log::warn(concat("run passed over: ", failure.what()));
    }
  }
  return std::nullopt;
}

bool RunFolder::finished() const {
  return fs::exists(summary_file(path_));
}

void RunFolder::write_config(const std::string& toml, const std::string& settings_hash) {
  json fingerprint = fs::exists(fingerprint_file(path_)) ? read_versioned(fingerprint_file(path_))
                                                         : json::object();
  fingerprint[kSettingsHash] = settings_hash;
  write_versioned(fingerprint_file(path_), std::move(fingerprint));
  // Last: a folder with config.toml is a run folder.
  format::write_file_atomic(config_file(path_), toml);
}

void RunFolder::write_fingerprint(const json& fingerprint) {
  json merged = fingerprint;
  if (const auto hash = stored_hash(path_)) merged[kSettingsHash] = *hash;
  write_versioned(fingerprint_file(path_), std::move(merged));
}

void RunFolder::append_metrics(const json& row) {
  if (!row.is_object()) throw InternalError("a row of metrics must be a JSON object");
  json versioned = row;
  versioned[kFormatVersionKey] = format::kFormatVersion;
  format::append_line(metrics_file(path_), format::to_line(versioned));
}

void RunFolder::sync_metrics() {
  check_there();
  if (!fs::exists(metrics_file(path_))) return;
  format::sync_file(metrics_file(path_));
  format::sync_folder(path_);
}

void RunFolder::check_there() const {
  if (!fs::exists(config_file(path_))) {
    throw IoError(concat("run folder ", path_.string(), " vanished: its config.toml is missing"));
  }
}

void RunFolder::cut_metrics(std::size_t rows) {
  const std::vector<json> all = metrics();
  if (rows > all.size()) {
    throw DataError(concat(metrics_file(path_).string(), ": ", all.size(), " rows, expected ", rows,
                           " before the checkpoint"));
  }
  if (rows == all.size() && rows == 0) return;
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) text += format::to_line(all[i]) + "\n";
  format::write_file_atomic(metrics_file(path_), text);
}

void RunFolder::write_summary(const json& summary) {
  check_there();
  write_versioned(summary_file(path_), summary);
}

void RunFolder::write_failure(const Failure& failure) {
  check_there();
  write_versioned(failure_file(path_), {{"code", failure.code}, {"reason", failure.reason}});
}

void RunFolder::clear_failure() {
  fs::remove(failure_file(path_));
}

std::optional<RunFolder::Failure> RunFolder::failure() const {
  const fs::path file = failure_file(path_);
  if (!fs::exists(file)) return std::nullopt;
  const json object = read_versioned(file);
  return format::reading(file.string(), [&] {
    return Failure{static_cast<int>(format::integer_at(object, "code", 0, 255, file.string())),
                   object.at("reason").get<std::string>()};
  });
}

std::string RunFolder::config() const {
  return format::read_text(config_file(path_));
}

json RunFolder::fingerprint() const {
  const fs::path file = fingerprint_file(path_);
  return parse_fingerprint(format::read_text(file), file.string());
}

json RunFolder::summary() const {
  if (!finished()) {
    throw DataError(concat("run ", path_.string(), " is not finished: summary.json is missing"));
  }
  return read_versioned(summary_file(path_));
}

std::vector<json> RunFolder::metrics() const {
  const fs::path file = metrics_file(path_);
  if (!fs::exists(file)) return {};
  return parse_metrics(format::read_text(file), file.string());
}

json parse_fingerprint(std::string_view text, const std::string& origin) {
  json marks = format::parse_json(text, origin);
  if (!marks.is_object()) throw DataError(concat(origin, ": expected a JSON object"));
  format::check_format_version(marks, origin);
  format::reading(origin, [&] {
    const auto check_text = [](const json& object, const char* key) {
      if (object.contains(key)) object.at(key).get_ref<const std::string&>();
    };
    check_text(marks, kSettingsHash);
    check_text(marks, "data_hash");
    if (const auto found = marks.find("resumes"); found != marks.end()) {
      for (const json& resume : found->get_ref<const json::array_t&>()) {
        resume.at("changes").get_ref<const std::string&>();
        resume.at("settings").get_ref<const std::string&>();
        format::integer_at(resume, "epoch", 0, std::numeric_limits<int>::max(), origin);
      }
    }
    if (const auto found = marks.find("branched_from"); found != marks.end()) {
      found->at("run").get_ref<const std::string&>();
      found->at("changes").get_ref<const std::string&>();
      format::integer_at(*found, "epoch", 0, std::numeric_limits<int>::max(), origin);
    }
  });
  return marks;
}

std::vector<json> parse_metrics(std::string_view text, const std::string& origin) {
  std::vector<json> rows = format::parse_json_lines(text, origin);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    format::check_format_version(rows[i], concat(origin, ":", i + 1));
  }
  return rows;
}

fs::path RunFolder::weights_file(const std::string& which) const {
  return path_ / "checkpoints" / (which + ".safetensors");
}

fs::path RunFolder::predictions_file(const std::string& which) const {
  return path_ / "predictions" / (which + ".safetensors");
}

}  // namespace smcl::record
