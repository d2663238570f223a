#pragma once

#include <array>
#include <cstdint>

namespace smcl::draw {

/// Rows of a 5 x 7 letter from the top, the leftmost pixel in bit 4. `byte` outside of printable
/// ASCII (32 to 126) gives a hollow box.
const std::array<std::uint8_t, 7>& glyph(unsigned char byte);

}  // namespace smcl::draw
