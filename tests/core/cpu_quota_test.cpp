#include "core/cpu_quota.h"

#include <gtest/gtest.h>

#include <fstream>

#include "format/scratch.h"

// Names and contents of the files: cgroups(7), and the kernel's Documentation/admin-guide/cgroup-v2
// and scheduler/sched-bwc.
namespace smcl {
namespace {

namespace fs = std::filesystem;

class CpuQuota : public ScratchFolder {
 protected:
  void write(const fs::path& name, const std::string& text) const {
    fs::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name) << text;
  }
  std::optional<double> quota() const { return cpu_quota(folder() / "groups", folder() / "mount"); }
};

TEST_F(CpuQuota, OfVersionTwoIsTheLeastUpToTheRoot) {
  write("groups", "0::/a/b\n");
  EXPECT_FALSE(quota().has_value()) << "nothing is mounted";
  write("mount/a/b/cpu.max", "max 100000\n");
  EXPECT_FALSE(quota().has_value());
  write("mount/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  write("mount/a/b/cpu.max", "40000 20000\n");
  EXPECT_EQ(quota(), 1.5);
  write("mount/a/b/cpu.max", "20000 20000\n");
  EXPECT_EQ(quota(), 1.0);
}

TEST_F(CpuQuota, OfAContainerThatSeesThePathOfItsHostIsThatOfTheRoot) {
  write("groups", "12:memory:/docker/0123\n5:cpu,cpuacct:/docker/0123\n0::/docker/0123\n");
  write("mount/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(quota().has_value());
  write("mount/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(CpuQuota, OfVersionOneBesideVersionTwo) {
  write("groups", "2:cpuacct,cpuset:/x\n1:cpu:/a\n0::/\n");
  write("mount/cpu/a/cpu.cfs_quota_us", "300000");
  write("mount/cpu/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(quota(), 3.0);
  write("mount/unified/cpu.max", "100000 200000");
  EXPECT_EQ(quota(), 0.5);
}

TEST(CpusWithin, AreRoundedUp) {
  EXPECT_EQ(cpus_within(64, std::nullopt), 64);
  EXPECT_EQ(cpus_within(64, 1.5), 2);
  EXPECT_EQ(cpus_within(64, 2.0), 2);
  EXPECT_EQ(cpus_within(2, 2.5), 2);
  EXPECT_EQ(cpus_within(2, 0.1), 1);
  EXPECT_EQ(cpus_within(0, std::nullopt), 1);
}

TEST_F(CpuQuota, WhatCannotBeReadLimitsNothing) {
  EXPECT_FALSE(quota().has_value()) << "no file of groups";
  write("groups", "cpu\n0:\n:::\n\n0::\n");
  write("mount/cpu.max", "many\n");
  EXPECT_FALSE(quota().has_value());
}

}  // namespace
}  // namespace smcl
