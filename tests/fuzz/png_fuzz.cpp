#include <zlib.h>

#include <vector>

#include "fuzz/fuzz.h"
#include "image/png.h"

namespace {

namespace fuzz = smcl::fuzz;

std::uint32_t big_endian(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

/// No mutation keeps a checksum: those of the chunks (length, type, data, CRC-32 of the last two)
/// are made right.
std::vector<std::uint8_t> with_checksums(std::vector<std::uint8_t> png) {
  std::size_t at = 8;
  while (png.size() - std::min(at, png.size()) >= 12) {
    const std::size_t length = big_endian(png.data() + at);
    if (length > png.size() - at - 12) break;
    std::uint8_t* end = png.data() + at + 8 + length;
    const auto sum = static_cast<std::uint32_t>(
        crc32(0, png.data() + at + 4, static_cast<unsigned>(length + 4)));
    for (int i = 0; i < 4; ++i) end[i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i) & 0xff);
    at += 12 + length;
  }
  return png;
}

void decode(std::span<const std::uint8_t> bytes) {
  const smcl::Image image = smcl::decode_png(bytes, "file");
  const std::size_t pixels =
      static_cast<std::size_t>(image.height()) * static_cast<std::size_t>(image.width());
  fuzz::require(
      pixels > 0 && image.bytes().size() == pixels * static_cast<std::size_t>(image.channels()),
      "a picture has pixels");
  constexpr std::size_t kSmall = 1024;  // the larger ones cost more than they can show
  if (pixels > kSmall) return;
  const smcl::Image again = smcl::decode_png(smcl::encode_png(image.view()), "again");
  fuzz::require(again.bytes() == image.bytes(), "a written picture comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (fuzz::takes([&] { decode({data, size}); })) return 0;
  const std::vector<std::uint8_t> mended = with_checksums({data, data + size});
  fuzz::takes([&] { decode(mended); });
  return 0;
}
