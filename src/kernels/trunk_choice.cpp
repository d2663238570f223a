#include "kernels/trunk_choice.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "kernels/trunk_passes.h"

namespace smcl::kernels {
namespace {

using Clock = std::chrono::steady_clock;

enum class Wish { automatic, torch, fp32, pairs, tiles };

Wish wish() {
  const char* value = std::getenv("SMCL_KERNELS");
  const std::string_view text = value == nullptr ? "" : value;
  if (text.empty() || text == "auto") return Wish::automatic;
  if (text == "torch") return Wish::torch;
  if (text == "fp32") return Wish::fp32;
  if (text == "bf16_pairs") return Wish::pairs;
  if (text == "bf16_tiles") return Wish::tiles;
  throw UsageError(
      concat("SMCL_KERNELS is '", text, "'; expected auto, torch, fp32, bf16_pairs or bf16_tiles"));
}

/// Training steps of a tiny trunk of one block of the middle width.
class Trial {
 public:
  explicit Trial(Arithmetic arithmetic) : trunk_(shape(), {Isa::avx512_bf16, arithmetic}, 1) {}

  double seconds() {
    const TrunkLayer layer{weight_.data(), ones_.data(), ones_.data(), running_.data(),
                           running_.data()};
    const TrunkGradient gradient{weight_gradient_.data(), norm_gradient_.data(),
                                 norm_gradient_.data() + kChannels};
    const auto start = Clock::now();
    const auto tape = trunk_.forward(images_.data(), kImages, {layer, layer, layer}, {}, {},
                                     features_.data(), {});
    trunk_.backward(*tape, features_.data(), {layer, layer, layer}, {gradient, gradient, gradient},
                    {});
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  static constexpr int kImages = 8;
  static constexpr int kSide = 16;
  static constexpr int kChannels = 32;
  static TrunkShape shape() {
    return {kSide, kSide, kChannels, {{kChannels, kChannels, 1}}, Element::bf16};
  }
  static std::vector<float> floats(int count) {
    return std::vector<float>(static_cast<std::size_t>(count), 1.0F);
  }

  Trunk trunk_;
  std::vector<std::uint16_t> weight_ =
      std::vector<std::uint16_t>(9 * kChannels * kChannels, 0x3c00);
  std::vector<std::uint16_t> images_ =
      std::vector<std::uint16_t>(kImages * kSide * kSide * 3, 0x3f80);
  std::vector<float> ones_ = floats(kChannels);
  std::vector<float> running_ = floats(kChannels);
  std::vector<float> features_ = floats(kImages * kChannels);
  std::vector<float> weight_gradient_ = floats(9 * kChannels * kChannels);
  std::vector<float> norm_gradient_ = floats(2 * kChannels);
};

/// By the least times of a few alternating steps. On Zen 4 the two differ by a third.
bool measure_pairs() {
  Trial pairs(Arithmetic::bf16_pairs);
  Trial products(Arithmetic::fp32);
  double least_pairs = pairs.seconds();  // the first are slow, on both sides
  double least_products = products.seconds();
  for (int i = 0; i < 6; ++i) {
    least_pairs = std::min(least_pairs, pairs.seconds());
    least_products = std::min(least_products, products.seconds());
  }
  return least_pairs < least_products;
}

bool pairs_are_faster() {
  static const bool faster = measure_pairs();
  return faster;
}

void check_wish(Wish wished, Isa isa) {
  if (wished == Wish::pairs && isa != Isa::avx512_bf16) {
    throw UsageError(concat("SMCL_KERNELS is bf16_pairs, but this CPU, or SMCL_ISA, has only ",
                            name(isa), "; expected avx512_bf16"));
  }
  if (wished == Wish::tiles && (isa != Isa::avx512_bf16 || !may_use_tiles())) {
    throw UsageError("SMCL_KERNELS is bf16_tiles, but this CPU, its system or SMCL_ISA has no AMX");
  }
}

}  // namespace

std::optional<TrunkKernels> trunk_kernels(const TrunkShape& shape) {
  const Isa isa = best_isa();
  const Wish wished = wish();
  check_wish(wished, isa);
  if (!trunk_fits(shape) || wished == Wish::torch ||
      (wished == Wish::automatic && isa == Isa::scalar)) {
    return {};
  }
  const bool bf16 = shape.element == Element::bf16 && isa == Isa::avx512_bf16;
  if (!bf16 || wished == Wish::fp32) return TrunkKernels{isa, Arithmetic::fp32};
  if (wished != Wish::pairs && tiles_fit(shape) && may_use_tiles()) {
    return TrunkKernels{isa, Arithmetic::bf16_tiles};
  }
  const bool pairs = wished == Wish::pairs || pairs_are_faster();
  return TrunkKernels{isa, pairs ? Arithmetic::bf16_pairs : Arithmetic::fp32};
}

std::string describe(const std::optional<TrunkKernels>& kernels) {
  return kernels ? name(*kernels) : "LibTorch";
}

}  // namespace smcl::kernels
