#include <gmock/gmock.h>
#include <sys/mount.h>

#include <algorithm>
#include <map>

#include "cli/survival.h"

// Disks that are full, read-only or gone bad under the log.
namespace smcl::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DiskSlow : public Survival {};

/// A file system of its own with little room.
class SmallDisk {
 public:
  SmallDisk(const fs::path& folder, const std::string& size) : folder_(folder) {
    fs::create_directories(folder);
    there_ = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (there_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool there() const { return there_; }

 private:
  fs::path folder_;
  bool there_ = false;
};

// Room for some files of the run, not for all: it ends in the middle, with nothing torn, and goes
// on once there is room.
TEST_F(DiskSlow, AFullDiskEndsWith74AndLosesNothing) {
  const std::string expected = undisturbed();
  int full = 0;
  for (const char* size : {"64k", "400k", "700k", "900k", "1000k"}) {
    const fs::path root = folder() / "disk";
    fs::path saved = folder() / concat("saved-", size);
    {
      const SmallDisk disk(root, size);
      if (!disk.there()) GTEST_SKIP() << "no right to mount";
      const Ending ending = run(root);
      ASSERT_TRUE(ending.code == 74 || ending.code == 0) << ending.code << ending.err;
      if (ending.code == 74) {
        ++full;
        EXPECT_THAT(ending.err, HasSubstr("No space left on device"));
        EXPECT_EQ(std::count(ending.err.begin(), ending.err.end(), '\n'), 1) << ending.err;
      }
      check_files(root);
      fs::copy(root, saved, fs::copy_options::recursive);
    }
    EXPECT_EQ(run(saved).code, 0);
    EXPECT_EQ(weights(saved), expected) << size;
  }
  EXPECT_GE(full, 2) << "the sizes no longer fit the run";
}

TEST_F(DiskSlow, AFolderThatCannotBeWrittenEndsWith74) {
  const fs::path root = folder() / "runs";
  const SmallDisk disk(root, "4m");
  if (!disk.there()) GTEST_SKIP() << "no right to mount";
  const auto remount = [&](unsigned long flags) {
    return ::mount("tmpfs", root.c_str(), "tmpfs", MS_REMOUNT | flags, "size=4m");
  };
  const auto hashes = [&] {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_regular_file()) all[entry.path()] = format::sha256_of_file(entry.path());
    }
    return all;
  };
  const std::string expected = undisturbed();
  {
    Process process(train(root), folder() / "log");
    ASSERT_TRUE(process.send_when([&] { return stored(root); }, {SIGTERM}));
    ASSERT_EQ(process.wait().code, 75);
  }
  const auto before = hashes();
  ASSERT_EQ(remount(MS_RDONLY), 0);
  const Ending ending = run(root);
  EXPECT_EQ(ending.code, 74);
  EXPECT_EQ(hashes(), before);
  EXPECT_THAT(ending.err, HasSubstr("Read-only file system"));
  EXPECT_EQ(std::count(ending.err.begin(), ending.err.end(), '\n'), 1) << ending.err;
  ASSERT_EQ(remount(0), 0);
  EXPECT_EQ(run(root).code, 0);
  EXPECT_EQ(weights(root), expected);
}

TEST_F(DiskSlow, ALogThatCannotBeWrittenEndsWith74) {
  const std::string expected = undisturbed();
  const fs::path root = folder() / "runs";
  {
    Process process(train(root), folder() / "log");
    ASSERT_TRUE(process.send_when([&] { return stored(root); }, {SIGTERM}));
    ASSERT_EQ(process.wait().code, 75);
  }
  const fs::path log = run_of(root) / "log.txt";
  EXPECT_THAT(format::read_text(log), HasSubstr("error stopped; "));
  fs::remove(log);
  fs::create_symlink("/dev/full", log);
  const Ending ending = run(root);
  EXPECT_EQ(ending.code, 74);
  EXPECT_THAT(ending.err, HasSubstr("cannot write the log: "));
  EXPECT_EQ(std::count(ending.err.begin(), ending.err.end(), '\n'), 1) << ending.err;
  fs::remove(log);
  EXPECT_EQ(run(root).code, 0);
  EXPECT_EQ(weights(root), expected);
}

}  // namespace
}  // namespace smcl::cli
