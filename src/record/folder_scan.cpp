#include "record/folder_scan.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/log.h"

namespace smcl::record {
namespace {

namespace fs = std::filesystem;

/// When a folder last got or lost a file: all that the index reads is written by renaming. Clocks
/// of file systems tick in milliseconds: what changed just now may change again unseen, and so gets
/// a stamp that the next look does not find. Nothing where the folder cannot be looked at.
std::optional<std::int64_t> stamp_of(const fs::path& folder, std::int64_t now) {
  constexpr std::int64_t kTick = 50'000'000;
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return std::nullopt;
  const std::int64_t stamp = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  return now - stamp < kTick ? stamp - 1 : stamp;
}

std::int64_t nanoseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// Sorted; `failure` says where not all of them could be listed.
std::vector<fs::path> folders_in(const fs::path& folder, std::error_code& failure) {
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

bool is_run_folder(const fs::path& folder) {
  struct stat info {};
  return ::stat((folder / "config.toml").c_str(), &info) == 0;
}

std::map<std::string, std::int64_t> run_folders(const fs::path& root,
                                                const std::set<std::string>& known) {
  std::map<std::string, std::int64_t> found;
  const std::int64_t now = nanoseconds_now();
  const auto add = [&](const std::string& name, const fs::path& folder) {
    const auto stamp = stamp_of(folder, now);
    const bool run = stamp && (known.contains(name) || is_run_folder(folder));
    if (run) found.emplace(name, *stamp);
    return run;
  };
  std::error_code failure;
  const std::vector<fs::path> outers = folders_in(root, failure);
  if (failure) {
    throw IoError(concat("cannot list runs in ", root.string(), ": ", failure.message()));
  }
  for (const fs::path& outer : outers) {
    const std::string name = outer.filename().string();
    if (add(name, outer)) continue;
    for (const fs::path& inner : folders_in(outer, failure)) {
      add(name + "/" + inner.filename().string(), inner);
    }
    // Somebody else's, or gone meanwhile: the other runs are there all the same.
    if (failure && failure != std::errc::no_such_file_or_directory) {
      log::warn(concat("no runs are looked for in ", outer.string(), ": ", failure.message()));
    }
  }
  return found;
}

}  // namespace smcl::record
