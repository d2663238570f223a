#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/random.h"
#include "data/scenes.h"

namespace smcl::data {

inline constexpr int kItemSize = 28;

/// Smallest and largest side of an object in pixels, inclusive.
struct SideRange {
  int smallest = 11;
  int largest = 18;
};

/// An object at its place: opacity and light of each pixel of the scene, and its tint.
struct Sprite {
  std::array<std::uint8_t, kSceneSize * kSceneSize> alpha{};  ///< 255 hides the background
  std::array<std::uint8_t, kSceneSize * kSceneSize> light{};  ///< of the tint, times opacity
  std::array<std::uint8_t, 3> tint{};

  bool on_object(std::size_t pixel) const { return alpha[pixel] >= 128; }
  std::vector<std::uint8_t> mask() const;  ///< 1 on the object
  std::optional<Box> box() const;          ///< tight around the mask; empty mask: no value
};

/// Draws side, place and tint from `stream` and shrinks the 28 x 28 grey levels of `item` to the
/// side by exact area averaging.
Sprite make_sprite(std::span<const std::uint8_t> item, const SideRange& sides,
                   RandomStream& stream);

/// Writes the 32 x 32 RGB bytes of a background of `kind` (its texture drawn from `stream`,
/// times `amplitude` / 65536), with `sprite` over it unless null.
void render_scene(int kind, RandomStream& stream, int amplitude, const Sprite* sprite,
                  std::uint8_t* pixels);

}  // namespace smcl::data
