#pragma once

#include <filesystem>
#include <optional>

namespace smcl {

/// CPUs that control groups let this process have in the mean over time, such as `docker run
/// --cpus`: the least of its group's and its parents'; nothing where none limits them. `groups` is
/// /proc/self/cgroup, `mount` where version 1 or 2 of them are mounted (cgroups(7)); what cannot be
/// read limits nothing.
std::optional<double> cpu_quota(const std::filesystem::path& groups = "/proc/self/cgroup",
                                const std::filesystem::path& mount = "/sys/fs/cgroup");

/// Of `allowed` CPUs as many as a quota fills, rounded up; at least 1.
int cpus_within(int allowed, std::optional<double> quota);

}  // namespace smcl
