#include "kernels/trunk_choice.h"

#include <chrono>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "core/error.h"

namespace smcl::kernels {
namespace {

using Clock = std::chrono::steady_clock;

enum class Wish { automatic, torch, fp32, pairs };

Wish wish() {
  const char* value = std::getenv("SMCL_KERNELS");
  const std::string_view text = value == nullptr ? "" : value;
  if (text.empty() || text == "auto") return Wish::automatic;
  if (text == "torch") return Wish::torch;
  if (text == "fp32") return Wish::fp32;
  if (text == "bf16_pairs") return Wish::pairs;
  throw UsageError(
      concat("SMCL_KERNELS is '", text, "'; expected auto, torch, fp32 or bf16_pairs"));
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
  static const bool faster =
      seconds({Isa::avx512_bf16, true}) < 0.9 * seconds({Isa::avx512_bf16, false});
  return faster;
}

}  // namespace

std::optional<TrunkKernels> trunk_kernels(Element element) {
  const Isa isa = best_isa();
  const Wish wished = wish();
  const bool has_pairs = isa == Isa::avx512_bf16;
  if (wished == Wish::torch || (wished == Wish::automatic && isa == Isa::scalar)) return {};
  if (element == Element::fp32 || wished == Wish::fp32) return TrunkKernels{isa, false};
  if (wished == Wish::pairs && !has_pairs) {
    throw UsageError(concat("SMCL_KERNELS is bf16_pairs, but this CPU, or SMCL_ISA, has only ",
                            name(isa), "; expected avx512_bf16"));
  }
  return TrunkKernels{isa, has_pairs && (wished == Wish::pairs || pairs_are_faster())};
}

std::string describe_trunk_kernels(Element element) {
  const auto chosen = trunk_kernels(element);
  return chosen ? name(*chosen) : "LibTorch";
}

}  // namespace smcl::kernels
