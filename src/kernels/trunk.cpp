#include "kernels/trunk.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "kernels/trunk_state.h"

namespace smcl::kernels {
namespace {

/// From sums of y - pivot and its square over `rows` values: mean and biased variance a channel.
struct Moments {
  std::vector<double> mean, variance;
};

Moments moments(const std::vector<double>& sums, const float* pivot, double rows) {
  const std::size_t channels = sums.size() / 2;
  Moments out;
  for (std::size_t c = 0; c < channels; ++c) {
    const double offset = sums[c] / rows;
    out.mean.push_back(static_cast<double>(pivot[c]) + offset);
    out.variance.push_back(std::max(0.0, sums[channels + c] / rows - offset * offset));
  }
  return out;
}

void move_running(const Moments& seen, double rows, double momentum, const TrunkLayer& layer) {
  for (std::size_t c = 0; c < seen.mean.size(); ++c) {
    norm_move_running(seen.mean[c], seen.variance[c], rows, momentum, layer.running_mean[c],
                      layer.running_var[c]);
  }
}

void set_factors(const TrunkLayer& layer, LayerNorm& norm) {
  norm_forward_factors(layer.norm_weight, layer.norm_bias, norm.mean.data(), norm.inverse.data(),
                       norm.mean.size(), norm.scale.data(), norm.shift.data());
}

}  // namespace

// Beyond, a layer's weights leave the core's cache, and LibTorch's blocking is the better one.
constexpr int kMostChannels = 256;

bool trunk_fits(const TrunkShape& shape) {
  const auto fits = [](int height, int width, int channels) {
    return height >= 1 && width >= 4 && width % 4 == 0 && channels >= 16 && channels % 16 == 0 &&
           channels <= kMostChannels;
  };
  int height = shape.height;
  int width = shape.width;
  int channels = shape.stem;
  if (!fits(height, width, channels) || shape.blocks.empty()) return false;
  for (const TrunkBlock& block : shape.blocks) {
    if (block.in != channels || (block.stride != 1 && block.stride != 2) ||
        block.out != block.stride * block.in || height % block.stride != 0 ||
        width % block.stride != 0) {
      return false;
    }
    height /= block.stride;
    width /= block.stride;
    channels = block.out;
    if (!fits(height, width, channels)) return false;
  }
  return true;
}

bool tiles_fit(const TrunkShape& shape) {
  const auto fits = [](int channels) { return channels == 16 || channels % 32 == 0; };
  return trunk_fits(shape) && shape.element == Element::bf16 && fits(shape.stem) &&
         std::all_of(shape.blocks.begin(), shape.blocks.end(),
                     [&](const TrunkBlock& block) { return fits(block.out); });
}

std::string name(const TrunkKernels& kernels) {
  constexpr const char* kArithmetic[] = {", fp32 products", ", bf16 pairs", ", bf16 tiles (AMX)"};
  return std::string(name(kernels.isa)) + kArithmetic[static_cast<int>(kernels.arithmetic)];
}

Trunk::Trunk(const TrunkShape& shape, const TrunkKernels& kernels, int threads) {
  const bool tiles = kernels.arithmetic == Arithmetic::bf16_tiles;
  if (!(tiles ? tiles_fit(shape) : trunk_fits(shape)))
    throw InternalError("the trunk's shape has no kernels");
  state_ = std::make_unique<State>(shape, kernels, threads);
}
Trunk::~Trunk() = default;
Trunk::Trunk(Trunk&&) noexcept = default;

int Trunk::features() const {
  return state_->plans.back().out.channels;
}

ActivateTask Trunk::State::block_input(TrunkTape& tape, std::size_t b, int n,
                                       TrunkScratch& scratch) const {
  const LayerPlan& plan = plans[2 * b];
  ActivateTask task;
  task.y = tape.y(2 * b, n);
  task.scale = tape.norm(2 * b).scale.data();
  task.shift = tape.norm(2 * b).shift.data();
  task.z = tape.z(b, n);
  task.size = plan.out;
  if (b == 0) return task;
  task.residual = tape.z(b - 1, n);
  if (shape.blocks[b - 1].stride == 2) {
    passes.shortcut({.in = tape.z(b - 1, n),
                     .out = scratch.shortcut.floats(),
                     .maps = false,
                     .size = plans[2 * b - 1].in});
    task.residual = scratch.shortcut.floats();
  }
  return task;
}

float* Trunk::State::input_map(TrunkTape& tape, std::size_t l, int n, bool make,
                               TrunkScratch& scratch) const {
  const MapSize& size = plans[l].in;
  if (l == 0) {
    passes.image({.image = tape.image(n), .map = scratch.stem.floats(), .size = size});
    return scratch.stem.floats();
  }
  float* to = map(scratch, 0, size);
  ActivateTask task;
  if (l % 2 == 0) {
    const LayerNorm& norm = tape.norm(l - 1);
    task.y = tape.y(l - 1, n);
    task.scale = norm.scale.data();
    task.shift = norm.shift.data();
  } else if (make) {
    task = block_input(tape, l / 2, n, scratch);
  } else {
    task.y = tape.z(l / 2, n);
  }
  task.map = to;
  if (!make && activates_pairs(l)) task.pairs = scratch.pairs_x.floats();
  task.size = size;
  passes.activate(task);
  return to;
}

void Trunk::State::finish_forward(TrunkTape& tape, std::size_t l, const TrunkLayer& layer,
                                  const std::vector<std::uint8_t>& rows, const NormRule& rule) {
  const double pixels = static_cast<double>(plans[l].out.height) * plans[l].out.width;
  const double count = static_cast<double>(tape.count());
  LayerNorm& norm = tape.norm(l);
  const Moments batch = moments(add_sums(l, tape.count(), {}), norm.pivot.data(), pixels * count);
  for (std::size_t c = 0; c < batch.mean.size(); ++c) {
    norm.mean[c] = static_cast<float>(batch.mean[c]);
    norm.inverse[c] = norm_inverse(batch.variance[c], rule.epsilon);
  }
  set_factors(layer, norm);
  if (rows.empty()) {
    move_running(batch, pixels * count, rule.momentum, layer);
    return;
  }
  const auto chosen = static_cast<double>(
      std::count_if(rows.begin(), rows.end(), [](std::uint8_t row) { return row != 0; }));
  if (chosen == 0.0) return;
  const Moments some = moments(add_sums(l, tape.count(), rows), norm.pivot.data(), pixels * chosen);
  move_running(some, pixels * chosen, rule.momentum, layer);
}

std::shared_ptr<TrunkTape> Trunk::forward(const void* images, int count,
                                          const std::vector<TrunkLayer>& layers,
                                          const std::vector<std::uint8_t>& statistics_rows,
                                          const NormRule& rule, float* features,
                                          const Parallel& parallel) {
  State& s = *state_;
  auto tape = std::make_shared<TrunkTape>(s.plans, s.element_size, images, count, s.tapes);
  s.backwards = true;
  s.make_room(count);
  s.pack(layers, false, parallel);
  for (std::size_t l = 0; l < s.plans.size(); ++l) {
    const LayerPlan& plan = s.plans[l];
    const std::ptrdiff_t pixel = plan.out.channels;
    std::vector<float>& pivot = tape->norm(l).pivot;
    std::transform(layers[l].running_mean, layers[l].running_mean + pixel, pivot.begin(),
                   [](float mean) { return std::isfinite(mean) ? mean : 0.0F; });
    s.each_image(count, parallel, [&](const Visit& visit, TrunkScratch& scratch) {
      const int n = visit.image;
      const float* map = s.input_map(*tape, l, n, true, scratch);
      ConvTask task = s.convolution(l, map, scratch);
      task.ahead = s.forward_ahead(*tape, l, visit.next);
      s.passes.forward(task, {.y = tape->y(l, n),
                              .place = {plan.out.width * pixel, pixel},
                              .pivot = pivot.data(),
                              .sums = s.cleared_sums(l, n)});
    });
    s.finish_forward(*tape, l, layers[l], statistics_rows, rule);
  }
  s.each_image(count, parallel, [&](const Visit& visit, TrunkScratch& scratch) {
    const int n = visit.image;
    s.passes.pool({.activate = s.block_input(*tape, s.shape.blocks.size(), n, scratch),
                   .features = features + static_cast<std::ptrdiff_t>(n) * this->features()});
  });
  return tape;
}

const float* Trunk::State::infer_image(const void* image, const std::vector<LayerNorm>& norms,
                                       TrunkScratch& scratch) const {
  passes.image({.image = image, .map = scratch.stem.floats(), .size = plans[0].in});
  const auto layer = [&](std::size_t l, const float* in, float* out, const float* residual) {
    passes.infer(convolution(l, in, scratch), {.map = out,
                                               .scale = norms[l].scale.data(),
                                               .shift = norms[l].shift.data(),
                                               .residual = residual,
                                               .size = plans[l].out});
  };
  int at = 0;  // which of the three maps of a resolution holds the input of the next block
  layer(0, scratch.stem.floats(), map(scratch, at, plans[0].out), nullptr);
  for (std::size_t b = 0; b < shape.blocks.size(); ++b) {
    const LayerPlan& first = plans[2 * b + 1];
    const float* in = map(scratch, at, first.in);
    const float* residual = in;
    if (first.stride == 2) {
      float* to = map(scratch, at, first.out);
      passes.shortcut({.in = in, .out = to, .maps = true, .size = first.in});
      residual = to;
    }
    float* middle = map(scratch, (at + 1) % 3, first.out);
    float* out = map(scratch, (at + 2) % 3, first.out);
    layer(2 * b + 1, in, middle, nullptr);
    layer(2 * b + 2, middle, out, residual);
    at = (at + 2) % 3;
  }
  return map(scratch, at, levels.back());
}

void Trunk::infer(const void* images, int count, const std::vector<TrunkLayer>& layers,
                  const NormRule& rule, float* features, const Parallel& parallel) {
  State& s = *state_;
  s.pack(layers, false, parallel);
  std::vector<LayerNorm> norms;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto channels = static_cast<std::size_t>(s.plans[l].out.channels);
    LayerNorm& norm = norms.emplace_back(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      norm.mean[c] = layers[l].running_mean[c];
      norm.inverse[c] = norm_inverse(static_cast<double>(layers[l].running_var[c]), rule.epsilon);
    }
    set_factors(layers[l], norm);
  }
  const std::size_t image_bytes = static_cast<std::size_t>(s.shape.height) *
                                  static_cast<std::size_t>(s.shape.width) * 3 * s.element_size;
  s.each_image(count, parallel, [&](const Visit& visit, TrunkScratch& scratch) {
    const int n = visit.image;
    const auto* image =
        static_cast<const std::byte*>(images) + static_cast<std::size_t>(n) * image_bytes;
    const float* last = s.infer_image(image, norms, scratch);
    s.passes.pool_map({.map = last,
                       .features = features + static_cast<std::ptrdiff_t>(n) * this->features(),
                       .size = s.levels.back()});
  });
}

}  // namespace smcl::kernels
