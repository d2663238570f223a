#include "data/scenes_texture.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace smcl::data {
namespace {

// Phases are in turns of 65536 and wrap with unsigned arithmetic; places within a cell of a
// pattern run from -128 to 127.
using Phase = std::uint32_t;

struct KindLook {
  std::string name;
  std::array<std::uint8_t, 3> colour;
};

// Hues that neighbour on the colour wheel go to patterns that look unlike.
const std::array<KindLook, kSceneKinds>& looks() {
  static const std::array<KindLook, kSceneKinds> table{{
      {"stripes_h", {176, 92, 84}},   {"stripes_v", {84, 138, 176}},
      {"diagonal_up", {98, 150, 92}}, {"diagonal_down", {168, 142, 70}},
      {"checks", {122, 92, 162}},     {"diamonds", {92, 164, 150}},
      {"grid", {190, 158, 132}},      {"plaid", {74, 88, 140}},
      {"dots", {180, 110, 152}},      {"dots_staggered", {142, 168, 104}},
      {"rings", {106, 74, 66}},       {"squares", {158, 176, 194}},
      {"rays", {198, 136, 72}},       {"bricks", {64, 104, 98}},
      {"zigzag_h", {138, 116, 96}},   {"zigzag_v", {150, 134, 192}},
      {"waves_h", {70, 150, 186}},    {"waves_v", {188, 182, 122}},
      {"crosses", {112, 62, 100}},    {"triangles", {124, 126, 62}},
      {"blobs", {60, 116, 66}},       {"mosaic", {116, 132, 148}},
      {"noise", {192, 172, 176}},     {"gradient", {88, 70, 128}},
  }};
  return table;
}

int clamp_value(int value) {
  return std::clamp(value, -127, 127);
}

/// 0 at the start of a turn, 32767 in its middle, back to 0.
int fold(Phase phase) {
  const int p = static_cast<int>(phase & 0xffffU);
  return p < 32768 ? p : 65535 - p;
}

int triangle(Phase phase) {
  return ((fold(phase) * 255) >> 15) - 127;
}

/// Like a sine: 3q^2 - 2q^3 of the triangle.
int wave(Phase phase) {
  const std::int64_t q = fold(phase);
  const std::int64_t s = (((q * q) >> 15) * (3 * 32768 - 2 * q)) >> 15;
  return static_cast<int>((s * 255) >> 15) - 127;
}

/// Two levels with edges about a pixel wide.
int square(Phase phase) {
  return clamp_value(triangle(phase) * 4);
}

/// High on a fifth of the turn, low elsewhere.
int line(Phase phase) {
  return clamp_value(triangle(phase) * 5 - 380);
}

int in_cell(Phase phase) {
  return static_cast<int>((phase & 0xffffU) >> 8) - 128;
}

Phase shift(int turns_q16) {
  return static_cast<Phase>(turns_q16);
}

/// Two axes, nearly down and nearly right, with a period, a tilt and a place drawn for an image.
struct Frame {
  Phase uy, ux, u0, vy, vx, v0;

  /// Periods in pixels.
  Frame(RandomStream& stream, int shortest, int longest) {
    const auto period = static_cast<std::int32_t>(
        shortest * 256 + stream.below(static_cast<std::uint32_t>((longest - shortest) * 256 + 1)));
    const int turns = 65536 * 256 / period;
    const int tilt = static_cast<int>(stream.below(73)) - 36;  // of 256: up to 8 degrees
    uy = vx = shift(turns);
    ux = shift(turns * tilt / 256);
    vy = shift(-(turns * tilt / 256));
    u0 = stream.next();
    v0 = stream.next();
  }
  Phase u(int y, int x) const {
    return u0 + static_cast<Phase>(y) * uy + static_cast<Phase>(x) * ux;
  }
  Phase v(int y, int x) const {
    return v0 + static_cast<Phase>(y) * vy + static_cast<Phase>(x) * vx;
  }
};

template <class Function>
void fill(Texture& texture, const Function& value) {
  for (int y = 0; y < kSceneSize; ++y) {
    for (int x = 0; x < kSceneSize; ++x) {
      texture[static_cast<std::size_t>(y * kSceneSize + x)] = static_cast<std::int8_t>(value(y, x));
    }
  }
}

/// Patterns that repeat along the two axes of a frame.
template <class Function>
void fill_frame(Texture& texture, RandomStream& stream, int shortest, int longest,
                const Function& value) {
  const Frame frame(stream, shortest, longest);
  fill(texture, [&](int y, int x) { return value(frame.u(y, x), frame.v(y, x)); });
}

int disc(Phase u, Phase v, int radius) {
  const int a = in_cell(u);
  const int b = in_cell(v);
  return clamp_value((radius * radius - a * a - b * b) / 16);
}

int brick(Phase u, Phase v) {
  const Phase half = (v >> 1) + ((u >> 16) & 1U) * 32768U;
  return -std::max(line(u), clamp_value(triangle(half) * 10 - 1010));
}

int cross(Phase u, Phase v) {
  const int a = std::abs(in_cell(u));
  const int b = std::abs(in_cell(v));
  const int distance = std::min(std::max(a - 24, b - 84), std::max(a - 84, b - 24));
  return clamp_value(-distance * 5);
}

int triangles(Phase u, Phase v) {
  const Phase across = v + ((u >> 16) & 1U) * 32768U;
  return clamp_value(((in_cell(u) + 128) / 2 - std::abs(in_cell(across))) * 5);
}

/// Patterns around a centre: rings, nested squares, rays.
struct Centre {
  int y, x;  // 1/16 pixel
  explicit Centre(RandomStream& stream)
      : y(static_cast<int>(stream.below(16 * 24)) + 16 * 4),
        x(static_cast<int>(stream.below(16 * 24)) + 16 * 4) {}
};

Phase turns_a_sixteenth(RandomStream& stream, int shortest, int longest) {
  const std::uint32_t period =
      static_cast<std::uint32_t>(shortest) * 256 +
      stream.below(static_cast<std::uint32_t>((longest - shortest) * 256 + 1));
  return 65536U * 16U / period;
}

void fill_rings(Texture& texture, RandomStream& stream) {
  const Centre centre(stream);
  const Phase turns = turns_a_sixteenth(stream, 5, 8);
  const Phase start = stream.next();
  fill(texture, [&](int y, int x) {
    const int dy = y * 16 - centre.y;
    const int dx = x * 16 - centre.x;
    // The root of an integer is correctly rounded by IEEE 754.
    const auto r = static_cast<Phase>(std::sqrt(static_cast<double>(dy * dy + dx * dx)));
    return square(start + r * turns);
  });
}

void fill_squares(Texture& texture, RandomStream& stream) {
  const Centre centre(stream);
  const Phase turns = turns_a_sixteenth(stream, 6, 9);
  const Phase start = stream.next();
  fill(texture, [&](int y, int x) {
    const int r = std::max(std::abs(y * 16 - centre.y), std::abs(x * 16 - centre.x));
    return square(start + static_cast<Phase>(r) * turns);
  });
}

void fill_rays(Texture& texture, RandomStream& stream) {
  const Centre centre(stream);
  const Phase count = 8 + stream.below(4);
  const Phase start = stream.next();
  fill(texture, [&](int y, int x) {
    const int dy = y * 16 - centre.y;
    const int dx = x * 16 - centre.x;
    const int length = std::abs(dy) + std::abs(dx);
    if (length == 0) return 0;
    // The angle around a diamond in place of a circle: four equal quarters, no arc tangent.
    const int quarter = 16384 * dy / length;
    const int angle = dx >= 0 ? quarter : 32768 - quarter;
    return square(start + static_cast<Phase>(angle) * count);
  });
}

/// Random values at the corners of a lattice, smoothly blended.
void fill_blobs(Texture& texture, RandomStream& stream) {
  constexpr int kCorners = 9;
  const int turns = 65536 * 256 / static_cast<int>(5 * 256 + stream.below(2 * 256));
  const Phase y0 = stream.next() & 0xffffU;
  const Phase x0 = stream.next() & 0xffffU;
  std::array<int, kCorners * kCorners> corner{};
  for (auto& value : corner) value = static_cast<int>(stream.below(511)) - 255;
  const auto smooth = [](Phase phase) { return wave((phase & 0xffffU) >> 1) + 127; };  // 0..254
  fill(texture, [&](int y, int x) {
    const Phase py = y0 + static_cast<Phase>(y * turns);
    const Phase px = x0 + static_cast<Phase>(x * turns);
    const int* at = &corner[(py >> 16) * kCorners + (px >> 16)];
    const int sy = smooth(py);
    const int sx = smooth(px);
    const int top = at[0] * (254 - sx) + at[1] * sx;
    const int bottom = at[kCorners] * (254 - sx) + at[kCorners + 1] * sx;
    return clamp_value((top * (254 - sy) + bottom * sy) / (254 * 254));
  });
}

void fill_mosaic(Texture& texture, RandomStream& stream) {
  const int side = 3 + static_cast<int>(stream.below(3));
  const int y0 = static_cast<int>(stream.below(static_cast<std::uint32_t>(side)));
  const int x0 = static_cast<int>(stream.below(static_cast<std::uint32_t>(side)));
  constexpr int kCells = 12;
  std::array<int, kCells * kCells> cell{};
  for (auto& value : cell) value = static_cast<int>(stream.below(255)) - 127;
  fill(texture, [&](int y, int x) {
    return cell[static_cast<std::size_t>((y + y0) / side * kCells + (x + x0) / side)];
  });
}

void fill_gradient(Texture& texture, RandomStream& stream) {
  int ay = static_cast<int>(stream.below(257)) - 128;
  const int ax = static_cast<int>(stream.below(257)) - 128;
  if (std::abs(ay) + std::abs(ax) < 16) ay = 128;
  const int scale = (std::abs(ay) + std::abs(ax)) * (kSceneSize - 1);
  fill(texture, [&](int y, int x) {
    const int dy = 2 * y - (kSceneSize - 1);
    const int dx = 2 * x - (kSceneSize - 1);
    return 127 * (dy * ay + dx * ax) / scale;
  });
}

/// Kinds 0 to 9: straight lines, crossings and discs.
void fill_regular(int kind, RandomStream& s, Texture& t) {
  switch (kind) {
    case 0:
      return fill_frame(t, s, 5, 8, [](Phase u, Phase) { return square(u); });
    case 1:
      return fill_frame(t, s, 5, 8, [](Phase, Phase v) { return square(v); });
    case 2:
      return fill_frame(t, s, 7, 11, [](Phase u, Phase v) { return square(u + v); });
    case 3:
      return fill_frame(t, s, 7, 11, [](Phase u, Phase v) { return square(u - v); });
    case 4:
      return fill_frame(t, s, 7, 11, [](Phase u, Phase v) { return square(u) * square(v) / 127; });
    case 5:
      return fill_frame(t, s, 11, 15,
                        [](Phase u, Phase v) { return square(u + v) * square(u - v) / 127; });
    case 6:
      return fill_frame(t, s, 6, 9, [](Phase u, Phase v) { return std::max(line(u), line(v)); });
    case 7:
      return fill_frame(t, s, 9, 13, [](Phase u, Phase v) {
        return clamp_value((wave(u) + wave(v) + line(2 * u) / 4 + line(2 * v) / 4) / 2);
      });
    case 8:
      return fill_frame(t, s, 6, 8, [](Phase u, Phase v) { return disc(u, v, 72); });
    default:
      return fill_frame(t, s, 8, 11, [](Phase u, Phase v) {
        return -disc(u, v + ((u >> 16) & 1U) * 32768U, 84);
      });
  }
}

/// Kinds 13 to 19: broken and bent lines, small figures.
void fill_figures(int kind, RandomStream& s, Texture& t) {
  switch (kind) {
    case 13:
      return fill_frame(t, s, 5, 8, brick);
    case 14:
      return fill_frame(t, s, 7, 10,
                        [](Phase u, Phase v) { return square(u + shift(triangle(v) * 160)); });
    case 15:
      return fill_frame(t, s, 7, 10,
                        [](Phase u, Phase v) { return square(v + shift(triangle(u) * 160)); });
    case 16:
      return fill_frame(t, s, 6, 9,
                        [](Phase u, Phase v) { return wave(u + shift(wave(v >> 1) * 140)); });
    case 17:
      return fill_frame(t, s, 6, 9,
                        [](Phase u, Phase v) { return wave(v + shift(wave(u >> 1) * 140)); });
    case 18:
      return fill_frame(t, s, 7, 10, cross);
    default:
      return fill_frame(t, s, 7, 11, triangles);
  }
}

}  // namespace

void draw_texture(int kind, RandomStream& stream, Texture& texture) {
  if (kind < 10) return fill_regular(kind, stream, texture);
  if (kind >= 13 && kind < 20) return fill_figures(kind, stream, texture);
  switch (kind) {
    case 10:
      return fill_rings(texture, stream);
    case 11:
      return fill_squares(texture, stream);
    case 12:
      return fill_rays(texture, stream);
    case 20:
      return fill_blobs(texture, stream);
    case 21:
      return fill_mosaic(texture, stream);
    case 22:
      return fill(texture, [&](int, int) { return static_cast<int>(stream.below(255)) - 127; });
    default:
      return fill_gradient(texture, stream);
  }
}

const std::array<std::uint8_t, 3>& scene_colour(int kind) {
  return looks()[static_cast<std::size_t>(kind)].colour;
}

const std::string& scene_kind_name(int kind) {
  return looks()[static_cast<std::size_t>(kind)].name;
}

}  // namespace smcl::data
