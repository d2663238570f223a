#include "kernels/trunk_choice.h"

#include <chrono>
#include <cstdlib>
#include <limits>
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

/// The least seconds of a few evaluations of a tiny trunk.
double seconds(const TrunkKernels& kernels) {
  TrunkShape shape;
  shape.height = shape.width = 16;
  shape.stem = 32;
  shape.blocks = {{32, 32, 1}};
  shape.element = Element::bf16;
  Trunk trunk(shape, kernels, 1);
  const std::vector<std::uint16_t> weight(9 * 32 * 32, 0x3c00);
  const std::vector<std::uint16_t> image(16 * 16 * 3, 0x3f80);
  const std::vector<float> ones(32, 1.0F);
  std::vector<float> running(32, 1.0F);
  std::vector<float> features(32);
  const TrunkLayer layer{weight.data(), ones.data(), ones.data(), running.data(), running.data()};
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 8; ++i) {
    const auto start = Clock::now();
    trunk.infer(image.data(), 1, {layer, layer, layer}, {}, features.data(), {});
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

bool pairs_are_faster() {
  static const bool faster = seconds({Isa::avx512_bf16, Arithmetic::bf16_pairs}) <
                             0.9 * seconds({Isa::avx512_bf16, Arithmetic::fp32});
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

std::string describe_trunk_kernels(Element element) {
  const auto chosen = trunk_kernels({32, 32, 16, {{16, 32, 2}, {32, 64, 2}}, element});
  return chosen ? name(*chosen) : "LibTorch";
}

}  // namespace smcl::kernels
