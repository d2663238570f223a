#include "image/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>

#include "core/error.h"

namespace smcl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Image gradient(int height, int width, int channels) {
  Image image(height, width, channels);
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i < width * channels; ++i) {
      image.row(y)[i] = static_cast<std::uint8_t>(y * 37 + i * 5);
    }
  }
  return image;
}

// A chunk by the PNG specification: length, type, data, CRC-32 of type and data.
void add_chunk(std::vector<std::uint8_t>& png, const std::string& type,
               const std::vector<std::uint8_t>& data) {
  const auto add32 = [&](std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8)
      png.push_back(static_cast<std::uint8_t>(v >> shift));
  };
  add32(static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = png.size();
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), data.begin(), data.end());
  add32(static_cast<std::uint32_t>(
      crc32(0, png.data() + begin, static_cast<unsigned>(png.size() - begin))));
}

// A PNG put together here from the specification, not by libpng.
std::vector<std::uint8_t> handmade(std::uint32_t width, std::uint32_t height, int depth, int type,
                                   const std::vector<std::uint8_t>& scanlines) {
  std::vector<std::uint8_t> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  std::vector<std::uint8_t> header;
  for (const std::uint32_t v : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8)
      header.push_back(static_cast<std::uint8_t>(v >> shift));
  }
  for (const int v : {depth, type, 0, 0, 0}) header.push_back(static_cast<std::uint8_t>(v));
  add_chunk(png, "IHDR", header);
  std::vector<std::uint8_t> packed(compressBound(scanlines.size()));
  uLongf size = packed.size();
  compress(packed.data(), &size, scanlines.data(), scanlines.size());
  packed.resize(size);
  add_chunk(png, "IDAT", packed);
  add_chunk(png, "IEND", {});
  return png;
}

std::string failure(const std::vector<std::uint8_t>& bytes) {
  try {
    decode_png(bytes, "picture");
  } catch (const DataError& error) {
    return error.what();
  }
  return {};
}

TEST(Png, RoundTripOfGreyAndColour) {
  for (const int channels : {1, 3}) {
    const Image image = gradient(5, 7, channels);
    const Image back = decode_png(encode_png(image.view()), "x");
    EXPECT_EQ(back.height(), 5);
    EXPECT_EQ(back.width(), 7);
    EXPECT_EQ(back.channels(), channels);
    EXPECT_EQ(back.bytes(), image.bytes());
  }
}

TEST(Png, WritesACropByItsStride) {
  const Image image = gradient(6, 8, 3);
  const Image back = decode_png(encode_png(image.view().crop({1, 2, 4, 5})), "x");
  ASSERT_EQ(back.height(), 3);
  ASSERT_EQ(back.width(), 3);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      for (int c = 0; c < 3; ++c) EXPECT_EQ(back.at(y, x)[c], image.at(y + 1, x + 2)[c]);
    }
  }
}

TEST(Png, HeaderIsThatOfTheSpecification) {
  const std::vector<std::uint8_t> bytes = encode_png(gradient(5, 7, 3).view());
  // Signature, IHDR of 13 bytes, width 7, height 5, 8 bits, colour type 2 (RGB).
  EXPECT_THAT(std::vector<int>(bytes.begin(), bytes.begin() + 26),
              ElementsAre(0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D',
                          'R', 0, 0, 0, 7, 0, 0, 0, 5, 8, 2));
  EXPECT_EQ(encode_png(gradient(5, 7, 3).view()), bytes);
}

TEST(Png, ReadsPicturesMadeByOthers) {
  // 2 x 1 RGB; a scanline begins with its filter, 0.
  const Image colour = decode_png(handmade(2, 1, 8, 2, {0, 1, 2, 3, 250, 251, 252}), "x");
  EXPECT_THAT(colour.bytes(), ElementsAre(1, 2, 3, 250, 251, 252));
  // Filter 1 (Sub) adds the pixel to the left.
  const Image sub = decode_png(handmade(2, 1, 8, 2, {1, 1, 2, 3, 10, 10, 10}), "x");
  EXPECT_THAT(sub.bytes(), ElementsAre(1, 2, 3, 11, 12, 13));
  // 1-bit grey: 0 is black, 1 is white.
  const Image bits = decode_png(handmade(3, 1, 1, 0, {0, 0b10100000}), "x");
  EXPECT_EQ(bits.channels(), 1);
  EXPECT_THAT(bits.bytes(), ElementsAre(255, 0, 255));
  // 16-bit grey keeps its high byte (0x8080 is 128 of 255 exactly), without a change of gamma.
  EXPECT_THAT(decode_png(handmade(1, 1, 16, 0, {0, 0x80, 0x80}), "x").bytes(), ElementsAre(128));
  // RGBA: the transparent pixel is black, the opaque one itself.
  const Image alpha =
      decode_png(handmade(2, 1, 8, 6, {0, 200, 100, 50, 0, 200, 100, 50, 255}), "x");
  EXPECT_THAT(alpha.bytes(), ElementsAre(0, 0, 0, 200, 100, 50));
}

TEST(Png, RefusesWhatIsNoPng) {
  EXPECT_THAT(failure({}), HasSubstr("picture"));
  EXPECT_THAT(failure({'P', '6', '\n'}), HasSubstr("not a whole PNG"));
}

TEST(Png, EveryCutIsAnErrorAndNeverAPicture) {
  const std::vector<std::uint8_t> whole = encode_png(gradient(4, 4, 3).view());
  // Up to the last 12 bytes, the end mark, without which the pixels are whole.
  for (std::size_t size = 0; size + 12 < whole.size(); ++size) {
    EXPECT_NE(failure({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), "")
        << size;
  }
}

TEST(Png, TheHeaderComesFirst) {
  const std::vector<std::uint8_t> whole = encode_png(gradient(4, 4, 3).view());
  std::vector<std::uint8_t> bytes(whole.begin(), whole.begin() + 8);
  add_chunk(bytes, "abCd", std::vector<std::uint8_t>(20, 0xff));
  bytes.insert(bytes.end(), whole.begin() + 8, whole.end());
  EXPECT_THAT(failure(bytes), HasSubstr("not a whole PNG"));
}

TEST(Png, FlippedBitsOfThePixelsAreFound) {
  std::vector<std::uint8_t> bytes = encode_png(gradient(4, 4, 3).view());
  bytes[bytes.size() - 20] ^= 0x10;  // inside IDAT or its checksum
  EXPECT_NE(failure(bytes), "");
}

TEST(Png, HugeSizesAreRefusedBeforeMemoryIsTaken) {
  EXPECT_THAT(failure(handmade(100000, 100000, 8, 2, {0})), HasSubstr("100000 x 100000"));
  // Allowed, but not in a file of less than 100 bytes: deflate packs at most 1032 to 1.
  EXPECT_THAT(failure(handmade(8192, 8192, 8, 2, {0})), HasSubstr("cannot hold 8192 x 8192"));
  EXPECT_THAT(failure(handmade(8192, 8192, 1, 0, {0})), HasSubstr("cannot hold"));
  EXPECT_NE(failure(handmade(0, 1, 8, 2, {0})), "");
  EXPECT_NE(failure(handmade(0xffffffff, 1, 8, 2, {0})), "");
}

TEST(Png, ThePlainestPictureIsStillRead) {
  // As dense as deflate gets: rows of zeros only.
  const Image image(2000, 3000, 3);
  EXPECT_EQ(decode_png(encode_png(image.view()), "x").bytes(), image.bytes());
  EXPECT_EQ(
      decode_png(handmade(4096, 1024, 1, 0, std::vector<std::uint8_t>(513 * 1024)), "x").bytes(),
      std::vector<std::uint8_t>(std::size_t{4096} * 1024));
}

TEST(Png, RefusesToWriteNonsense) {
  EXPECT_THROW(encode_png({}), InternalError);
  EXPECT_THROW(encode_png(gradient(2, 2, 2).view()), InternalError);
  ImageView view = gradient(2, 2, 3).view();
  view.stride = 5;
  EXPECT_THROW(encode_png(view), InternalError);
}

TEST(Png, Files) {
  std::string folder = (std::filesystem::temp_directory_path() / "smcl-png-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "deeper" / "a.png";
  const Image image = gradient(3, 2, 3);
  write_png(file, image.view());
  EXPECT_EQ(read_png(file).bytes(), image.bytes());
  EXPECT_THROW(read_png(file.parent_path() / "b.png"), IoError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace smcl
