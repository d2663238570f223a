#include "kernels/trunk_choice.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "kernels/trunk_passes.h"

namespace smcl::kernels {
namespace {

/// SMCL_KERNELS for the length of a test.
class TrunkChoice : public testing::Test {
 protected:
  static void wish(const char* value) { setenv("SMCL_KERNELS", value, 1); }
  void TearDown() override { unsetenv("SMCL_KERNELS"); }
  static TrunkShape shape(Element element, int stem = 16) {
    return {32, 32, stem, {{stem, 2 * stem, 2}}, element};
  }
};

TEST_F(TrunkChoice, TakesTheWidestInstructionSet) {
  const auto fp32 = trunk_kernels(shape(Element::fp32));
  if (best_isa() == Isa::scalar) {
    EXPECT_FALSE(fp32);
    GTEST_SKIP() << "this CPU lacks AVX2";
  }
  ASSERT_TRUE(fp32);
  EXPECT_EQ(fp32->isa, best_isa());
  EXPECT_EQ(fp32->arithmetic, Arithmetic::fp32);
  const auto bf16 = trunk_kernels(shape(Element::bf16));
  ASSERT_TRUE(bf16);
  const bool tiles = best_isa() == Isa::avx512_bf16 && may_use_tiles();
  EXPECT_EQ(bf16->arithmetic == Arithmetic::bf16_tiles, tiles);
  // 48 channels do not suit tiles.
  EXPECT_NE(trunk_kernels(shape(Element::bf16, 48))->arithmetic, Arithmetic::bf16_tiles);
}

TEST_F(TrunkChoice, LeavesToLibTorchWhatDoesNotFitOrIsWishedSo) {
  EXPECT_FALSE(trunk_kernels(shape(Element::fp32, 8)));
  wish("torch");
  EXPECT_FALSE(trunk_kernels(shape(Element::fp32)));
  EXPECT_EQ(describe(trunk_kernels(shape(Element::fp32))), "LibTorch");
}

TEST_F(TrunkChoice, FollowsTheWish) {
  wish("fp32");
  const auto chosen = trunk_kernels(shape(Element::bf16));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->arithmetic, Arithmetic::fp32);
  EXPECT_NE(describe(chosen).find("fp32 products"), std::string::npos);
  wish("auto");
  EXPECT_NO_THROW(trunk_kernels(shape(Element::bf16)));
}

TEST_F(TrunkChoice, RefusesWhatThereIsNot) {
  wish("fast");
  EXPECT_THROW(trunk_kernels(shape(Element::fp32)), UsageError);
  wish("bf16_pairs");
  if (best_isa() != Isa::avx512_bf16) {
    EXPECT_THROW(trunk_kernels(shape(Element::bf16)), UsageError);
  }
  wish("bf16_tiles");
  if (best_isa() != Isa::avx512_bf16 || !may_use_tiles()) {
    EXPECT_THROW(trunk_kernels(shape(Element::bf16)), UsageError);
  }
}

}  // namespace
}  // namespace smcl::kernels
