#include <zlib.h>

#include <algorithm>

#include "core/error.h"
#include "format/file.h"

namespace smcl::format {
namespace {

/// zlib's decoder, closed on every way out.
struct Inflater {
  z_stream stream{};
  Inflater() {
    constexpr int kGzipOnly = 15 + 16;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw InternalError("zlib does not start");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

std::vector<std::uint8_t> unpack(std::vector<std::uint8_t>& packed, std::size_t limit,
                                 const std::string& origin) {
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::vector<std::uint8_t> out;
  std::size_t read = 0;
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    if (stream.avail_in == 0) {
      const std::size_t n = std::min(packed.size() - read, kPiece);
      if (n == 0) throw DataError(concat(origin, ": the gzip data end too early"));
      stream.next_in = packed.data() + read;
      stream.avail_in = static_cast<uInt>(n);
      read += n;
    }
    stream.next_out = piece.data();
    stream.avail_out = static_cast<uInt>(piece.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = piece.size() - stream.avail_out;
    if (got > limit - out.size()) {
      throw DataError(concat(origin, ": unpacks to more than the expected ", limit, " bytes"));
    }
    out.insert(out.end(), piece.data(), piece.data() + got);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0 && read == packed.size()) return out;
      if (inflateReset(&stream) != Z_OK) throw InternalError("zlib does not start again");
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw DataError(concat(origin, ": broken gzip data",
                             stream.msg != nullptr ? concat(": ", stream.msg) : ""));
    }
  }
}

}  // namespace

std::vector<std::uint8_t> unpack_maybe_gzip(std::vector<std::uint8_t> bytes, std::size_t limit,
                                            const std::string& origin) {
  if (bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
    return unpack(bytes, limit, origin);
  }
  if (bytes.size() > limit) {
    throw DataError(concat(origin, ": ", bytes.size(), " bytes, more than the expected ", limit));
  }
  return bytes;
}

std::vector<std::uint8_t> read_maybe_gzip(const std::filesystem::path& file, std::size_t limit) {
  return unpack_maybe_gzip(read_file(file), limit, file.string());
}

}  // namespace smcl::format
