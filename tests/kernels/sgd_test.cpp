#include "kernels/sgd.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/cpu.h"
#include "core/random.h"
#include "kernels/sgd_dispatch.h"

namespace smcl::kernels {
namespace {

struct State {
  std::vector<float> p, g, v;
  std::vector<std::uint16_t> s;

  explicit State(std::size_t n) : p(n), g(n), v(n), s(n) {
    RandomStream stream(7, Purpose::test, 0, n);
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = static_cast<float>(stream.normal());
      g[i] = static_cast<float>(stream.normal());
      v[i] = static_cast<float>(stream.normal());
    }
  }
  SgdSpan span(bool shadow) {
    return {p.data(), g.data(), v.data(), shadow ? s.data() : nullptr, p.size()};
  }
};

std::vector<const SgdLoops*> supported_loops() {
  std::vector<const SgdLoops*> loops{&sgd_loops_scalar()};
  if (cpu_supports(Isa::avx2)) loops.push_back(&sgd_loops_avx2());
  if (cpu_supports(Isa::avx512)) loops.push_back(&sgd_loops_avx512());
  return loops;
}

// Reference: the formula of torch.optim.SGD's documentation in double.
TEST(Sgd, FollowsTheFormula) {
  State state(1003);
  const State before = state;
  sgd(state.span(false), {0.1F, 0.9F, 2e-4F});
  for (std::size_t i = 0; i < state.p.size(); ++i) {
    const double g = double(before.g[i]) + 2e-4 * double(before.p[i]);
    const double v = 0.9 * double(before.v[i]) + g;
    EXPECT_NEAR(state.v[i], v, 1e-6 * (1.0 + std::abs(v)));
    EXPECT_NEAR(state.p[i], double(before.p[i]) - 0.1 * v, 1e-6);
  }
}

TEST(Sgd, TakesTheHandComputedStep) {
  // p = 2, g = 1, v = 4: g' = 1 + 0.5*2 = 2; v' = 0.5*4 + 2 = 4; p' = 2 - 0.25*4 = 1 = 0x3f80.
  float p = 2.0F;
  const float g = 1.0F;
  float v = 4.0F;
  std::uint16_t s = 0;
  sgd({&p, &g, &v, &s, 1}, {0.25F, 0.5F, 0.5F});
  EXPECT_EQ(v, 4.0F);
  EXPECT_EQ(p, 1.0F);
  EXPECT_EQ(s, 0x3f80);
}

TEST(Sgd, EveryInstructionSetGivesTheSameBits) {
  for (const std::size_t n : {0UL, 1UL, 15UL, 64UL, 1001UL}) {
    State expected(n);
    sgd_loops_scalar().sgd(expected.span(true), {0.1F, 0.9F, 2e-4F});
    for (const SgdLoops* loops : supported_loops()) {
      State got(n);
      loops->sgd(got.span(true), {0.1F, 0.9F, 2e-4F});
      if (n == 0) continue;  // memcmp takes no null
      EXPECT_EQ(std::memcmp(got.p.data(), expected.p.data(), n * sizeof(float)), 0);
      EXPECT_EQ(std::memcmp(got.v.data(), expected.v.data(), n * sizeof(float)), 0);
      EXPECT_EQ(got.s, expected.s);
    }
  }
}

TEST(Sgd, ShadowDoesNotChangeTheMaster) {
  State with(333);
  State without(333);
  sgd(with.span(true), {0.1F, 0.9F, 2e-4F});
  sgd(without.span(false), {0.1F, 0.9F, 2e-4F});
  EXPECT_EQ(with.p, without.p);
  EXPECT_EQ(with.v, without.v);
}

TEST(AllFinite, FindsOneBadValueAnywhere) {
  for (const SgdLoops* loops : supported_loops()) {
    for (const std::size_t n : {1UL, 17UL, 100UL}) {
      std::vector<float> values(n, std::numeric_limits<float>::max());
      EXPECT_TRUE(loops->all_finite(values.data(), n));
      for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        for (const float bad :
             {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
              std::numeric_limits<float>::quiet_NaN()}) {
          values[at] = bad;
          EXPECT_FALSE(loops->all_finite(values.data(), n));
        }
        values[at] = -0.0F;
      }
    }
    EXPECT_TRUE(loops->all_finite(nullptr, 0));
  }
}

// Bit patterns by hand: bf16 keeps the upper half; halves go to the even neighbour.
TEST(ToBf16, RoundsToNearestEven) {
  const std::vector<std::uint32_t> in{0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0xbf80ffff,
                                      0x7f7fffff, 0x7f800000, 0xff800000, 0x00000001};
  const std::vector<std::uint16_t> out{0x3f80, 0x3f80, 0x3f82, 0x3f81, 0xbf81,
                                       0x7f80, 0x7f80, 0xff80, 0x0000};
  std::vector<float> values;
  for (const std::uint32_t bits : in) values.push_back(std::bit_cast<float>(bits));
  std::vector<std::uint16_t> got(in.size());
  for (const SgdLoops* loops : supported_loops()) {
    loops->to_bf16(values.data(), got.data(), got.size());
    EXPECT_EQ(got, out);
    const float nan = std::bit_cast<float>(0x7fffffffU);  // would wrap to a number if only rounded
    std::uint16_t shadow = 0;
    loops->to_bf16(&nan, &shadow, 1);
    EXPECT_EQ(shadow, 0x7fc0);
  }
}

}  // namespace
}  // namespace smcl::kernels
