#include "image/png.h"

#include <png.h>

#include <array>
#include <cstring>
#include <limits>
#include <span>

#include "core/error.h"
#include "format/file.h"

namespace smcl {
namespace {

/// libpng's simplified interface reports errors in the structure instead of jumping.
class PngHandle {
 public:
  PngHandle() {
    std::memset(&image_, 0, sizeof image_);
    image_.version = PNG_IMAGE_VERSION;
  }
  ~PngHandle() { png_image_free(&image_); }
  PngHandle(const PngHandle&) = delete;
  PngHandle& operator=(const PngHandle&) = delete;

  png_image* operator->() { return &image_; }
  png_image* get() { return &image_; }

 private:
  png_image image_;
};

/// At least so many bytes of rows must come out of the compressed data of a picture of this size.
/// `bytes` begin with signature and header, whose values libpng has checked.
std::uint64_t row_bytes(std::span<const std::uint8_t> bytes, const png_image& image) {
  constexpr std::size_t kDepth = 24;  // behind the width and height of IHDR
  constexpr std::size_t kColourType = 25;
  // Grey, -, RGB, palette, grey with alpha, -, RGB with alpha.
  constexpr std::array<std::uint64_t, 7> kSamples{1, 0, 3, 1, 2, 0, 4};
  const std::uint64_t bits = kSamples.at(bytes[kColourType]) * bytes[kDepth] * image.width;
  return (bits + 7) / 8 * image.height;
}

}  // namespace

std::vector<std::uint8_t> encode_png(const ImageView& image) {
  if (image.height < 1 || image.width < 1 || (image.channels != 1 && image.channels != 3) ||
      image.stride < static_cast<std::ptrdiff_t>(image.width) * image.channels ||
      image.stride > std::numeric_limits<png_int_32>::max()) {
    throw InternalError(concat("cannot write a picture of ", image.height, " x ", image.width,
                               " pixels, ", image.channels, " channels, stride ", image.stride));
  }
  PngHandle png;
  png->width = static_cast<png_uint_32>(image.width);
  png->height = static_cast<png_uint_32>(image.height);
  png->format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*png.get());
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(png.get(), bytes.data(), &size, 0, image.pixels,
                                static_cast<png_int_32>(image.stride), nullptr) == 0) {
    throw InternalError(concat("libpng: ", png->message));
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& file, const ImageView& image) {
  const std::vector<std::uint8_t> bytes = encode_png(image);
  format::write_file_atomic(file, std::as_bytes(std::span(bytes)));
}

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& origin) {
  PngHandle png;
  const auto fail = [&] {
    throw DataError(concat(origin, ": not a whole PNG picture: ", png->message));
  };
  if (png_image_begin_read_from_memory(png.get(), bytes.data(), bytes.size()) == 0) fail();
  // Zero-width files do not get here: libpng refuses them.
  if (png->height > kLargestPicture / png->width) {
    throw DataError(concat(origin, ": a picture of ", png->height, " x ", png->width,
                           " pixels, expected at most ", kLargestPicture, " in all"));
  }
  // libpng passes over unknown chunks in front of it.
  if (std::memcmp(bytes.data() + 12, "IHDR", 4) != 0) {
    throw DataError(concat(origin, ": not a whole PNG picture: it does not begin with IHDR"));
  }
  // Before memory is taken: deflate makes at most 1032 bytes out of one (zlib's technical details).
  constexpr std::uint64_t kLargestRatio = 1032;
  if (row_bytes(bytes, *png.get()) > bytes.size() * kLargestRatio) {
    throw DataError(concat(origin, ": not a whole PNG picture: ", bytes.size(),
                           " bytes cannot hold ", png->height, " x ", png->width, " pixels"));
  }
  const bool colour = (png->format & PNG_FORMAT_FLAG_COLOR) != 0;
  // 16-bit files are sRGB like all others, not linear as libpng assumes.
  png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  png->format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image(static_cast<int>(png->height), static_cast<int>(png->width), colour ? 3 : 1);
  const png_color black{0, 0, 0};
  if (png_image_finish_read(png.get(), &black, image.row(0), 0, nullptr) == 0) fail();
  return image;
}

Image read_png(const std::filesystem::path& file) {
  return decode_png(format::read_file(file), file.string());
}

}  // namespace smcl
