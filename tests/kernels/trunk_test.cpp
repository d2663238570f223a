#include "kernels/trunk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>

#include "core/error.h"
#include "core/random.h"
#include "kernels/trunk_passes.h"
#include "kernels/trunk_reference.h"

namespace smcl::kernels {
namespace {

using reference::Values;

std::uint16_t to_bf16(double value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, static_cast<float>(value));
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}
double from_bf16(std::uint16_t value) {
  return static_cast<double>(__builtin_bit_cast(float, static_cast<std::uint32_t>(value) << 16));
}

/// Numbers of the element type, and the same as floats.
struct Buffer {
  Buffer(const Values& values, Element element) {
    for (const double value : values) {
      floats.push_back(static_cast<float>(value));
      halves.push_back(to_bf16(value));
      exact.push_back(element == Element::fp32 ? static_cast<double>(floats.back())
                                               : from_bf16(halves.back()));
    }
    data = element == Element::fp32 ? static_cast<const void*>(floats.data()) : halves.data();
  }
  std::vector<float> floats;
  std::vector<std::uint16_t> halves;
  Values exact;  ///< what `data` holds
  const void* data = nullptr;
};

Values draw(std::size_t count, double scale, double shift, std::uint64_t index) {
  RandomStream stream(5, Purpose::test, 0, index);
  Values out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(shift + scale * stream.normal());
  return out;
}

std::vector<float> floats(const Values& values) {
  return {values.begin(), values.end()};
}

/// A network of a shape with random weights, and a batch for it.
struct Case {
  Case(TrunkShape shape_of, int count_of) : shape(std::move(shape_of)), count(count_of) {
    add(3, shape.stem, 1);
    for (const TrunkBlock& block : shape.blocks) {
      add(block.in, block.out, block.stride);
      add(block.out, block.out, 1);
    }
    const auto pixels = static_cast<std::size_t>(count * shape.height * shape.width * 3);
    images = std::make_unique<Buffer>(draw(pixels, 1.0, 0.2, 1), shape.element);
    const auto features = static_cast<std::size_t>(count * shape.blocks.back().out);
    gradient = draw(features, 1.0, 0.0, 2);
    for (double& value : gradient) value = static_cast<double>(static_cast<float>(value));
  }

  void add(int in, int out, int stride) {
    const auto channels = static_cast<std::size_t>(out);
    const std::uint64_t index = 10 * layers.size() + 10;
    const double scale = std::sqrt(2.0 / (9.0 * in));
    weights.push_back(std::make_unique<Buffer>(
        draw(channels * 9 * static_cast<std::size_t>(in), scale, 0.0, index), shape.element));
    const auto exact = [](Values values) {
      for (double& value : values) value = static_cast<double>(static_cast<float>(value));
      return values;
    };
    reference::Layer layer;
    layer.in = in;
    layer.out = out;
    layer.stride = stride;
    layer.weight = weights.back()->exact;
    layer.gamma = exact(draw(channels, 0.2, 1.0, index + 1));
    layer.beta = exact(draw(channels, 0.3, 0.1, index + 2));
    layer.running_mean = exact(draw(channels, 0.1, 0.0, index + 3));
    layer.running_var = exact(draw(channels, 0.05, 1.0, index + 4));
    layers.push_back(layer);
  }

  reference::Tensor tensor() const {
    reference::Tensor out(count, shape.height, shape.width, 3);
    out.at = images->exact;
    return out;
  }

  TrunkShape shape;
  int count;
  std::vector<std::unique_ptr<Buffer>> weights;
  std::vector<reference::Layer> layers;
  std::unique_ptr<Buffer> images;
  Values gradient;  ///< of the features
};

/// All results of a step, and of an evaluation after it, by name.
using Results = std::vector<std::pair<std::string, std::vector<float>>>;

Results run_on(Trunk& trunk, const Case& from, const std::vector<std::uint8_t>& rows,
               const Parallel& parallel = {}) {
  struct Floats {
    std::vector<float> gamma, beta, mean, var, d_weight, d_gamma, d_beta;
  };
  std::vector<Floats> all;
  for (const auto& layer : from.layers) {
    all.push_back({floats(layer.gamma), floats(layer.beta), floats(layer.running_mean),
                   floats(layer.running_var), std::vector<float>(layer.weight.size()),
                   std::vector<float>(layer.gamma.size()), std::vector<float>(layer.gamma.size())});
  }
  std::vector<TrunkLayer> layers;
  std::vector<TrunkGradient> gradients;
  for (std::size_t l = 0; l < all.size(); ++l) {
    Floats& f = all[l];
    layers.push_back(
        {from.weights[l]->data, f.gamma.data(), f.beta.data(), f.mean.data(), f.var.data()});
    gradients.push_back({f.d_weight.data(), f.d_gamma.data(), f.d_beta.data()});
  }
  const auto size = static_cast<std::size_t>(from.count * trunk.features());
  std::vector<float> features(size);
  std::vector<float> evaluated(size);
  const auto tape =
      trunk.forward(from.images->data, from.count, layers, rows, {}, features.data(), parallel);
  trunk.backward(*tape, floats(from.gradient).data(), layers, gradients, parallel);
  trunk.infer(from.images->data, from.count, layers, {}, evaluated.data(), parallel);
  Results out{{"features", features}, {"evaluated features", evaluated}};
  for (std::size_t l = 0; l < all.size(); ++l) {
    const std::string layer = "layer " + std::to_string(l) + " ";
    out.push_back({layer + "weight", all[l].d_weight});
    out.push_back({layer + "gamma", all[l].d_gamma});
    out.push_back({layer + "beta", all[l].d_beta});
    out.push_back({layer + "mean", all[l].mean});
    out.push_back({layer + "var", all[l].var});
  }
  return out;
}

Results run_kernels(const Case& from, const TrunkKernels& kernels,
                    const std::vector<std::uint8_t>& rows, const Parallel& parallel = {},
                    int threads = 1) {
  Trunk trunk(from.shape, kernels, threads);
  return run_on(trunk, from, rows, parallel);
}

void expect_same(const Results& got, const Results& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t r = 0; r < want.size(); ++r) {
    EXPECT_EQ(got[r].second, want[r].second) << want[r].first;
  }
}

Results run_reference(const Case& from, const std::vector<std::uint8_t>& rows) {
  const auto round = [](double value) { return from_bf16(to_bf16(value)); };
  reference::Model model(from.layers, from.shape.element == Element::bf16 ? +round : nullptr);
  const Values features = model.forward(from.tensor(), true, rows);
  model.backward(from.gradient);
  reference::Model moved(model.layers);
  Results out{{"features", floats(features)},
              {"evaluated features", floats(moved.forward(from.tensor(), false))}};
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const std::string name = "layer " + std::to_string(l) + " ";
    out.push_back({name + "weight", floats(model.layers[l].d_weight)});
    out.push_back({name + "gamma", floats(model.layers[l].d_gamma)});
    out.push_back({name + "beta", floats(model.layers[l].d_beta)});
    out.push_back({name + "mean", floats(model.layers[l].running_mean)});
    out.push_back({name + "var", floats(model.layers[l].running_var)});
  }
  return out;
}

/// |got - want| <= tolerance * |want|, Euclidean, for each result.
void expect_close(const Results& got, const Results& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t r = 0; r < want.size(); ++r) {
    ASSERT_EQ(got[r].second.size(), want[r].second.size());
    double off = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < want[r].second.size(); ++i) {
      off += std::pow(static_cast<double>(got[r].second[i] - want[r].second[i]), 2);
      size += std::pow(static_cast<double>(want[r].second[i]), 2);
    }
    EXPECT_LE(std::sqrt(off), tolerance * std::sqrt(size)) << want[r].first;
  }
}

TrunkShape shape(int height, int width, int stem, std::vector<TrunkBlock> blocks,
                 Element element = Element::fp32) {
  return {height, width, stem, std::move(blocks), element};
}

std::vector<TrunkKernels> kernels_here() {
  std::vector<TrunkKernels> out;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (cpu_supports(isa)) out.push_back({isa, Arithmetic::fp32});
  }
  return out;
}

/// Every kind of products that this CPU has, with the type that it is for.
std::vector<std::pair<Element, TrunkKernels>> kinds_here() {
  std::vector<std::pair<Element, TrunkKernels>> out{
      {Element::fp32, kernels_here().back()},
      {Element::bf16, kernels_here().back()},
      {Element::bf16, {Isa::scalar, Arithmetic::bf16_pairs}},
      {Element::bf16, {Isa::scalar, Arithmetic::bf16_tiles}}};
  if (cpu_supports(Isa::avx512_bf16)) {
    out.push_back({Element::bf16, {Isa::avx512_bf16, Arithmetic::bf16_pairs}});
    if (may_use_tiles()) out.push_back({Element::bf16, {Isa::avx512_bf16, Arithmetic::bf16_tiles}});
  }
  return out;
}

/// Sizes with borders, odd batches, every kind of block, widths that need blocks of 4 and others,
/// heights that are odd and that leave windows over.
std::vector<TrunkShape> shapes() {
  return {shape(16, 16, 16, {{16, 16, 1}, {16, 32, 2}, {32, 32, 1}}),
          shape(4, 12, 16, {{16, 16, 1}}),
          shape(6, 20, 48, {{48, 48, 1}, {48, 48, 1}}),
          shape(2, 8, 16, {{16, 32, 2}, {32, 32, 1}}),
          shape(4, 16, 32, {{32, 64, 2}, {64, 64, 1}}),
          shape(5, 16, 16, {{16, 16, 1}}),
          shape(10, 8, 32, {{32, 32, 1}}),
          shape(2, 36, 16, {{16, 16, 1}}),
          shape(2, 20, 32, {{32, 32, 1}})};
}

TEST(Trunk, AgreesWithDoublePrecision) {
  for (const TrunkShape& tested : shapes()) {
    for (const int count : {1, 9}) {
      if (count == 1 && tested.height * tested.width < 64) continue;  // batch norm of few values
      const Case network(tested, count);
      const Results want = run_reference(network, {});
      for (const TrunkKernels& kernels : kernels_here()) {
        SCOPED_TRACE(name(kernels) + ", " + std::to_string(tested.height) + "x" +
                     std::to_string(tested.width) + ", " + std::to_string(count) + " images");
        expect_close(run_kernels(network, kernels, {}), want, 2e-5);
      }
    }
  }
}

// The reference rounds where the kernels do. Now and then they round another way, by 2^-8 = 0.004,
// and a value near 0 falls on the other side of a ReLU; from layer to layer that spreads, so
// networks of one block tell more than deep ones.
TEST(Trunk, AgreesWithDoublePrecisionInBf16) {
  for (TrunkShape tested : {shape(16, 16, 16, {{16, 16, 1}}), shape(4, 12, 48, {{48, 48, 1}}),
                            shape(2, 8, 16, {{16, 32, 2}}), shape(4, 16, 32, {{32, 64, 2}}),
                            shape(6, 20, 64, {{64, 64, 1}})}) {
    tested.element = Element::bf16;
    const Case network(tested, 5);
    const Results want = run_reference(network, {});
    std::vector<TrunkKernels> all = kernels_here();
    for (const Arithmetic arithmetic : {Arithmetic::bf16_pairs, Arithmetic::bf16_tiles}) {
      const bool tiles = arithmetic == Arithmetic::bf16_tiles;
      if (tiles && !tiles_fit(tested)) continue;
      all.push_back({Isa::scalar, arithmetic});
      if (!cpu_supports(Isa::avx512_bf16) || (tiles && !may_use_tiles())) continue;
      all.push_back({Isa::avx512_bf16, arithmetic});
    }
    for (const TrunkKernels& kernels : all) {
      SCOPED_TRACE(name(kernels) + ", " + std::to_string(tested.height) + "x" +
                   std::to_string(tested.width));
      expect_close(run_kernels(network, kernels, {}), want, 2e-2);
    }
  }
}

// Sums of one image after another; those of tiles of up to eight together: parts of 8 and 9 images.
TEST(Trunk, SumsWeightGradientsOfManyImages) {
  const Case network(shape(2, 4, 64, {{64, 64, 1}}, Element::bf16), 70);
  const Results want = run_reference(network, {});
  std::vector<TrunkKernels> all = kernels_here();
  all.push_back({Isa::scalar, Arithmetic::bf16_tiles});
  all.push_back({Isa::scalar, Arithmetic::bf16_pairs});
  const TrunkKernels pairs{Isa::avx512_bf16, Arithmetic::bf16_pairs};
  if (cpu_supports(pairs.isa)) all.push_back(pairs);
  if (may_use_tiles()) all.push_back({Isa::avx512_bf16, Arithmetic::bf16_tiles});
  for (const TrunkKernels& kernels : all) {
    SCOPED_TRACE(name(kernels));
    expect_close(run_kernels(network, kernels, {}), want, 2e-2);
  }
}

TEST(Trunk, IsTheSameOnEveryInstructionSet) {
  for (const Element element : {Element::fp32, Element::bf16}) {
    for (TrunkShape tested : shapes()) {
      tested.element = element;
      const Case network(tested, 3);
      const Results scalar = run_kernels(network, {Isa::scalar, Arithmetic::fp32}, {});
      for (const TrunkKernels& kernels : kernels_here()) {
        const Results here = run_kernels(network, kernels, {});
        for (std::size_t r = 0; r < scalar.size(); ++r) {
          EXPECT_EQ(here[r].second, scalar[r].second) << name(kernels) << ": " << scalar[r].first;
        }
      }
    }
  }
}

TEST(Trunk, IsTheSameForOneTwoFourAndEightThreads) {
  for (const auto& [element, kernels] : kinds_here()) {
    const Case network(shape(16, 16, 16, {{16, 16, 1}, {16, 32, 2}}, element), 21);
    const Results alone = run_kernels(network, kernels, {});
    for (const int threads : {2, 4, 8}) {
      SCOPED_TRACE(name(kernels) + ", threads: " + std::to_string(threads));
      const Parallel parallel = [&](std::size_t blocks, const auto& work) {
        std::vector<std::thread> all;
        const auto count = static_cast<std::size_t>(threads);
        for (std::size_t t = 0; t < count; ++t) {
          all.emplace_back([&, t] { work(blocks * t / count, blocks * (t + 1) / count); });
        }
        for (std::thread& thread : all) thread.join();
      };
      expect_same(run_kernels(network, kernels, {}, parallel, threads), alone);
    }
  }
}

// What a trunk keeps from call to call (scratch, tapes, packed weights) shows in no result.
TEST(Trunk, IsTheSameWhateverItDidBefore) {
  for (const auto& [element, kernels] : kinds_here()) {
    SCOPED_TRACE(name(kernels));
    const TrunkShape tested = shape(2, 8, 16, {{16, 16, 1}, {16, 32, 2}}, element);
    const Case many(tested, 19);
    const Case few(tested, 3);
    Trunk trunk(tested, kernels, 1);
    const Results first = run_on(trunk, many, {});
    expect_same(run_on(trunk, few, {}), run_kernels(few, kernels, {}));
    expect_same(run_on(trunk, many, {}), first);
  }
}

// A step that ended in infinities leaves none for the next one.
TEST(Trunk, RecoversFromValuesThatAreNotFinite) {
  for (const auto& [element, kernels] : kinds_here()) {
    SCOPED_TRACE(name(kernels));
    const TrunkShape tested = shape(2, 8, 16, {{16, 16, 1}, {16, 32, 2}}, element);
    Case bad(tested, 3);
    Values images = bad.images->exact;
    for (double& value : images) value = std::numeric_limits<double>::infinity();
    bad.images = std::make_unique<Buffer>(images, element);
    const Case good(tested, 3);
    Trunk trunk(tested, kernels, 1);
    const Results spoilt = run_on(trunk, bad, {});
    EXPECT_FALSE(std::isfinite(spoilt[0].second[0]));
    expect_same(run_on(trunk, good, {}), run_kernels(good, kernels, {}));
  }
}

TEST(Trunk, NormalisesWhateverTheRunningMeanIs) {
  const Case network(shape(8, 8, 16, {{16, 16, 1}}), 3);
  Case far(shape(8, 8, 16, {{16, 16, 1}}), 3);
  for (reference::Layer& layer : far.layers) {
    for (std::size_t c = 0; c < layer.running_mean.size(); ++c) {
      layer.running_mean[c] = c % 2 == 0 ? 50.0 : std::nan("");
    }
  }
  const Results want = run_kernels(network, kernels_here().back(), {});
  const Results got = run_kernels(far, kernels_here().back(), {});
  // Means 50 deviations away cost up to 12 of the 24 bits of the variance.
  expect_close({got[0]}, {want[0]}, 2e-3);
}

TEST(Trunk, MovesRunningStatisticsByTheChosenImages) {
  const Case network(shape(8, 8, 16, {{16, 16, 1}}), 5);
  const TrunkKernels kernels = kernels_here().back();
  for (const std::vector<std::uint8_t>& rows :
       {std::vector<std::uint8_t>{1, 0, 0, 1, 1}, {0, 0, 0, 0, 0}}) {
    expect_close(run_kernels(network, kernels, rows), run_reference(network, rows), 2e-5);
  }
}

TEST(Trunk, FitsWhatItCanCompute) {
  EXPECT_TRUE(trunk_fits(shape(32, 32, 16, {{16, 16, 1}, {16, 32, 2}, {32, 64, 2}})));
  EXPECT_FALSE(trunk_fits(shape(32, 32, 8, {{8, 8, 1}})));
  EXPECT_TRUE(trunk_fits(shape(8, 8, 256, {{256, 256, 1}})));
  EXPECT_FALSE(trunk_fits(shape(8, 8, 272, {{272, 272, 1}})));
  EXPECT_FALSE(trunk_fits(shape(32, 32, 16, {})));
  EXPECT_FALSE(trunk_fits(shape(32, 6, 16, {{16, 16, 1}})));
  EXPECT_FALSE(trunk_fits(shape(32, 12, 16, {{16, 32, 2}})));
  EXPECT_FALSE(trunk_fits(shape(5, 8, 16, {{16, 32, 2}})));
  EXPECT_FALSE(trunk_fits(shape(32, 32, 16, {{16, 64, 2}})));
  EXPECT_FALSE(trunk_fits(shape(32, 32, 16, {{32, 32, 1}})));
  EXPECT_THROW(Trunk(shape(32, 32, 8, {{8, 8, 1}}), {}, 1), InternalError);
  EXPECT_THROW(Trunk(shape(32, 32, 16, {{16, 16, 1}}), {Isa::scalar, Arithmetic::bf16_pairs}, 1),
               InternalError);
}

}  // namespace
}  // namespace smcl::kernels
