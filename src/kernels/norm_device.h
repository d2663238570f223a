#pragma once

#include <cstddef>
#include <cstdint>

#include "core/host_device.h"
#include "kernels/block.h"
#include "kernels/norm_channel.h"
#include "kernels/norm_jobs.h"
#include "kernels/norm_vectors.h"

/// The arithmetic of batch_norm.h on a GPU: what one block of threads does. Sums do not depend on
/// the device, for rows are dealt to blocks and threads by the shape alone and added in a fixed
/// order.
namespace smcl::kernels {

/// How rows are dealt out: a thread has `Vector::kWidth` channels of every `slots`-th row of its
/// block's share.
struct NormGrid {
  int groups = 1;  ///< threads of a row
  int slots = 1;   ///< rows at a time, a power of two
  int blocks = 1;
  std::size_t rows_of_block = 0;
};

SMCL_HD inline NormGrid norm_grid(const NormShape& shape) {
  NormGrid grid;
  const int width = shape.element == Element::fp32 ? 4 : 8;
  grid.groups = static_cast<int>(shape.channels) / width;
  while (2 * grid.slots * grid.groups <= kNormThreads) grid.slots *= 2;
  const auto slots = static_cast<std::size_t>(grid.slots);
  const std::size_t turns = (shape.rows + slots - 1) / slots;
  const std::size_t turns_of_block = (turns + kNormBlocks - 1) / kNormBlocks;
  grid.rows_of_block = turns_of_block * slots;
  grid.blocks = static_cast<int>((turns + turns_of_block - 1) / turns_of_block);
  return grid;
}

/// Bytes of shared memory of a block that sums.
SMCL_HD inline std::size_t norm_shared_bytes() {
  return static_cast<std::size_t>(kNormThreads) * 8 * 2 * sizeof(float);
}

/// The gradient of relu's argument at vector `index`, which is group `group` of row `row`.
template <Element E>
SMCL_HD Vector<E> norm_incoming(const NormIncoming& in, const void* y, std::size_t row, int group,
                                int groups) {
  const std::size_t index =
      row * static_cast<std::size_t>(groups) + static_cast<std::size_t>(group);
  Vector<E> g;
  if (in.pooled != nullptr) {
    const float share = 1.0F / static_cast<float>(in.rows_of_image);
    const float* pooled = in.pooled + (row / in.rows_of_image * static_cast<std::size_t>(groups) +
                                       static_cast<std::size_t>(group)) *
                                          Vector<E>::kWidth;
    SMCL_UNROLL
    for (int i = 0; i < Vector<E>::kWidth; ++i) g.at[i] = pooled[i] * share;
  } else {
    g = Vector<E>::load(in.dy, index);
  }
  if (in.other != nullptr) {
    const Vector<E> other = Vector<E>::load(in.other, index);
    SMCL_UNROLL
    for (int i = 0; i < Vector<E>::kWidth; ++i) g.at[i] += other.at[i];
  }
  const Vector<E> shown = Vector<E>::load(y, index);
  SMCL_UNROLL
  for (int i = 0; i < Vector<E>::kWidth; ++i) g.at[i] = shown.at[i] > 0.0F ? g.at[i] : 0.0F;
  return g;
}

/// Whether this block of a launch is the last to come here. What all blocks wrote before is then
/// visible to it. `flag` lies in the block's shared memory.
SMCL_HD inline bool last_block(const Block& block, int blocks, std::uint32_t* ticket,
                               std::uint32_t* flag) {
  block.step([&](int thread) {
    if (thread != 0) return;
#ifdef __CUDA_ARCH__
    __threadfence();
    const std::uint32_t before = atomicAdd(ticket, 1U);
    __threadfence();
#else
    const std::uint32_t before = (*ticket)++;
#endif
    *flag = before + 1 == static_cast<std::uint32_t>(blocks) ? 1U : 0U;
    if (*flag != 0) *ticket = 0;
  });
  return *flag != 0;
}

/// Reads what another block of the same launch wrote.
SMCL_HD inline float fresh(const float* value) {
#ifdef __CUDA_ARCH__
  return __ldcg(value);
#else
  return *value;
#endif
}

/// Adds over the rows of a block, and in the last block over the blocks: add_row(row, group, first,
/// second) adds a row's share to the two sums of each channel of the group; end(channel, first,
/// second) gets the totals in double. `shared`: norm_shared_bytes().
template <Element E, class AddRow, class End>
SMCL_HD void norm_sums(const NormShape& shape, const NormWorkspace& workspace, const Block& block,
                       int number, float* shared, const AddRow& add_row, const End& end) {
  constexpr int kWidth = Vector<E>::kWidth;
  const NormGrid grid = norm_grid(shape);
  const auto channels = static_cast<int>(shape.channels);
  const std::size_t begin = static_cast<std::size_t>(number) * grid.rows_of_block;
  const std::size_t stop =
      begin + grid.rows_of_block < shape.rows ? begin + grid.rows_of_block : shape.rows;
  // [slots][2][channels]
  block.step([&](int thread) {
    const int slot = thread / grid.groups;
    const int group = thread % grid.groups;
    if (slot >= grid.slots) return;
    Vector<E> first{};
    Vector<E> second{};
    for (std::size_t row = begin + static_cast<std::size_t>(slot); row < stop;
         row += static_cast<std::size_t>(grid.slots)) {
      add_row(row, group, first, second);
    }
    float* place = shared + 2 * slot * channels + group * kWidth;
    SMCL_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      place[i] = first.at[i];
      place[channels + i] = second.at[i];
    }
  });
  for (int half = grid.slots / 2; half > 0; half /= 2) {
    block.step([&](int thread) {
      for (int i = thread; i < 2 * half * channels; i += block.threads()) {
        shared[i] += shared[i + 2 * half * channels];
      }
    });
  }
  block.step([&](int thread) {
    for (int i = thread; i < 2 * channels; i += block.threads()) {
      workspace.partial[2 * number * channels + i] = shared[i];
    }
  });
  auto* flag = reinterpret_cast<std::uint32_t*>(shared);
  if (!last_block(block, grid.blocks, workspace.ticket, flag)) return;
  // Each sum by `parts` threads, every parts-th block each, then by one.
  auto* sums = reinterpret_cast<double*>(shared);
  int parts = 1;
  while (2 * parts * 2 * channels <= block.threads()) parts *= 2;
  block.step([&](int) {});  // everybody has read the flag
  block.step([&](int thread) {
    for (int i = thread; i < parts * 2 * channels; i += block.threads()) {
      double sum = 0.0;
      for (int b = i / (2 * channels); b < grid.blocks; b += parts) {
        sum +=
            static_cast<double>(fresh(workspace.partial + 2 * b * channels + i % (2 * channels)));
      }
      sums[i] = sum;
    }
  });
  block.step([&](int thread) {
    for (int c = thread; c < channels; c += block.threads()) {
      double first = 0.0;
      double second = 0.0;
      for (int part = 0; part < parts; ++part) {
        first += sums[2 * part * channels + c];
        second += sums[(2 * part + 1) * channels + c];
      }
      end(c, first, second);
    }
  });
}

SMCL_HD inline void norm_end_statistics(const NormStatisticsJob& job, int c, double offset,
                                        double square, float pivot) {
  const auto rows = static_cast<double>(job.shape.rows);
  const double middle = offset / rows;
  double variance = square / rows - middle * middle;
  variance = variance < 0.0 ? 0.0 : variance;
  // As on the CPU mean and variance are rounded to float before anything is made of them.
  const auto mean = static_cast<float>(static_cast<double>(pivot) + middle);
  const auto biased = static_cast<float>(variance);
  if (job.scale != nullptr) {
    const float inverse = norm_channel_inverse(static_cast<double>(biased), job.epsilon);
    const ScaleShift made = norm_channel_forward(job.weight[c], job.bias[c], mean, inverse);
    job.mean[c] = mean;
    job.inverse[c] = inverse;
    job.scale[c] = made.scale;
    job.shift[c] = made.shift;
  }
  if (job.running_mean == nullptr) return;
  norm_channel_move(static_cast<double>(mean), static_cast<double>(biased), rows, job.momentum,
                    job.running_mean[c], job.running_var[c]);
}

template <Element E>
SMCL_HD void norm_statistics_block(const NormStatisticsJob& job, const Block& block, int number,
                                   float* shared) {
  const int groups = norm_grid(job.shape).groups;
  norm_sums<E>(
      job.shape, job.workspace, block, number, shared,
      [&](std::size_t row, int group, Vector<E>& sum, Vector<E>& square) {
        const auto place = static_cast<std::size_t>(group);
        const Vector<E> pivot = Vector<E>::load(job.x, place);
        const Vector<E> x = Vector<E>::load(job.x, row * static_cast<std::size_t>(groups) + place);
        SMCL_UNROLL
        for (int i = 0; i < Vector<E>::kWidth; ++i) {
          const float offset = x.at[i] - pivot.at[i];
          sum.at[i] += offset;
          square.at[i] += offset * offset;
        }
      },
      [&](int c, double offset, double square) {
        const Vector<E> pivot =
            Vector<E>::load(job.x, static_cast<std::size_t>(c / Vector<E>::kWidth));
        norm_end_statistics(job, c, offset, square, pivot.at[c % Vector<E>::kWidth]);
      });
}

template <Element E>
SMCL_HD void norm_backward_sums_block(const NormBackwardSumsJob& job, const Block& block,
                                      int number, float* shared) {
  constexpr int kWidth = Vector<E>::kWidth;
  const int groups = norm_grid(job.shape).groups;
  norm_sums<E>(
      job.shape, job.workspace, block, number, shared,
      [&](std::size_t row, int group, Vector<E>& sum, Vector<E>& dot) {
        const Vector<E> g = norm_incoming<E>(job.in, job.y, row, group, groups);
        const Vector<E> x = Vector<E>::load(
            job.x, row * static_cast<std::size_t>(groups) + static_cast<std::size_t>(group));
        SMCL_UNROLL
        for (int i = 0; i < kWidth; ++i) {
          sum.at[i] += g.at[i];
          dot.at[i] += g.at[i] * (x.at[i] - job.mean[group * kWidth + i]);
        }
      },
      [&](int c, double total, double product) {
        const auto sum = static_cast<float>(total);
        const auto dot = static_cast<float>(product * static_cast<double>(job.inverse[c]));
        job.bias_gradient[c] = sum;
        job.weight_gradient[c] = dot;
        const BackwardFactors made =
            norm_channel_backward(job.weight[c], job.mean[c], job.inverse[c], sum, dot,
                                  static_cast<double>(job.shape.rows));
        float* factors = job.factors + c;
        factors[0] = made.a;
        factors[job.shape.channels] = made.b;
        factors[2 * job.shape.channels] = made.c;
      });
}

/// Number of vectors of an activation.
SMCL_HD inline std::size_t norm_vectors(const NormShape& shape) {
  return shape.rows * shape.channels / (shape.element == Element::fp32 ? 4 : 8);
}

/// Of one channel, where the job has running statistics.
SMCL_HD inline ScaleShift norm_running(const NormApplyJob& job, std::size_t c) {
  return norm_channel_forward(
      job.weight[c], job.bias[c], job.running_mean[c],
      norm_channel_inverse(static_cast<double>(job.running_var[c]), job.epsilon));
}

template <Element E>
SMCL_HD void norm_apply_vector(const NormApplyJob& job, std::size_t index) {
  constexpr int kWidth = Vector<E>::kWidth;
  const auto groups = job.shape.channels / kWidth;
  const std::size_t channel = index % groups * kWidth;
  Vector<E> v = Vector<E>::load(job.x, index);
  SMCL_UNROLL
  for (int i = 0; i < kWidth; ++i) {
    const std::size_t c = channel + static_cast<std::size_t>(i);
    ScaleShift by;
    if (job.running) {
      by = norm_running(job, c);
    } else {
      by = {job.scale[c], job.shift[c]};
    }
    v.at[i] = v.at[i] * by.scale + by.shift;
  }
  if (job.residual != nullptr) {
    const Vector<E> residual = Vector<E>::load(job.residual, index);
    SMCL_UNROLL
    for (int i = 0; i < kWidth; ++i) v.at[i] += residual.at[i];
  }
  SMCL_UNROLL
  for (int i = 0; i < kWidth; ++i) v.at[i] = v.at[i] < 0.0F ? 0.0F : v.at[i];  // NaN stays
  v.store(job.y, index);
}

template <Element E>
SMCL_HD void norm_backward_vector(const NormBackwardApplyJob& job, std::size_t index) {
  constexpr int kWidth = Vector<E>::kWidth;
  const auto groups = job.shape.channels / kWidth;
  const std::size_t row = index / groups;
  const auto group = static_cast<int>(index % groups);
  const Vector<E> g = norm_incoming<E>(job.in, job.y, row, group, static_cast<int>(groups));
  Vector<E> v = Vector<E>::load(job.x, index);
  const float* a = job.factors + group * kWidth;
  const float* b = a + job.shape.channels;
  const float* c = b + job.shape.channels;
  SMCL_UNROLL
  for (int i = 0; i < kWidth; ++i) v.at[i] = a[i] * g.at[i] + b[i] * v.at[i] + c[i];
  if (job.masked != nullptr) g.store(job.masked, index);
  v.store(job.dx, index);
}

}  // namespace smcl::kernels
