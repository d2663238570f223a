#pragma once

#include <filesystem>

namespace smcl::record {

/// Held by the one process that writes a run folder; gone when the process is, however it ends.
class RunLock {
 public:
  /// Throws IoError, with the holder's name, where another process holds the lock of `run` or the
  /// folder cannot be written.
  explicit RunLock(const std::filesystem::path& run);
  ~RunLock();
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&&) = delete;

 private:
  int fd_ = -1;
};

/// Held for a moment by whoever looks for a run in a folder of runs and, where there is none,
/// begins it: two processes with the same command would both begin. Where the file system has no
/// locks of folders nothing is held.
class RootLock {
 public:
  /// Waits for other holders.
  explicit RootLock(const std::filesystem::path& root);
  ~RootLock();
  RootLock(const RootLock&) = delete;
  RootLock& operator=(const RootLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace smcl::record
