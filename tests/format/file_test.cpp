#include "format/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "core/error.h"
#include "format/digest.h"
#include "format/scratch.h"

namespace smcl::format {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class File : public ScratchFolder {};
class Gzip : public ScratchFolder {};

TEST_F(File, ReadsWhatWasWritten) {
  const fs::path file = folder() / "new/folder/a.bin";
  const std::string text("a\0\xff\n", 4);
  write_file_atomic(file, text);
  EXPECT_EQ(read_text(file), text);
  EXPECT_THAT(read_file(file), ElementsAre('a', 0, 0xff, '\n'));
  write_file_atomic(file, "");
  EXPECT_TRUE(read_file(file).empty());
  EXPECT_FALSE(fs::exists(file.string() + ".tmp"));
}

TEST_F(File, NamesThePathAndTheSystemsReason) {
  EXPECT_THAT(error_of<IoError>([&] { read_file(folder() / "none"); }),
              ::testing::AllOf(HasSubstr((folder() / "none").string()), HasSubstr("No such file")));
  EXPECT_THAT(error_of<IoError>([&] { read_file(folder()); }), HasSubstr("Is a directory"));
  write_file_atomic(folder() / "plain", "x");
  EXPECT_THROW(write_file_atomic(folder() / "plain/below", "x"), IoError);
  fs::create_directories(folder() / "dir");
  EXPECT_THROW(write_file_atomic(folder() / "dir", "x"), IoError);
  EXPECT_FALSE(fs::exists(folder() / "dir.tmp"));
}

TEST_F(File, ASizeIsNoReasonToTakeMemory) {
  const fs::path file = folder() / "sparse";
  std::ofstream(file) << "x";
  std::error_code failure;
  fs::resize_file(file, std::uintmax_t{1} << 42, failure);  // 4 TiB that take no room on the disk
  if (failure) GTEST_SKIP() << "no sparse files here: " << failure.message();
  EXPECT_THAT(error_of<IoError>([&] { read_file(file); }),
              ::testing::AllOf(HasSubstr(file.string()), HasSubstr("File too large")));
  fs::resize_file(file, std::uintmax_t{1} << 31);  // 2 GiB: of bytes perhaps, of text not
  EXPECT_THAT(error_of<IoError>([&] { read_text(file); }), HasSubstr("File too large"));
}

TEST_F(File, ADeviceIsNoFile) {
  EXPECT_THAT(error_of<IoError>([] { read_file("/dev/zero"); }),
              HasSubstr("/dev/zero: it is neither a file nor a pipe"));
}

/// Files may grow to `bytes` only, as on a full disk.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(File, AFailedWriteLeavesTheOldFile) {
  const fs::path file = folder() / "a";
  write_file_atomic(file, "old");
  {
    const SizeLimit limit(1000);
    EXPECT_THAT(error_of<IoError>([&] { write_file_atomic(file, std::string(5000, 'x')); }),
                HasSubstr("File too large"));
  }
  EXPECT_EQ(read_text(file), "old");
  EXPECT_FALSE(fs::exists(folder() / "a.tmp"));
}

TEST_F(File, OverwritesWhatAKilledWriterLeft) {
  std::ofstream(folder() / "a.tmp") << "a longer, half written file";
  write_file_atomic(folder() / "a", "new");
  EXPECT_EQ(read_text(folder() / "a"), "new");
  EXPECT_FALSE(fs::exists(folder() / "a.tmp"));
}

TEST_F(File, DoesNotWriteThroughALinkOfTheTemporaryName) {
  write_file_atomic(folder() / "precious", "keep");
  fs::create_symlink(folder() / "precious", folder() / "a.tmp");
  EXPECT_THROW(write_file_atomic(folder() / "a", "new"), IoError);
  EXPECT_EQ(read_text(folder() / "precious"), "keep");
}

TEST_F(File, WritersOfOneFileTakeTurns) {
  const fs::path file = folder() / "a";
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([&file, c] {
      for (int i = 0; i < 10; ++i) write_file_atomic(file, std::string(3000, c));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string text = read_text(file);
  EXPECT_EQ(text, std::string(3000, text.at(0)));
  EXPECT_FALSE(fs::exists(folder() / "a.tmp"));
}

TEST_F(File, AppendsWholeLines) {
  const fs::path file = folder() / "log";
  append_line(file, "one");
  append_line(file, "");
  append_line(file, "two");
  EXPECT_EQ(read_text(file), "one\n\ntwo\n");
  EXPECT_THROW(append_line(file, "a\nb"), InternalError);
  EXPECT_THROW(append_line(folder() / "none/log", "a"), IoError);
}

TEST_F(File, AppendingCutsATornLastLine) {
  const fs::path file = folder() / "log";
  for (const std::size_t torn : {std::size_t{1}, std::size_t{4096}, std::size_t{10000}}) {
    write_file_atomic(file, "whole\n" + std::string(torn, 'x'));
    append_line(file, "next");
    EXPECT_EQ(read_text(file), "whole\nnext\n") << torn;
    write_file_atomic(file, std::string(torn, 'x'));
    append_line(file, "first");
    EXPECT_EQ(read_text(file), "first\n") << torn;
  }
}

TEST_F(File, AFailedAppendLeavesWholeLines) {
  const fs::path file = folder() / "log";
  append_line(file, "one");
  {
    const SizeLimit limit(10);
    EXPECT_THROW(append_line(file, "a line that does not fit any more"), IoError);
  }
  EXPECT_EQ(read_text(file), "one\n");
}

TEST_F(File, AppendsBytesOrLeavesTheFile) {
  const fs::path file = folder() / "records";
  append_bytes(file, "one\n");
  append_bytes(file, std::string("tw\0", 3));
  append_bytes(file, "");
  append_bytes(file, "three");
  const std::string text("one\ntw\0three", 12);
  EXPECT_EQ(read_text(file), text);
  {
    const SizeLimit limit(20);
    EXPECT_THROW(append_bytes(file, "bytes that do not fit any more"), IoError);
  }
  EXPECT_EQ(read_text(file), text);
  EXPECT_THROW(append_bytes(folder() / "none/records", "a"), IoError);
}

// RFC 1321, appendix A.5 (MD5) and FIPS 180-2, appendix B (SHA-256).
TEST_F(File, DigestsGiveThePublishedAnswers) {
  const fs::path abc = folder() / "abc";
  write_file_atomic(abc, "abc");
  EXPECT_EQ(md5_of_file(abc), "900150983cd24fb0d6963f7d28e17f72");
  const char* sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256_of_file(abc), sha);
  EXPECT_EQ(sha256("abc"), sha);
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  write_file_atomic(abc, "");
  EXPECT_EQ(md5_of_file(abc), "d41d8cd98f00b204e9800998ecf8427e");
  // A million times "a", which spans several blocks of reading.
  write_file_atomic(abc, std::string(1000000, 'a'));
  EXPECT_EQ(sha256_of_file(abc),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(md5_of_file(abc), "7707d6ae4e027c70eea2a935c2296f21");
  EXPECT_THROW(md5_of_file(folder() / "none"), IoError);
  EXPECT_THROW(sha256_of_file(folder()), IoError);
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string copy = text;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string as_text(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST_F(Gzip, ReadsPlainAndPacked) {
  const fs::path file = folder() / "a";
  const std::string text = "some text";
  const auto reads = [&](const std::string& bytes, std::size_t limit) {
    write_file_atomic(file, bytes);
    return as_text(read_maybe_gzip(file, limit));
  };
  EXPECT_EQ(reads(text, 9), text);
  EXPECT_EQ(reads(gzipped(text), 9), text);
  EXPECT_EQ(reads(gzipped(""), 0), "");
  EXPECT_EQ(reads(gzipped("ab") + gzipped("cd"), 4), "abcd");  // RFC 1952: several members
  const std::string large(3000000, 'x');
  EXPECT_EQ(reads(gzipped(large), SIZE_MAX), large);
}

TEST_F(Gzip, RefusesBrokenAndTooLargeData) {
  const fs::path file = folder() / "a";
  const auto refusal = [&](const std::string& bytes, std::size_t limit) {
    write_file_atomic(file, bytes);
    return error_of<DataError>([&] { read_maybe_gzip(file, limit); });
  };
  const std::string packed = gzipped("some text");
  EXPECT_THAT(refusal("some text", 8), HasSubstr("9 bytes, more than the expected 8"));
  EXPECT_THAT(refusal(packed, 8), HasSubstr("more than the expected 8"));
  EXPECT_THAT(refusal(gzipped(std::string(5000000, '\0')), 1000), HasSubstr("expected 1000"));
  for (std::size_t n = 2; n < packed.size(); ++n) {
    EXPECT_THAT(refusal(packed.substr(0, n), 100), HasSubstr("too early")) << n;
  }
  EXPECT_THAT(refusal(packed + "tail", 100), HasSubstr("broken gzip"));
  std::string damaged = packed;
  damaged[packed.size() - 6] = static_cast<char>(damaged[packed.size() - 6] ^ 1);  // in the CRC
  EXPECT_THAT(refusal(damaged, 100), HasSubstr("broken gzip"));
}

}  // namespace
}  // namespace smcl::format
