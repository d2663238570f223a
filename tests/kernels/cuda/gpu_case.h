#pragma once

#include <gtest/gtest.h>

#include "kernels/gpu_status.h"

namespace smcl::kernels::testing {

class GpuCase : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!why_no_gpu().empty()) GTEST_SKIP() << "no GPU";
  }
};

}  // namespace smcl::kernels::testing
