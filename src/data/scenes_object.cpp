#include "data/scenes_object.h"

#include <algorithm>
#include <cstdlib>

#include "data/scenes_texture.h"

namespace smcl::data {
namespace {

constexpr int kPixels = kSceneSize * kSceneSize;

/// Grey levels of an item are its light, but cloth that happens to be dark is no hole: opacity
/// rises from 0 at level 6 to full at level 40.
int opacity(int level) {
  return std::clamp((level - 6) * 255 / 34, 0, 255);
}

/// Dark cloth keeps a third of its tint.
int light(int level) {
  return 85 + level * 170 / 255;
}

/// A soft colour of any hue: the tint of an object knows neither class nor kind.
std::array<std::uint8_t, 3> draw_tint(RandomStream& stream) {
  const int hue = static_cast<int>(stream.below(6 * 256));
  const int saturation = static_cast<int>(stream.below(150));
  const int value = 150 + static_cast<int>(stream.below(106));
  std::array<std::uint8_t, 3> tint{};
  for (int c = 0; c < 3; ++c) {
    // Distance around the wheel from the channel's own hue: 0 to 768.
    const int turn = (hue + 6 * 256 - c * 512) % (6 * 256);
    const int distance = std::min(turn, 6 * 256 - turn);
    const int missing = std::clamp(distance - 256, 0, 255);
    tint[static_cast<std::size_t>(c)] =
        static_cast<std::uint8_t>(value - value * saturation * missing / (255 * 255));
  }
  return tint;
}

/// Sums of opacity and of opacity x light over the part of the item under each of side x side
/// pixels. In units of 1/side of an item's pixel, pixel i covers [28 i, 28 (i + 1)) and an item's
/// pixel j covers [side j, side (j + 1)): all weights are integers and add up to 28 a direction.
struct Shrunk {
  std::array<std::uint32_t, kPixels> alpha{};
  std::array<std::uint32_t, kPixels> light{};
};

struct Overlap {
  int first = 0;
  int count = 0;
  std::array<std::uint32_t, kItemSize + 1> weight{};
};

std::array<Overlap, kSceneSize> overlaps(int side) {
  std::array<Overlap, kSceneSize> result{};
  for (int i = 0; i < side; ++i) {
    Overlap& overlap = result[static_cast<std::size_t>(i)];
    const int begin = kItemSize * i;
    const int end = begin + kItemSize;
    overlap.first = begin / side;
    for (int j = overlap.first; j < kItemSize && side * j < end; ++j) {
      overlap.weight[static_cast<std::size_t>(overlap.count++)] =
          static_cast<std::uint32_t>(std::min(end, side * (j + 1)) - std::max(begin, side * j));
    }
  }
  return result;
}

void shrink(std::span<const std::uint8_t> item, int side, Shrunk& out) {
  struct Levels {
    std::array<std::uint32_t, 256> alpha, light;
  };
  static const Levels levels = [] {
    Levels table{};
    for (int level = 0; level < 256; ++level) {
      const auto at = static_cast<std::size_t>(level);
      table.alpha[at] = static_cast<std::uint32_t>(opacity(level));
      table.light[at] = static_cast<std::uint32_t>(opacity(level) * light(level));
    }
    return table;
  }();
  const auto parts = overlaps(side);
  std::array<std::uint32_t, kItemSize * kSceneSize> row_alpha{};
  std::array<std::uint32_t, kItemSize * kSceneSize> row_light{};
  for (int y = 0; y < kItemSize; ++y) {
    for (int x = 0; x < side; ++x) {
      const Overlap& part = parts[static_cast<std::size_t>(x)];
      const auto to = static_cast<std::size_t>(y * kSceneSize + x);
      for (int k = 0; k < part.count; ++k) {
        const auto level = item[static_cast<std::size_t>(y * kItemSize + part.first + k)];
        const std::uint32_t weight = part.weight[static_cast<std::size_t>(k)];
        row_alpha[to] += weight * levels.alpha[level];
        row_light[to] += weight * levels.light[level];
      }
    }
  }
  for (int y = 0; y < side; ++y) {
    const Overlap& part = parts[static_cast<std::size_t>(y)];
    for (int k = 0; k < part.count; ++k) {
      const std::uint32_t weight = part.weight[static_cast<std::size_t>(k)];
      for (int x = 0; x < side; ++x) {
        const auto to = static_cast<std::size_t>(y * kSceneSize + x);
        const auto from = static_cast<std::size_t>((part.first + k) * kSceneSize + x);
        out.alpha[to] += weight * row_alpha[from];
        out.light[to] += weight * row_light[from];
      }
    }
  }
}

}  // namespace

std::vector<std::uint8_t> Sprite::mask() const {
  std::vector<std::uint8_t> result(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i) result[i] = on_object(i) ? 1 : 0;
  return result;
}

std::optional<Box> Sprite::box() const {
  Box box{kSceneSize, kSceneSize, 0, 0};
  for (int y = 0; y < kSceneSize; ++y) {
    for (int x = 0; x < kSceneSize; ++x) {
      if (!on_object(static_cast<std::size_t>(y * kSceneSize + x))) continue;
      box = {std::min(box.y0, y), std::min(box.x0, x), std::max(box.y1, y + 1),
             std::max(box.x1, x + 1)};
    }
  }
  if (box.y1 == 0) return std::nullopt;
  return box;
}

Sprite make_sprite(std::span<const std::uint8_t> item, const SideRange& sides,
                   RandomStream& stream) {
  const int side = sides.smallest + static_cast<int>(stream.below(static_cast<std::uint32_t>(
                                        sides.largest - sides.smallest + 1)));
  const auto room = static_cast<std::uint32_t>(kSceneSize - side + 1);
  const int y0 = static_cast<int>(stream.below(room));
  const int x0 = static_cast<int>(stream.below(room));
  Sprite sprite;
  sprite.tint = draw_tint(stream);
  Shrunk shrunk;
  shrink(item, side, shrunk);
  constexpr std::uint32_t kWeights = kItemSize * kItemSize;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const auto from = static_cast<std::size_t>(y * kSceneSize + x);
      const auto to = static_cast<std::size_t>((y0 + y) * kSceneSize + x0 + x);
      sprite.alpha[to] = static_cast<std::uint8_t>((shrunk.alpha[from] + kWeights / 2) / kWeights);
      // Rounded down, so that it never exceeds the opacity.
      sprite.light[to] = static_cast<std::uint8_t>(shrunk.light[from] / (kWeights * 255));
    }
  }
  return sprite;
}

void render_scene(int kind, RandomStream& stream, int amplitude, const Sprite* sprite,
                  std::uint8_t* pixels) {
  Texture texture;
  draw_texture(kind, stream, texture);
  const auto& colour = scene_colour(kind);
  for (std::size_t i = 0; i < kPixels; ++i) {
    const int offset = (texture[i] * amplitude + 32768) >> 16;
    const int alpha = sprite ? sprite->alpha[i] : 0;
    for (std::size_t c = 0; c < 3; ++c) {
      int value = std::clamp(colour[c] + offset, 0, 255);
      if (alpha != 0) {
        value = (value * (255 - alpha) + sprite->tint[c] * sprite->light[i] + 127) / 255;
      }
      *pixels++ = static_cast<std::uint8_t>(value);
    }
  }
}

}  // namespace smcl::data
