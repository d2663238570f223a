#include "record/checkpoint_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "core/error.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "state-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::string_view kBestSuffix = ".best.safetensors";

fs::path folder_of(const fs::path& run) {
  return run / "checkpoints";
}

/// Takes the digits that `text` begins with.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<CheckpointFile> parse(const fs::path& path) {
  const std::string name = path.filename().string();
  std::string_view text = name;
  if (!text.starts_with(kPrefix) || !text.ends_with(kSuffix)) return std::nullopt;
  text = text.substr(kPrefix.size(), text.size() - kPrefix.size() - kSuffix.size());
  const auto epoch = take_number(text);
  if (!epoch || !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto step = take_number(text);
  if (!step || !text.empty()) return std::nullopt;
  return CheckpointFile{*epoch, *step, path};
}

void delete_file(const fs::path& file) {
  std::error_code failure;
  fs::remove(file, failure);
  if (failure) throw IoError(concat("cannot delete ", file.string(), ": ", failure.message()));
}

}  // namespace

fs::path checkpoint_file(const fs::path& run, int epoch, int step) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "state-%04d-%06d.safetensors", epoch, step);
  return folder_of(run) / name.data();
}

std::vector<CheckpointFile> checkpoint_files(const fs::path& run) {
  std::vector<CheckpointFile> files;
  std::error_code failure;
  for (fs::directory_iterator it(folder_of(run), failure), end; !failure && it != end;
       it.increment(failure)) {
    if (auto file = parse(it->path())) files.push_back(*std::move(file));
  }
  if (failure && failure != std::errc::no_such_file_or_directory) {
    throw IoError(concat("cannot list ", folder_of(run).string(), ": ", failure.message()));
  }
  std::sort(files.begin(), files.end(), [](const CheckpointFile& a, const CheckpointFile& b) {
    return std::pair(a.epoch, a.step) > std::pair(b.epoch, b.step);
  });
  return files;
}

fs::path best_weights_beside(const fs::path& checkpoint) {
  return fs::path(checkpoint).replace_extension(kBestSuffix);
}

void set_aside(const CheckpointFile& checkpoint) {
  fs::path aside = checkpoint.path;
  aside += ".unusable";
  std::error_code failure;
  fs::rename(checkpoint.path, aside, failure);
  if (failure) {
    throw IoError(concat("cannot rename ", checkpoint.path.string(), ": ", failure.message()));
  }
}

void prune_checkpoints(const fs::path& run, std::size_t newest, const std::vector<int>& kept) {
  std::size_t seen = 0;
  for (const CheckpointFile& file : checkpoint_files(run)) {
    if (seen++ < newest) continue;
    if (file.step == 0 && std::find(kept.begin(), kept.end(), file.epoch) != kept.end()) continue;
    delete_file(file.path);
  }
  std::error_code failure;
  for (fs::directory_iterator it(folder_of(run), failure), end; !failure && it != end;
       it.increment(failure)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    if (name.ends_with(".tmp") || name.ends_with(".link")) delete_file(it->path());
    if (!name.ends_with(kBestSuffix)) continue;
    name.replace(name.size() - kBestSuffix.size(), kBestSuffix.size(), kSuffix);
    if (!fs::exists(folder_of(run) / name)) delete_file(it->path());
  }
}

}  // namespace smcl::record
