#include "record/setting_kinds.h"

#include <gtest/gtest.h>

namespace smcl::record {
namespace {

TEST(SettingKinds, ATextLosesQuotesThatItDoesNotNeed) {
  EXPECT_EQ(bare("\"random\""), "random");
  EXPECT_EQ(bare("0.5"), "0.5");
  EXPECT_EQ(bare("[\"a\", \"b\"]"), "[\"a\", \"b\"]");
  for (const char* kept : {"\"\"", "\"", "", "\"a\\\"b\"", "\"a\\\\\""})
    EXPECT_EQ(bare(kept), kept);
}

TEST(SettingKinds, ExecutionIsWhereAndHowNotWhat) {
  for (const char* key : {"run.threads", "checkpoint.keep", "data.dir", "scenes.fashion_dir"}) {
    EXPECT_TRUE(is_of_execution(key)) << key;
  }
  for (const char* key : {"run.precision", "data.ratio", "train.seed", "runs"}) {
    EXPECT_FALSE(is_of_execution(key)) << key;
  }
}

}  // namespace
}  // namespace smcl::record
