#include "kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "kernels/batch_norm_dispatch.h"
#include "kernels/norm_channel.h"

namespace smcl::kernels {
namespace {

thread_local Isa chosen_isa = best_isa();

const NormLoops& loops_for(Element element) {
  switch (chosen_isa) {
    case Isa::scalar:
      return norm_loops_scalar(element);
    case Isa::avx2:
      return norm_loops_avx2(element);
    case Isa::avx512:
      return norm_loops_avx512(element);
    case Isa::avx512_bf16:
      return norm_loops_avx512bf16(element);
  }
  return norm_loops_scalar(element);
}

/// The rows of one block, and the pointers that go with them.
class Blocks {
 public:
  explicit Blocks(const NormShape& shape)
      : shape_(shape), rows_(norm_block_rows(std::max<std::size_t>(shape.channels, 1))) {
    if (shape.rows == 0 || shape.channels == 0) {
      throw InternalError(concat("batch norm of ", shape.rows, " rows of ", shape.channels,
                                 " channels; expected at least one of each"));
    }
  }

  std::size_t count() const { return (shape_.rows + rows_ - 1) / rows_; }
  std::size_t rows(std::size_t block) const { return std::min(rows_, shape_.rows - block * rows_); }
  const void* at(const void* data, std::size_t block) const {
    return data == nullptr ? nullptr : static_cast<const std::byte*>(data) + offset(block);
  }
  void* at(void* data, std::size_t block) const {
    return data == nullptr ? nullptr : static_cast<std::byte*>(data) + offset(block);
  }

  template <class Work>
  void run(const Parallel& parallel, const Work& work) const {
    const auto range = [&](std::size_t begin, std::size_t end) {
      for (std::size_t block = begin; block < end; ++block) work(block);
    };
    if (parallel) {
      parallel(count(), range);
    } else {
      range(0, count());
    }
  }

 private:
  std::size_t offset(std::size_t block) const {
    const std::size_t size =
        shape_.element == Element::fp32 ? sizeof(float) : sizeof(std::uint16_t);
    return block * rows_ * shape_.channels * size;
  }

  NormShape shape_;
  std::size_t rows_;
};

/// Adds [blocks][2][channels] floats over the blocks, in their order.
std::vector<double> add_blocks(const std::vector<float>& partial, std::size_t width) {
  std::vector<double> total(width, 0.0);
  for (std::size_t i = 0; i < partial.size(); i += width) {
    for (std::size_t c = 0; c < width; ++c) total[c] += static_cast<double>(partial[i + c]);
  }
  return total;
}

std::vector<float> first_row(const void* x, const NormShape& shape) {
  std::vector<float> row(shape.channels);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    row[c] =
        shape.element == Element::fp32
            ? static_cast<const float*>(x)[c]
            : __builtin_bit_cast(
                  float, static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(x)[c]) << 16);
  }
  return row;
}

}  // namespace

void norm_use_isa(Isa isa) {
  if (!cpu_supports(isa)) throw UsageError(concat("this CPU lacks ", name(isa)));
  chosen_isa = isa;
}

void norm_statistics(const void* x, const NormShape& shape, float* mean, float* variance,
                     const Parallel& parallel) {
  const Blocks blocks(shape);
  const NormLoops& loops = loops_for(shape.element);
  const std::size_t width = 2 * shape.channels;
  const std::vector<float> pivot = first_row(x, shape);
  std::vector<float> partial(blocks.count() * width);
  blocks.run(parallel, [&](std::size_t block) {
    loops.sums(blocks.at(x, block), pivot.data(), blocks.rows(block), shape.channels,
               partial.data() + block * width);
  });
  const std::vector<double> total = add_blocks(partial, width);
  const auto rows = static_cast<double>(shape.rows);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const double offset = total[c] / rows;
    const double square = total[shape.channels + c] / rows;
    const double spread = square - offset * offset;
    mean[c] = static_cast<float>(static_cast<double>(pivot[c]) + offset);
    variance[c] = static_cast<float>(spread < 0.0 ? 0.0 : spread);
  }
}

void norm_apply(const NormApply& op, const NormShape& shape, const Parallel& parallel) {
  const Blocks blocks(shape);
  const NormLoops& loops = loops_for(shape.element);
  blocks.run(parallel, [&](std::size_t block) {
    NormApply part = op;
    part.x = blocks.at(op.x, block);
    part.residual = blocks.at(op.residual, block);
    part.y = blocks.at(op.y, block);
    loops.apply(part, blocks.rows(block), shape.channels);
  });
}

void norm_backward_sums(const NormBackwardSums& op, const NormShape& shape,
                        const Parallel& parallel) {
  const Blocks blocks(shape);
  const NormLoops& loops = loops_for(shape.element);
  const std::size_t width = 2 * shape.channels;
  std::vector<float> partial(blocks.count() * width);
  blocks.run(parallel, [&](std::size_t block) {
    NormBackwardSums part = op;
    part.dy = blocks.at(op.dy, block);
    part.y = blocks.at(op.y, block);
    part.x = blocks.at(op.x, block);
    loops.backward_sums(part, blocks.rows(block), shape.channels, partial.data() + block * width);
  });
  const std::vector<double> total = add_blocks(partial, width);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    op.sum[c] = static_cast<float>(total[c]);
    op.dot[c] = static_cast<float>(total[shape.channels + c] * static_cast<double>(op.inverse[c]));
  }
}

void norm_backward_apply(const NormBackwardApply& op, const NormShape& shape,
                         const Parallel& parallel) {
  const Blocks blocks(shape);
  const NormLoops& loops = loops_for(shape.element);
  blocks.run(parallel, [&](std::size_t block) {
    NormBackwardApply part = op;
    part.dy = blocks.at(op.dy, block);
    part.y = blocks.at(op.y, block);
    part.x = blocks.at(op.x, block);
    part.dx = blocks.at(op.dx, block);
    part.masked = blocks.at(op.masked, block);
    loops.backward_apply(part, blocks.rows(block), shape.channels);
  });
}

float norm_inverse(double variance, double epsilon) {
  return norm_channel_inverse(variance, epsilon);
}

void norm_move_running(double mean, double variance, double rows, double momentum,
                       float& running_mean, float& running_var) {
  norm_channel_move(mean, variance, rows, momentum, running_mean, running_var);
}

void norm_forward_factors(const float* weight, const float* bias, const float* mean,
                          const float* inverse, std::size_t channels, float* scale, float* shift) {
  for (std::size_t c = 0; c < channels; ++c) {
    const ScaleShift made = norm_channel_forward(weight[c], bias[c], mean[c], inverse[c]);
    scale[c] = made.scale;
    shift[c] = made.shift;
  }
}

void norm_backward_factors(const float* weight, const float* mean, const float* inverse,
                           const float* sum, const float* dot, const NormShape& shape, float* a,
                           float* b, float* c0) {
  const auto rows = static_cast<double>(shape.rows);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const BackwardFactors made =
        norm_channel_backward(weight[c], mean[c], inverse[c], sum[c], dot[c], rows);
    a[c] = made.a;
    b[c] = made.b;
    c0[c] = made.c;
  }
}

}  // namespace smcl::kernels
