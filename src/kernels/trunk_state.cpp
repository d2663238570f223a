#include "kernels/trunk_state.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/error.h"

namespace smcl::kernels {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

const TrunkPasses& choose_passes(const TrunkKernels& kernels, Element element) {
  const bool scalar = kernels.isa == Isa::scalar;
  const bool bf16_only = kernels.arithmetic != Arithmetic::fp32;
  if (bf16_only && (element != Element::bf16 || (!scalar && kernels.isa != Isa::avx512_bf16))) {
    throw InternalError(concat("no kernels of ", name(kernels), " for this type"));
  }
  if (!cpu_supports(kernels.isa)) throw InternalError(concat("this CPU lacks ", name(kernels.isa)));
  if (kernels.arithmetic == Arithmetic::bf16_tiles) {
    if (scalar) return trunk_passes_scalar_tiles();
    if (!may_use_tiles()) throw InternalError("this CPU or its system has no tiles");
    return trunk_passes_amx();
  }
  if (kernels.arithmetic == Arithmetic::bf16_pairs) {
    return scalar ? trunk_passes_scalar_pairs() : trunk_passes_avx512bf16();
  }
  switch (kernels.isa) {
    case Isa::scalar:
      return trunk_passes_scalar(element);
    case Isa::avx2:
      return trunk_passes_avx2(element);
    case Isa::avx512:
    case Isa::avx512_bf16:
      return trunk_passes_avx512(element);
  }
  throw InternalError("no such instruction set");
}

/// At least 8, and the same number for every thread.
int part_count(int threads) {
  return (8 + threads - 1) / threads * threads;
}

std::size_t map_floats(const MapSize& size) {
  return static_cast<std::size_t>(size.height + 2) * static_cast<std::size_t>(size.width + 2) *
         static_cast<std::size_t>(size.channels);
}

std::size_t values(const MapSize& size) {
  return static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width) *
         static_cast<std::size_t>(size.channels);
}

AlignedBuffer zeroed(std::size_t floats) {
  AlignedBuffer buffer(floats * sizeof(float));
  buffer.zero();
  return buffer;
}

std::vector<LayerPlan> make_plans(const TrunkShape& shape, Arithmetic arithmetic) {
  std::vector<LayerPlan> plans(1);
  plans[0].weight = {shape.stem, 3};
  plans[0].in = {shape.height, shape.width, stem_channels(arithmetic)};
  plans[0].out = {shape.height, shape.width, shape.stem};
  for (const TrunkBlock& block : shape.blocks) {
    LayerPlan first;
    first.weight = {block.out, block.in};
    first.stride = block.stride;
    first.in = plans.back().out;
    first.out = {first.in.height / block.stride, first.in.width / block.stride, block.out};
    LayerPlan second;
    second.weight = {block.out, block.out};
    second.in = second.out = first.out;
    plans.push_back(first);
    plans.push_back(second);
  }
  return plans;
}

}  // namespace

std::size_t tile_x_floats(const MapSize& in, int stride) {
  // Three columns of taps; for the sums' last 32 pixels a little beyond the end.
  const auto rows = static_cast<std::size_t>(in.height + 2);
  const auto channels = static_cast<std::size_t>(in.channels);
  return 3 * rows * static_cast<std::size_t>(in.width / stride / 2) * channels + 16 * channels;
}

std::size_t tile_dy_floats(const MapSize& out) {
  const auto steps = static_cast<std::size_t>((out.height * out.width + 31) / 32);
  return static_cast<std::size_t>(out.channels) * steps * 16;
}

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  const std::size_t border = bytes >= kHugePage ? kHugePage : 64;
  const std::size_t whole = (bytes + border - 1) / border * border;
  data_.reset(std::aligned_alloc(border, whole));
  if (data_ == nullptr) throw std::bad_alloc();
  if (border == kHugePage) madvise(data_.get(), whole, MADV_HUGEPAGE);
}

void AlignedBuffer::Free::operator()(void* data) const {
  std::free(data);
}

void AlignedBuffer::zero() {
  std::memset(data_.get(), 0, size_);
}

AlignedBuffer BufferPool::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto fits = std::find_if(idle_.begin(), idle_.end(), [&](const AlignedBuffer& buffer) {
    return buffer.size() >= bytes;
  });
  if (fits == idle_.end()) {
    idle_.clear();  // too small now, and likely from now on
    return AlignedBuffer(bytes);
  }
  AlignedBuffer found = std::move(*fits);
  idle_.erase(fits);
  return found;
}

void BufferPool::give_back(AlignedBuffer buffer) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(buffer));
}

TrunkTape::TrunkTape(const std::vector<LayerPlan>& plans, std::size_t element_size,
                     const void* images, int count, std::shared_ptr<BufferPool> pool)
    : plans_(plans),
      element_size_(element_size),
      images_(static_cast<const std::byte*>(images)),
      count_(count),
      pool_(std::move(pool)) {
  std::size_t bytes = 0;
  const auto place = [&](const MapSize& size) {
    const std::size_t offset = bytes;
    bytes += values(size) * element_size * static_cast<std::size_t>(count);
    return offset;
  };
  for (std::size_t l = 0; l < plans.size(); ++l) {
    y_.push_back(place(plans[l].out));
    if (l % 2 == 0) z_.push_back(place(plans[l].out));
    norms_.emplace_back(static_cast<std::size_t>(plans[l].out.channels));
  }
  memory_ = pool_->take(bytes);
}

std::byte* TrunkTape::at(std::size_t offset, const MapSize& size, int n) const {
  return memory_.bytes() + offset + static_cast<std::size_t>(n) * values(size) * element_size_;
}

const std::byte* TrunkTape::image(int n) const {
  const MapSize& size = plans_[0].out;
  return images_ +
         static_cast<std::size_t>(n) * values({size.height, size.width, 3}) * element_size_;
}

Trunk::State::State(const TrunkShape& wanted, const TrunkKernels& kernels, int threads)
    : shape(wanted),
      passes(choose_passes(kernels, wanted.element)),
      plans(make_plans(wanted, passes.arithmetic)),
      parts(static_cast<std::size_t>(part_count(threads))),
      element_size(wanted.element == Element::fp32 ? sizeof(float) : sizeof(std::uint16_t)) {
  std::size_t largest = 0;
  for (std::size_t l = 0; l < plans.size(); ++l) {
    const LayerPlan& plan = plans[l];
    panels.emplace_back(forward_floats(plan.weight, layout(l, false)) * sizeof(float));
    // The four parities of stride 2 have nine taps together.
    backward_panels.emplace_back(
        l == 0 ? 1 : backward_floats(plan.weight, flipped_taps(), layout(l, true)) * sizeof(float));
    largest = std::max(largest, gradient_floats(l));
    if (levels.empty() || levels.back().channels != plan.out.channels) levels.push_back(plan.out);
  }
  weight_sums_bytes = parts * largest * sizeof(float);
}

bool Trunk::State::winograd(std::size_t l) const {
  const LayerPlan& plan = plans[l];
  return passes.arithmetic == Arithmetic::fp32 && l > 0 && plan.stride == 1 &&
         plan.out.height % 2 == 0;
}

std::size_t Trunk::State::gradient_floats(std::size_t l) const {
  const LayerPlan& plan = plans[l];
  return static_cast<std::size_t>(winograd(l) ? kWinogradPoints : 9) *
         static_cast<std::size_t>(plan.in.channels) * static_cast<std::size_t>(plan.out.channels);
}

PanelLayout Trunk::State::layout(std::size_t l, bool backward) const {
  const LayerPlan& plan = plans[l];
  const MapSize& summed = backward ? plan.out : plan.in;
  ConvTask task;
  task.channels = backward ? plan.in.channels : plan.out.channels;
  task.pixel_step = cells(summed.channels) * (backward ? 1 : plan.stride);
  const bool pixel_pairs =
      passes.arithmetic == Arithmetic::bf16_tiles && summed.channels == 16 && plan.stride == 1;
  return {shape.element, passes.arithmetic, passes.panel(task), pixel_pairs, winograd(l)};
}

std::size_t Trunk::State::level(const MapSize& size) const {
  std::size_t found = 0;
  while (levels[found].channels != size.channels) ++found;
  return found;
}

int Trunk::State::part_begin(std::size_t part, int count) const {
  return static_cast<int>(part * static_cast<std::size_t>(count) / parts);
}

void Trunk::State::run_parts(const Parallel& parallel, std::size_t count,
                             const std::function<void(std::size_t, std::size_t)>& run) {
  if (parallel) {
    parallel(count, run);
  } else {
    run(0, count);
  }
}

void Trunk::State::pack(const std::vector<TrunkLayer>& layers, bool backward,
                        const Parallel& parallel) {
  run_parts(parallel, plans.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t l = begin; l < end; ++l) {
      const LayerPlan& plan = plans[l];
      if (!backward) {
        pack_forward(layers[l].weight, plan.weight, layout(l, false), panels[l].floats());
        continue;
      }
      if (l == 0) continue;
      const PanelLayout spec = layout(l, true);
      float* out = backward_panels[l].floats();
      if (plan.stride == 1) {
        pack_backward(layers[l].weight, plan.weight, flipped_taps(), spec, out);
        continue;
      }
      for (int parity = 0; parity < 4; ++parity) {
        const Taps taps = parity_taps(parity / 2 != 0, parity % 2 != 0);
        pack_backward(layers[l].weight, plan.weight, taps, spec, out);
        out += backward_floats(plan.weight, taps, spec);
      }
    }
  });
}

ConvTask Trunk::State::convolution(std::size_t l, const float* map, TrunkScratch& scratch) const {
  const LayerPlan& plan = plans[l];
  const int pixel = cells(plan.in.channels);
  const std::ptrdiff_t row = row_cells(plan.in);
  ConvTask task;
  task.map = map;
  task.row_step = plan.stride * row;
  task.pixel_step = plan.stride * pixel;
  task.height = plan.out.height;
  task.width = plan.out.width;
  task.channels = plan.out.channels;
  for (int i = 0; i < 3; ++i) task.runs[i] = {i * row, 3 * pixel};
  task.run_count = 3;
  task.weights = panels[l].floats();
  task.rows = scratch.rows.floats();
  if (winograd(l)) task.points = scratch.points.floats();
  return task;
}

void Trunk::State::make_room(int count) {
  const std::size_t wanted =
      static_cast<std::size_t>(count) * 2 * static_cast<std::size_t>(levels.back().channels);
  if (norm_sums.size() < wanted) norm_sums.resize(wanted);
}

float* Trunk::State::image_sums(std::size_t l, int n) {
  const auto width = 2 * static_cast<std::size_t>(plans[l].out.channels);
  return norm_sums.data() + static_cast<std::size_t>(n) * width;
}

float* Trunk::State::cleared_sums(std::size_t l, int n) {
  float* sums = image_sums(l, n);
  std::fill_n(sums, 2 * plans[l].out.channels, 0.0F);
  return sums;
}

std::vector<double> Trunk::State::add_sums(std::size_t l, int count,
                                           const std::vector<std::uint8_t>& rows) {
  std::vector<double> total(2 * static_cast<std::size_t>(plans[l].out.channels), 0.0);
  for (int n = 0; n < count; ++n) {
    if (!rows.empty() && rows[static_cast<std::size_t>(n)] == 0) continue;
    const float* image = image_sums(l, n);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += static_cast<double>(image[i]);
  }
  return total;
}

int Trunk::State::tile_places(const LayerPlan& plan) {
  const int weights = plan.in.channels * plan.out.channels;
  return std::clamp(weights / 512, 1, 8);
}

Ahead Trunk::State::forward_ahead(const TrunkTape& tape, std::size_t l, int n) const {
  Ahead ahead;
  if (n < 0 || l == 0) return ahead;
  const std::size_t bytes = values(plans[l - 1].out) * element_size;
  ahead.from[0] = tape.y(l - 1, n);
  ahead.bytes[0] = bytes;
  if (l % 2 == 1 && l > 1 && plans[l - 2].stride == 1) {  // the residual of the block before
    ahead.from[1] = tape.z(l / 2 - 1, n);
    ahead.bytes[1] = bytes;
  }
  return ahead;
}

Ahead Trunk::State::backward_ahead(const TrunkTape& tape, std::size_t l, int n) const {
  Ahead ahead;
  if (n < 0 || l == 0) return ahead;
  const bool first = l % 2 == 1;
  const std::size_t bytes = values(plans[l].out) * element_size;
  ahead.from[0] = first ? tape.y(l + 1, n) : tape.z(l / 2, n);
  ahead.from[1] = tape.y(l, n);
  ahead.from[2] = first ? tape.z(l / 2, n) : tape.y(l - 1, n);
  ahead.bytes[0] = ahead.bytes[1] = bytes;
  ahead.bytes[2] = values(plans[l].in) * element_size;
  return ahead;
}

std::unique_ptr<TrunkScratch> Trunk::State::borrow() {
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      auto scratch = std::move(idle.back());
      idle.pop_back();
      return scratch;
    }
  }
  auto scratch = std::make_unique<TrunkScratch>();
  // The borders of maps stay 0 for good: nothing writes there. Tiles read a little beyond the end.
  constexpr std::size_t kBeyond = 64;
  scratch->stem = zeroed(map_floats(plans[0].in) + kBeyond);
  for (const MapSize& size : levels) {
    for (auto& maps : scratch->maps) maps.push_back(zeroed(map_floats(size) + kBeyond));
  }
  std::size_t x = 1;
  std::size_t dy = 1;
  std::size_t points = 1;
  for (std::size_t l = 0; l < plans.size(); ++l) {
    const LayerPlan& plan = plans[l];
    if (winograd(l)) {
      const auto& [height, width, channels] = plan.out;
      points = std::max(points, winograd_floats(height, width, channels));
    }
    if (passes.arithmetic == Arithmetic::bf16_pairs) {
      x = std::max(x, map_floats(plan.in));
      dy = std::max(dy, map_floats(plan.out));
    } else if (passes.arithmetic == Arithmetic::bf16_tiles) {
      const auto places = static_cast<std::size_t>(tile_places(plan));
      x = std::max(x, places * tile_x_floats(plan.in, plan.stride));
      dy = std::max(dy, places * tile_dy_floats(plan.out));
    }
  }
  scratch->pairs_x = zeroed(x);
  scratch->pairs_dy = zeroed(dy);
  scratch->points = AlignedBuffer(points * sizeof(float));
  scratch->rows = AlignedBuffer(row_floats(shape.width) * sizeof(float));
  scratch->shortcut = AlignedBuffer(values(levels.front()) * sizeof(float));
  return scratch;
}

void Trunk::State::give_back(std::unique_ptr<TrunkScratch> scratch) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(scratch));
}

}  // namespace smcl::kernels
