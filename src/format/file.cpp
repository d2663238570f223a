#include "format/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace smcl::format {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* what, const fs::path& file, int reason) {
  throw IoError(concat("cannot ", what, " ", file.string(), ": ", std::strerror(reason)));
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  /// 0, or -1 with errno set: some file systems report a failed write only here.
  int close() {
    const int fd = fd_;
    fd_ = -1;
    return fd >= 0 ? ::close(fd) : 0;
  }

 private:
  int fd_;
};

int open_retry(const fs::path& file, int flags, mode_t mode = 0666) {
  int fd = -1;
  do {
    fd = ::open(file.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& file) {
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // write(2) takes at most 2 GiB
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), std::min(bytes.size(), kPiece));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write", file, n < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

/// What may be read: a file that fits into memory, whatever its size says, since a sparse one costs
/// its owner nothing; of a pipe, which has no size, 1 GiB.
std::size_t most_bytes(const struct stat& info) {
  constexpr std::size_t kOfPipe = std::size_t{1} << 30;
  if (S_ISFIFO(info.st_mode)) return kOfPipe;
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// `limit`: bytes from which on it is refused.
template <class Container>
Container read_whole(const fs::path& file, std::size_t limit = SIZE_MAX) {
  const Descriptor in(open_retry(file, O_RDONLY));
  struct stat info {};
  if (in.get() < 0 || ::fstat(in.get(), &info) != 0) fail("read", file, errno);
  if (S_ISDIR(info.st_mode)) fail("read", file, EISDIR);
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    throw IoError(concat("cannot read ", file.string(), ": it is neither a file nor a pipe"));
  }
  const std::size_t most = std::min(most_bytes(info), limit);
  if (info.st_size < 0 || static_cast<std::size_t>(info.st_size) >= most) fail("read", file, EFBIG);
  Container content;
  // The size is a hint only: a pipe has none and a file may grow.
  content.resize(static_cast<std::size_t>(info.st_size) + 1);
  std::size_t used = 0;
  for (;;) {
    if (used >= most) fail("read", file, EFBIG);
    if (used == content.size()) content.resize(std::min(content.size() * 2, most));
    const ssize_t n = ::read(in.get(), content.data() + used, content.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", file, errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  content.resize(used);
  return content;
}

/// Opens the temporary file and locks it, so that two writers of one file take turns. One
/// fixed name: what a killed process left is overwritten, not heaped up.
int open_temporary(const fs::path& temporary) {
  for (;;) {
    const int fd = open_retry(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW);
    if (fd < 0) fail("write", temporary, errno);
    while (::flock(fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    // The holder before us has renamed it away: what we have open is the finished file.
    struct stat ours {};
    struct stat named {};
    if (::fstat(fd, &ours) == 0 && ::stat(temporary.c_str(), &named) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) {
      return fd;
    }
    ::close(fd);
  }
}

/// Where the last whole line ends: a crash may have left a torn one behind it.
off_t end_of_lines(int fd, off_t size, const fs::path& file) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(block.size()));
    const ssize_t n = ::pread(fd, block.data(), static_cast<std::size_t>(size - begin), begin);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("read", file, n < 0 ? errno : EIO);
    for (ssize_t i = n; i > 0; --i) {
      if (block[static_cast<std::size_t>(i - 1)] == '\n') return begin + i;
    }
    size = begin;
  }
  return 0;
}

/// A single write at the end of a file, behind its last whole line where it has `lines`.
void append(const fs::path& file, std::string_view bytes, bool lines) {
  Descriptor out(open_retry(file, O_RDWR | O_CREAT | O_APPEND));
  struct stat info {};
  if (out.get() < 0 || ::fstat(out.get(), &info) != 0) fail("append to", file, errno);
  const off_t end = lines ? end_of_lines(out.get(), info.st_size, file) : info.st_size;
  if (end != info.st_size && ::ftruncate(out.get(), end) != 0) fail("repair", file, errno);
  ssize_t n = 0;
  do {
    n = ::write(out.get(), bytes.data(), bytes.size());
  } while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(bytes.size())) {
    const int reason = n < 0 ? errno : ENOSPC;
    // Half of it would be refused on reading: take it back.
    if (n > 0 && ::ftruncate(out.get(), end) != 0) fail("repair", file, errno);
    fail("append to", file, reason);
  }
  if (out.close() != 0) fail("append to", file, errno);
}

}  // namespace

std::vector<std::uint8_t> read_file(const fs::path& file) {
  return read_whole<std::vector<std::uint8_t>>(file);
}

std::vector<std::byte> read_bytes(const fs::path& file) {
  return read_whole<std::vector<std::byte>>(file);
}

std::string read_text(const fs::path& file) {
  constexpr std::size_t kMostText = std::size_t{1} << 30;  // metrics of some million epochs
  return read_whole<std::string>(file, kMostText);
}

void write_file_atomic(const fs::path& file, std::span<const std::byte> bytes) {
  write_pieces_atomic(file, {bytes});
}

void write_file_atomic(const fs::path& file, std::string_view text) {
  write_pieces_atomic(file, {std::as_bytes(std::span(text.data(), text.size()))});
}

void write_pieces_atomic(const fs::path& file,
                         const std::vector<std::span<const std::byte>>& pieces) {
  const fs::path folder = file.parent_path();
  make_folder(folder);
  fs::path temporary = file;
  temporary += ".tmp";
  Descriptor out(open_temporary(temporary));
  try {
    if (::ftruncate(out.get(), 0) != 0) fail("write", file, errno);
    for (const auto& piece : pieces) write_all(out.get(), piece, file);
    if (::fsync(out.get()) != 0) fail("sync", file, errno);
    if (::rename(temporary.c_str(), file.c_str()) != 0) fail("replace", file, errno);
  } catch (...) {
    ::unlink(temporary.c_str());  // while we hold the lock, the name is ours
    throw;
  }
  if (out.close() != 0) fail("close", file, errno);
  sync_folder(folder);
}

void sync_folder(const fs::path& folder) {
  // What has no folder in its path lies in the current one.
  const Descriptor fd(open_retry(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
  // Some file systems cannot sync a folder and say so with EINVAL.
  if (fd.get() < 0 || (::fsync(fd.get()) != 0 && errno != EINVAL)) fail("sync", folder, errno);
}

void make_folder(const fs::path& folder) {
  std::error_code failure;
  if (folder.empty() || fs::is_directory(folder, failure)) return;
  const fs::path above = folder.parent_path();
  if (above != folder) make_folder(above);
  if (fs::create_directory(folder, failure)) sync_folder(above);
  if (failure) fail("make folder", folder, failure.value());
}

void sync_file(const fs::path& file) {
  const Descriptor fd(open_retry(file, O_RDONLY));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail("sync", file, errno);
}

void link_or_copy(const fs::path& file, const fs::path& link) {
  const fs::path folder = link.parent_path();
  make_folder(folder);
  std::error_code failure;
  fs::path temporary = link;
  temporary += ".link";  // no name that a writer would open: it is another name of a file in use
  fs::remove(temporary, failure);
  if (::link(file.c_str(), temporary.c_str()) != 0) {
    fs::copy_file(file, temporary, failure);
    if (failure) fail("copy", file, failure.value());
    sync_file(temporary);
  }
  // Renaming one name of a file to another of its names does nothing: the temporary one stays.
  if (::rename(temporary.c_str(), link.c_str()) != 0) fail("replace", link, errno);
  fs::remove(temporary, failure);
  sync_folder(folder);
}

void append_line(const fs::path& file, std::string_view line) {
  if (line.find('\n') != std::string_view::npos) {
    throw InternalError(concat("a line for ", file.string(), " contains a line break"));
  }
  append(file, concat(line, "\n"), true);
}

void append_bytes(const fs::path& file, std::string_view bytes) {
  append(file, bytes, false);
}

}  // namespace smcl::format
