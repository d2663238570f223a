#include "record/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.h"

namespace smcl::record {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
  return concat("process ", ::getpid(), " on ", host.data());
}

/// What the holder wrote: one short line of plain characters, whatever the file holds.
std::string read_holder(int fd) {
  std::array<char, 300> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  std::string holder;
  for (ssize_t i = 0; i < n; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c == '\n') break;
    holder += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return holder.empty() ? "another process" : holder;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "lock";
  fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw IoError(concat("cannot write ", file.string(), ": ", std::strerror(errno)));
  int status = 0;
  do {
    status = ::flock(fd_, LOCK_EX | LOCK_NB);
  } while (status != 0 && errno == EINTR);
  if (status != 0) {
    const int reason = errno;
    const std::string holder = read_holder(fd_);
    ::close(fd_);
    throw IoError(
        reason == EWOULDBLOCK
            ? concat(run.string(), " is being written by ", holder, ": wait for it, or stop it")
            : concat("cannot lock ", file.string(), ": ", std::strerror(reason)));
  }
  const std::string text = this_process() + "\n";
  const auto size = static_cast<ssize_t>(text.size());
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) != size) {
    const int reason = errno;
    ::close(fd_);
    throw IoError(concat("cannot write ", file.string(), ": ", std::strerror(reason)));
  }
}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
}

RunLock::RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RootLock::RootLock(const std::filesystem::path& root) {
  std::error_code ignored;  // whoever begins the run says what is wrong
  std::filesystem::create_directories(root, ignored);
  fd_ = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

RootLock::~RootLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace smcl::record
