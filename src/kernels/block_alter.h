#pragma once

#include <cstddef>
#include <cstdint>

#include "image/pixel_math.h"
#include "kernels/block.h"
#include "kernels/picture.h"

/// Stronger augmentations by a block of threads, with the bits of smcl::Operator.
namespace smcl::kernels {

/// Policy, four of the jitter, grey, blur, cutout (plan::kMostOps).
inline constexpr int kMostAlterOps = 11;

/// What is done to an image beyond crop and flip; a record a host fills (plan::Treatment).
struct Alteration {
  bool resized = false;
  Box part;     ///< of the original, stretched to the whole
  Box visible;  ///< what shows the original in the end
  std::int32_t op_count = 0;
  PixelOp ops[kMostAlterOps];

  SMCL_HD bool plain() const { return !resized && op_count == 0; }
};

/// Working memory of a block: pictures of the image's size, and tables. Where two images are
/// altered, the first one's result stays in `first`, and `third` and `second` serve the other.
struct AlterMemory {
  std::uint8_t* first = nullptr;  ///< height * width * 3 bytes each
  std::uint8_t* second = nullptr;
  std::uint8_t* third = nullptr;
  std::uint32_t* counts = nullptr;  ///< 3 * 256
  std::uint8_t* table = nullptr;    ///< 3 * 256

  SMCL_HD AlterMemory for_other() const { return {third, second, nullptr, counts, table}; }

  SMCL_HD void swap() {
    std::uint8_t* const other = first;
    first = second;
    second = other;
  }
};

/// Makes every byte change(byte, place), place = 3 (y width + x) + channel.
template <class Change>
SMCL_HD inline void change_bytes(const Block& block, std::uint8_t* image, int bytes,
                                 const Change& change) {
  block.step([&](int thread) {
    for (int i = thread; i < bytes; i += block.threads()) {
      image[i] = static_cast<std::uint8_t>(change(image[i], i));
    }
  });
}

/// change(its three bytes) for every pixel.
template <class Change>
SMCL_HD inline void change_pixels(const Block& block, std::uint8_t* image, int pixels,
                                  const Change& change) {
  block.step([&](int thread) {
    for (int i = thread; i < pixels; i += block.threads()) {
      change(image + static_cast<std::ptrdiff_t>(3) * i);
    }
  });
}

SMCL_HD inline int grey_at(const std::uint8_t* pixel) {
  return grey_of(pixel[0], pixel[1], pixel[2]);
}

SMCL_HD inline void by_point(const Block& block, const PixelOp& op, int pixels,
                             const AlterMemory& memory) {
  int mean = 0;
  if (op.kind == OpKind::contrast) {
    block.step([&](int thread) {
      if (thread == 0) memory.counts[0] = 0;
    });
    block.step([&](int thread) {
      std::uint32_t sum = 0;
      for (int i = thread; i < pixels; i += block.threads()) {
        sum += static_cast<std::uint32_t>(grey_at(memory.first + std::ptrdiff_t{3} * i));
      }
      add(memory.counts, sum);
    });
    mean = mean_grey(memory.counts[0], pixels);
  }
  change_bytes(block, memory.first, 3 * pixels,
               [&](int value, int) { return point_value(op, value, mean); });
}

SMCL_HD inline void by_histogram(const Block& block, const PixelOp& op, int pixels,
                                 const AlterMemory& memory) {
  block.step([&](int thread) {
    for (int i = thread; i < 3 * 256; i += block.threads()) memory.counts[i] = 0;
  });
  block.step([&](int thread) {
    for (int i = thread; i < 3 * pixels; i += block.threads()) {
      count_one(memory.counts + 256 * (i % 3) + memory.first[i]);
    }
  });
  block.step([&](int thread) {
    if (thread >= 3) return;
    const std::uint32_t* histogram = memory.counts + static_cast<std::ptrdiff_t>(256) * thread;
    std::uint8_t* table = memory.table + static_cast<std::ptrdiff_t>(256) * thread;
    if (op.kind == OpKind::equalize) {
      equalize_table(histogram, table);
    } else {
      autocontrast_table(histogram, table);
    }
  });
  change_bytes(block, memory.first, 3 * pixels,
               [&](int value, int i) { return memory.table[256 * (i % 3) + value]; });
}

SMCL_HD inline void move_pixels(const Block& block, const PixelOp& op, int height, int width,
                                const AlterMemory& memory) {
  block.step([&](int thread) {
    block.share(thread, height, width, [&](int y, int x) {
      const int from_y = (op.y0 + y * op.yy + x * op.yx) >> 16;
      const int from_x = (op.x0 + y * op.xy + x * op.xx) >> 16;
      const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
      const std::ptrdiff_t from = 3 * (static_cast<std::ptrdiff_t>(from_y) * width + from_x);
      std::uint8_t* to = memory.second + 3 * (static_cast<std::ptrdiff_t>(y) * width + x);
      for (int c = 0; c < 3; ++c) to[c] = inside ? memory.first[from + c] : std::uint8_t{0};
    });
  });
}

SMCL_HD inline void sharpen(const Block& block, const PixelOp& op, int height, int width,
                            const AlterMemory& memory) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(3) * width;
  block.step([&](int thread) {
    block.share(thread, height, 3 * width, [&](int y, int i) {
      const std::uint8_t* in = memory.first + y * row + i;
      int value = in[0];
      if (y > 0 && y < height - 1 && i >= 3 && i < row - 3) {
        const int above = in[-row - 3] + in[-row] + in[-row + 3];
        const int below = in[row - 3] + in[row] + in[row + 3];
        value = blended(smoothed(above + below + in[-3] + in[3], value), value, op.factor);
      }
      memory.second[y * row + i] = static_cast<std::uint8_t>(value);
    });
  });
}

/// One pass of a blur along a line of `count` bytes that lie `step` bytes apart.
SMCL_HD inline void blur_line(const std::uint8_t* in, std::uint8_t* out, int count,
                              std::ptrdiff_t step, const PixelOp& op) {
  const int radius = op.value;
  const auto at = [&](int i) { return static_cast<std::uint32_t>(in[held(i, count) * step]); };
  std::uint32_t sum = 0;
  for (int i = -radius - 1; i < radius; ++i) sum += at(i);
  for (int i = 0; i < count; ++i) {
    sum += at(i + radius) - at(i - radius - 1);
    const std::uint32_t ends = at(i - radius - 1) + at(i + radius + 1);
    out[i * step] =
        static_cast<std::uint8_t>((sum * op.inner + ends * op.outer + (1U << 23)) >> 24);
  }
}

SMCL_HD inline void blur_pass(const Block& block, const PixelOp& op, int height, int width,
                              bool down, const AlterMemory& memory) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(3) * width;
  const int lines = down ? 3 * width : 3 * height;
  block.step([&](int thread) {
    for (int line = thread; line < lines; line += block.threads()) {
      const std::ptrdiff_t start = down ? line : (line / 3) * row + line % 3;
      blur_line(memory.first + start, memory.second + start, down ? height : width,
                down ? row : std::ptrdiff_t{3}, op);
    }
  });
}

/// Does `op` to memory.first, where the result lies too.
SMCL_HD inline void alter(const Block& block, const PixelOp& op, int height, int width,
                          AlterMemory& memory) {
  const int pixels = height * width;
  switch (op.kind) {
    case OpKind::affine:
      move_pixels(block, op, height, width, memory);
      memory.swap();
      break;
    case OpKind::sharpness:
      sharpen(block, op, height, width, memory);
      memory.swap();
      break;
    case OpKind::autocontrast:
    case OpKind::equalize:
      by_histogram(block, op, pixels, memory);
      break;
    case OpKind::saturation:
      change_pixels(block, memory.first, pixels, [&](std::uint8_t* pixel) {
        const int grey = grey_at(pixel);
        for (int c = 0; c < 3; ++c) {
          pixel[c] = static_cast<std::uint8_t>(blended(grey, pixel[c], op.factor));
        }
      });
      break;
    case OpKind::hue:
      change_pixels(block, memory.first, pixels,
                    [&](std::uint8_t* pixel) { turn_hue(pixel, op.value); });
      break;
    case OpKind::grey:
      change_pixels(block, memory.first, pixels, [&](std::uint8_t* pixel) {
        const auto grey = static_cast<std::uint8_t>(grey_at(pixel));
        for (int c = 0; c < 3; ++c) pixel[c] = grey;
      });
      break;
    case OpKind::blur:
      for (int pass = 0; pass < 6; ++pass) {
        blur_pass(block, op, height, width, pass >= 3, memory);
        memory.swap();
      }
      break;
    case OpKind::cutout:
      change_bytes(block, memory.first, 3 * pixels, [&](int value, int i) {
        return holds(op.box, i / 3 / width, i / 3 % width) ? 0 : value;
      });
      break;
    case OpKind::brightness:
    case OpKind::contrast:
    case OpKind::posterize:
    case OpKind::solarize:
    case OpKind::invert:
      by_point(block, op, pixels, memory);
      break;
  }
}

/// Writes `part` of the original, stretched over the whole, to memory.first.
SMCL_HD inline void stretch(const Block& block, const Picture& picture, const Box& part,
                            const AlterMemory& memory) {
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(3) * picture.width;
  const std::uint8_t* const source = picture.pixels + part.y0 * row + std::ptrdiff_t{3} * part.x0;
  block.step([&](int thread) {
    block.share(thread, rows(part), picture.width, [&](int y, int x) {
      const Stretch taps = stretch_at(x, columns(part), picture.width);
      const std::uint8_t* here = source + y * row + std::ptrdiff_t{3} * taps.first;
      const std::uint8_t* there =
          source + y * row + std::ptrdiff_t{3} * held(taps.first + 1, columns(part));
      const int to = picture.flip ? picture.width - 1 - x : x;
      for (int c = 0; c < 3; ++c) {
        memory.second[y * row + std::ptrdiff_t{3} * to + c] =
            static_cast<std::uint8_t>(taps.value(here[c], there[c]));
      }
    });
  });
  block.step([&](int thread) {
    block.share(thread, picture.height, 3 * picture.width, [&](int y, int i) {
      const Stretch taps = stretch_at(y, rows(part), picture.height);
      const int here = memory.second[taps.first * row + i];
      const int there = memory.second[held(taps.first + 1, rows(part)) * row + i];
      memory.first[y * row + i] = static_cast<std::uint8_t>(taps.value(here, there));
    });
  });
}

/// The picture after its alterations, whose bytes then lie in memory.first; as it is where there
/// are none.
SMCL_HD inline Picture altered(const Block& block, const Picture& picture,
                               const Alteration& alteration, AlterMemory& memory) {
  if (alteration.plain()) return picture;
  if (alteration.resized) {
    stretch(block, picture, alteration.part, memory);
  } else {
    block.step([&](int thread) {
      block.share(thread, picture.height, picture.width, [&](int y, int x) {
        const std::uint8_t* from = picture.at(y, x);
        std::uint8_t* to = memory.first + 3 * (static_cast<std::ptrdiff_t>(y) * picture.width + x);
        for (int c = 0; c < 3; ++c) to[c] = from == nullptr ? std::uint8_t{0} : from[c];
      });
    });
  }
  for (int i = 0; i < alteration.op_count; ++i) {
    alter(block, alteration.ops[i], picture.height, picture.width, memory);
  }
  Picture out = picture;
  out.made = memory.first;
  out.made_visible = alteration.visible;
  return out;
}

}  // namespace smcl::kernels
