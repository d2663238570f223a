#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/random.h"
#include "data/scenes.h"

namespace smcl::data {

/// One value a pixel in [-127, 127], row after row.
using Texture = std::array<std::int8_t, kSceneSize * kSceneSize>;

/// Fills `texture` with the pattern of background kind `kind`. Phase, period, tilt and the like
/// are drawn from `stream`. Integer arithmetic and IEEE square roots only: the same bits anywhere.
void draw_texture(int kind, RandomStream& stream, Texture& texture);

/// The base colour of a kind (red, green, blue), and its pattern's name.
const std::array<std::uint8_t, 3>& scene_colour(int kind);
const std::string& scene_kind_name(int kind);

}  // namespace smcl::data
