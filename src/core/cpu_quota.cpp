#include "core/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>

namespace smcl {
namespace {

namespace fs = std::filesystem;

/// Of one group: version 2 has "max 100000" or "150000 100000", version 1 two files, -1 for none.
std::optional<double> quota_of(const fs::path& folder) {
  double quota = 0.0;
  double period = 0.0;
  if (std::ifstream file(folder / "cpu.max"); file) {
    file >> quota >> period;
  } else {
    std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
    std::ifstream(folder / "cpu.cfs_period_us") >> period;
  }
  return quota > 0.0 && period > 0.0 ? std::optional(quota / period) : std::nullopt;
}

bool has_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& groups, const fs::path& mount) {
  std::optional<double> least;
  const auto look = [&](const fs::path& root, std::string_view group) {
    // A container sees its own group as the root, or its path on the host, which is not there.
    for (fs::path path = fs::path(group).relative_path();; path = path.parent_path()) {
      const auto found = quota_of(root / path);
      if (found) least = std::min(*found, least.value_or(*found));
      if (path.empty()) return;
    }
  };
  std::ifstream file(groups);
  for (std::string line; std::getline(file, line);) {  // hierarchy:controllers:group
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = std::string_view(line).substr(second + 1);
    if (controllers.empty()) {
      look(mount, group);
      look(mount / "unified", group);
    } else if (has_cpu(controllers)) {
      look(mount / controllers, group);
      look(mount / "cpu", group);
    }
  }
  return least;
}

int cpus_within(int allowed, std::optional<double> quota) {
  if (!quota || *quota >= allowed) return std::max(1, allowed);
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

}  // namespace smcl
