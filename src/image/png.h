#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"

namespace smcl {

/// Pictures larger than this are refused, so that a small file cannot ask for all memory.
inline constexpr std::size_t kLargestPicture = std::size_t{1} << 26;  // pixels

/// The picture as a PNG of 8-bit grey (1 channel) or RGB (3). The same pixels give the same bytes
/// with the same libpng. Throws InternalError where the view is empty or has other channels.
std::vector<std::uint8_t> encode_png(const ImageView& image);

/// Writes a PNG, whole or not at all. Throws IoError, and as encode_png.
void write_png(const std::filesystem::path& file, const ImageView& image);

/// Any PNG as 8 bits: grey files give 1 channel, all others RGB; transparent pixels are laid over
/// black. `origin` names the bytes in errors. Throws DataError (no PNG, broken, pixels cut short,
/// more than kLargestPicture pixels).
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& origin);

/// Throws IoError besides.
Image read_png(const std::filesystem::path& file);

}  // namespace smcl
