#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/batch_job.h"
#include "kernels/image_fill.h"
#include "kernels/image_map.h"
#include "kernels/norm_vectors.h"

/// A batch by blocks of threads, one image a block at a time: from bytes and tasks to what
/// batch::Executor makes of the same plan, without a pass of its own for any stage.
namespace smcl::kernels {

/// A mask in its place, as batch::Placed.
struct PlacedMask {
  Point centre;
  Box box;
  double lambda = 1.0;
  double contrast_lambda = 1.0;
};

/// The task's box around `centre`, as batch::mask_box.
SMCL_HD inline Box box_around(Point centre, const ImageTask& task, const BatchRules& rules) {
  Box box{centre.y - task.half_height, centre.x - task.half_width, centre.y + task.half_height,
          centre.x + task.half_width};
  if (rules.border == plan::Border::shift) {
    box = shifted(box, clamped(box.y0, 0, rules.height - rows(box)) - box.y0,
                  clamped(box.x0, 0, rules.width - columns(box)) - box.x0);
  }
  return common(box, {0, 0, rules.height, rules.width});
}

/// lambda by area.
SMCL_HD inline double share_left(const Box& box, const BatchRules& rules) {
  const int area = rows(box) * columns(box);
  return 1.0 - static_cast<double>(area) / (static_cast<double>(rules.height) * rules.width);
}

/// lambda by the share of the map's sum outside the box, for a map that is not all zero.
SMCL_HD inline double share_outside(const Block& block, const BlockMemory& memory,
                                    const MapPart& map, const Sight& sight, const Box& box) {
  const Box hidden = common(box, sight.shown);
  if (is_empty(hidden)) return 1.0;
  const int height = rows(sight.part);
  const int width = columns(sight.part);
  Box local = shifted(hidden, -sight.shown.y0, -sight.shown.x0);
  if (sight.mirrored) local = mirrored(local, width);
  block.step([&](int thread) {
    std::uint32_t all = 0;
    std::uint32_t inside = 0;
    block.share(thread, height, width, [&](int y, int x) {
      const std::uint32_t value = map.at(y, x);
      all += value;
      if (holds(local, y, x)) inside += value;
    });
    add(&memory.totals->all, all);
    add(&memory.totals->inside, inside);
  });
  return 1.0 - static_cast<double>(memory.totals->inside) / static_cast<double>(memory.totals->all);
}

/// Where the mask is centred; `peak` is where a saliency mask would be.
SMCL_HD inline Point centre_of(const BatchRules& rules, const ImageTask& task, const Box& visible,
                               Point peak) {
  switch (rules.kind) {
    case plan::MaskKind::saliency:
      return peak;
    case plan::MaskKind::centre:
      return {visible.y0 + rows(visible) / 2, visible.x0 + columns(visible) / 2};
    case plan::MaskKind::random:
    case plan::MaskKind::none:
    case plan::MaskKind::oracle:
      break;
  }
  return {visible.y0 + scaled_draw(task.place_y, rows(visible)),
          visible.x0 + scaled_draw(task.place_x, columns(visible))};
}

/// Finds the place of a mask as batch::Placement does.
SMCL_HD inline PlacedMask place(const Block& block, const BlockMemory& memory,
                                const BatchRules& rules, const ImageTask& task,
                                const Picture& augmented) {
  const Sight sight = sight_of(augmented, rules.on);
  MapPart map;
  Point peak;
  std::uint32_t best = 0;
  if (rules.map != Map::none) {
    map = find_peak(block, memory, rules.map, task, sight);
    best = memory.totals->best;
    const int width = columns(sight.part);
    const auto at = static_cast<int>(key_place(best));
    const int x = sight.mirrored ? width - 1 - at % width : at % width;
    peak = {sight.shown.y0 + at / width, sight.shown.x0 + x};
  }
  PlacedMask placed;
  if (rules.kind == plan::MaskKind::oracle) {
    if (task.object_placed) {
      placed.box = task.object;
    } else if (!is_empty(task.object)) {
      placed.box = augmented.placed(task.object);
    }
    placed.centre = {(placed.box.y0 + placed.box.y1) / 2, (placed.box.x0 + placed.box.x1) / 2};
  } else {
    placed.centre = centre_of(rules, task, augmented.visible(), peak);
    placed.box = box_around(placed.centre, task, rules);
  }
  if (!is_empty(placed.box)) {
    placed.contrast_lambda = share_left(placed.box, rules);
    placed.lambda = placed.contrast_lambda;
    if (rules.rule == plan::LambdaRule::constant) placed.lambda = rules.constant;
    if (rules.rule == plan::LambdaRule::removed_saliency && key_value(best) > 0) {
      placed.lambda = share_outside(block, memory, map, sight, placed.box);
    }
  }
  if (rules.kind == plan::MaskKind::none) placed.box = Box{};
  return placed;
}

/// Finds the place of a partner's box, or how blended images share the label.
SMCL_HD inline PlacedMask place_mix(const Block& block, const BlockMemory& memory,
                                    const BatchRules& rules, const ImageTask& task,
                                    const Picture& partner) {
  if (rules.mix == plan::MixKind::paste_peak) return place(block, memory, rules, task, partner);
  PlacedMask placed;
  if (rules.mix == plan::MixKind::blend) {
    placed.lambda = task.own;
    placed.contrast_lambda = task.own;
    return placed;
  }
  placed.centre = {scaled_draw(task.place_y, rules.height), scaled_draw(task.place_x, rules.width)};
  placed.box = box_around(placed.centre, task, rules);
  placed.contrast_lambda = share_left(placed.box, rules);
  placed.lambda = placed.contrast_lambda;
  return placed;
}

/// The normalised values of one image: `first` of an output in one precision.
struct ValueWriter {
  const std::byte* table;
  std::byte* first;
  bool bf16;
  bool float_table;

  SMCL_HD float value(int byte, int channel) const {
    return reinterpret_cast<const float*>(table)[3 * byte + channel];
  }
  SMCL_HD void put_float(std::size_t index, float value) const {
    if (bf16) {
      reinterpret_cast<std::uint16_t*>(first)[index] = static_cast<std::uint16_t>(bf16_of(value));
    } else {
      reinterpret_cast<float*>(first)[index] = value;
    }
  }
  SMCL_HD void put(std::size_t index, int byte, int channel) const {
    if (float_table) {
      put_float(index, value(byte, channel));
    } else {
      reinterpret_cast<std::uint16_t*>(first)[index] =
          reinterpret_cast<const std::uint16_t*>(table)[3 * byte + channel];
    }
  }
  SMCL_HD void put_blend(std::size_t index, int byte, int other, float keep, int channel) const {
    put_float(index, keep * value(byte, channel) + (1.0F - keep) * value(other, channel));
  }
  SMCL_HD void put_zero(std::size_t index) const {
    if (bf16) {
      reinterpret_cast<std::uint16_t*>(first)[index] = 0;
    } else {
      reinterpret_cast<float*>(first)[index] = 0.0F;
    }
  }
};

/// The bytes of a masked image, byte by byte.
struct Filled {
  Picture augmented;
  Picture other;                ///< fill = other
  const std::uint8_t* blurred;  ///< fill = blur: the visible part, rows without gaps
  Box visible;
  Box box;
  plan::Fill fill;
  std::uint64_t noise;

  SMCL_HD static int byte_of(const Picture& picture, int y, int x, int channel) {
    const std::uint8_t* pixel = picture.at(y, x);
    return pixel == nullptr ? 0 : pixel[channel];
  }
  SMCL_HD int at(int y, int x, int channel) const {
    if (holds(box, y, x)) {
      if (fill == plan::Fill::noise) {
        const auto number = static_cast<std::uint32_t>(y * augmented.width + x);
        return static_cast<int>((noise_word(noise, number) >> (8 * channel)) & 0xFFU);
      }
      if (fill == plan::Fill::other) return byte_of(other, y, x, channel);
      if (fill == plan::Fill::blur && holds(visible, y, x)) {
        const std::ptrdiff_t at =
            static_cast<std::ptrdiff_t>(y - visible.y0) * columns(visible) + (x - visible.x0);
        return blurred[3 * at + channel];
      }
    }
    return byte_of(augmented, y, x, channel);
  }
};

SMCL_HD inline Picture picture(const BatchJob& job, std::uint32_t sample, int down, int right,
                               bool flip) {
  const std::size_t bytes =
      static_cast<std::size_t>(job.rules.height) * static_cast<std::size_t>(job.rules.width) * 3;
  return {
      job.set.pixels + sample * bytes, job.rules.height, job.rules.width, down, right, flip, false};
}

SMCL_HD inline Picture picture_of(const BatchJob& job, const ImageTask& task) {
  return picture(job, task.sample, task.down, task.right, task.flip);
}

/// The image that fills, or the partner.
SMCL_HD inline Picture other_of(const BatchJob& job, const ImageTask& task) {
  return picture(job, task.other, task.other_down, task.other_right, task.other_flip);
}

/// Where image `i` of image block `block` goes; blocks follow one another.
SMCL_HD inline ValueWriter writer_of(const BatchJob& job, int block, int i) {
  const std::size_t values =
      static_cast<std::size_t>(job.rules.height) * static_cast<std::size_t>(job.rules.width) * 3;
  const std::size_t number =
      static_cast<std::size_t>(block) * static_cast<std::size_t>(job.shape.count) +
      static_cast<std::size_t>(i);
  return {job.table, job.out.pixels + number * values * (job.rules.bf16 ? 2 : 4), job.rules.bf16,
          job.rules.float_table()};
}

/// Ordinary image `i` of the step; `record` of the job.
SMCL_HD inline void make_ordinary(const BatchJob& job, const Block& block,
                                  const BlockMemory& memory, AlterMemory alter_memory,
                                  std::int64_t record, int i) {
  const BatchRules& rules = job.rules;
  const ImageTask& task = job.images[record];
  const bool mixed = task.cover == Cover::mix;
  Picture augmented = picture_of(job, task);
  Picture other = other_of(job, task);
  if (job.image_alterations != nullptr) {
    augmented = altered(block, augmented, job.image_alterations[record], alter_memory);
  }
  const Alteration* const of_other = mixed ? job.other_alterations : job.image_alterations;
  if (of_other != nullptr && (mixed || rules.fill == plan::Fill::other)) {
    AlterMemory for_other = alter_memory.for_other();
    other = altered(block, other, of_other[record], for_other);
  }
  const bool blended = mixed && rules.mix == plan::MixKind::blend;
  const plan::Fill fill = mixed ? plan::Fill::other : rules.fill;
  PlacedMask placed;
  if (mixed) {
    placed = place_mix(block, memory, rules, task, other);
  } else if (task.cover != Cover::none) {
    placed = place(block, memory, rules, task, augmented);
  }
  auto* const blurred = reinterpret_cast<std::uint8_t*>(memory.sums);
  if (fill == plan::Fill::blur && !is_empty(placed.box)) {
    blur_visible(block, augmented, blurred,
                 blurred + static_cast<std::ptrdiff_t>(rules.height) * rules.width * 3);
  }
  const Filled filled{augmented, other, blurred, augmented.visible(), placed.box, fill, task.noise};
  const ValueWriter first = writer_of(job, 0, i);
  const ValueWriter plain = writer_of(job, 1, i);
  const bool counts = (mixed || task.cover == Cover::mask) && placed.contrast_lambda < 1.0;
  block.step([&](int thread) {
    block.share(thread, rules.height, 3 * rules.width, [&](int y, int value) {
      const int x = value / 3;
      const int channel = value % 3;
      const std::size_t index =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(3 * rules.width) +
          static_cast<std::size_t>(value);
      if (blended) {
        first.put_blend(index, Filled::byte_of(augmented, y, x, channel),
                        Filled::byte_of(other, y, x, channel), task.keep, channel);
      } else if (fill == plan::Fill::mean && holds(placed.box, y, x)) {
        first.put_zero(index);
      } else {
        first.put(index, filled.at(y, x, channel), channel);
      }
      if (job.shape.has_plain) {
        plain.put(index, Filled::byte_of(augmented, y, x, channel), channel);
      }
    });
    if (thread == 0) {
      job.out.labels[i] = job.set.labels[task.sample];
      job.out.target_labels[i] = task.target_label;
      job.out.samples[i] = task.sample;
      job.out.is_masked[i] = counts ? 1 : 0;
      job.out.lambda[i] = counts ? static_cast<float>(placed.lambda) : 1.0F;
      job.out.contrast_lambda[i] = counts ? static_cast<float>(placed.contrast_lambda) : 1.0F;
      job.out.peaks[i] = placed.centre;
      job.out.boxes[i] = placed.box;
    }
  });
}

/// Image `i` of the target blocks; `record` of the job.
SMCL_HD inline void make_target(const BatchJob& job, const Block& block, AlterMemory alter_memory,
                                std::int64_t record, int i) {
  const ImageTask& task = job.targets[record];
  Picture augmented = picture_of(job, task);
  if (job.target_alterations != nullptr) {
    augmented = altered(block, augmented, job.target_alterations[record], alter_memory);
  }
  const ValueWriter out = writer_of(job, job.shape.blocks() - job.shape.target_blocks, i);
  block.step([&](int thread) {
    block.share(thread, job.rules.height, 3 * job.rules.width, [&](int y, int value) {
      const std::size_t index =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(3 * job.rules.width) +
          static_cast<std::size_t>(value);
      out.put(index, Filled::byte_of(augmented, y, value / 3, value % 3), value % 3);
    });
  });
}

/// Block `number` of `numbers`: every numbers-th image of the job, ordinary ones first. `shared`:
/// job.memory.shared() bytes of the block, aligned to 16.
SMCL_HD inline void make_images(const BatchJob& job, const Block& block, int number, int numbers,
                                std::byte* shared) {
  const int pixels = job.rules.height * job.rules.width;
  std::byte* const global = job.workspace + static_cast<std::size_t>(number) * job.memory.global();
  const BlockMemory memory = lay_out(job.memory, pixels, shared, global);
  const AlterMemory alter_memory = lay_out_alter(job.memory, pixels, global);
  const std::int64_t start = static_cast<std::int64_t>(*job.step) * job.stride;
  const std::int64_t first_target = static_cast<std::int64_t>(*job.step) * job.target_stride;
  for (int image = number; image < job.images_in_all(); image += numbers) {
    if (image < job.shape.count) {
      make_ordinary(job, block, memory, alter_memory, start + image, image);
    } else {
      const int i = image - job.shape.count;
      make_target(job, block, alter_memory, first_target + i, i);
    }
  }
}

}  // namespace smcl::kernels
