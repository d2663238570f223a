#include "format/tensorboard.h"

#include <array>
#include <bit>
#include <cstddef>

namespace smcl::format {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, bits reversed
constexpr std::uint32_t kMask = 0xa282ead8;

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

/// The lowest `bytes` bytes, little endian.
void put_fixed(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + kMask;
}

// Wire types of protocol buffers.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// Seven bits a byte, the lowest first; the eighth says that more follow.
void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_key(std::string& out, unsigned field, Wire wire) {
  put_varint(out, (field << 3) | static_cast<unsigned>(wire));
}

void put_integer(std::string& out, unsigned field, std::int64_t value) {
  put_key(out, field, Wire::varint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

void put_double(std::string& out, unsigned field, double value) {
  put_key(out, field, Wire::fixed64);
  put_fixed(out, std::bit_cast<std::uint64_t>(value), 8);
}

void put_float(std::string& out, unsigned field, float value) {
  put_key(out, field, Wire::fixed32);
  put_fixed(out, std::bit_cast<std::uint32_t>(value), 4);
}

void put_bytes(std::string& out, unsigned field, std::string_view bytes) {
  put_key(out, field, Wire::bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// Fields of Event.
constexpr unsigned kWallTime = 1;
constexpr unsigned kStep = 2;
constexpr unsigned kFileVersion = 3;
constexpr unsigned kSummary = 5;
constexpr unsigned kSessionLog = 7;

/// An event that carries `content` in `field`.
std::string event_record(double wall_time, std::int64_t step, unsigned field,
                         std::string_view content) {
  std::string event;
  put_double(event, kWallTime, wall_time);
  put_integer(event, kStep, step);
  put_bytes(event, field, content);
  return tfrecord(event);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return crc ^ 0xffffffff;
}

std::string tfrecord(std::string_view data) {
  std::string out;
  put_fixed(out, data.size(), 8);
  put_fixed(out, masked_crc(out), 4);
  out += data;
  put_fixed(out, masked_crc(data), 4);
  return out;
}

std::string version_record(double wall_time) {
  return event_record(wall_time, 0, kFileVersion, "brain.Event:2");
}

std::string start_record(double wall_time, std::int64_t step) {
  constexpr unsigned kStatus = 1;
  constexpr std::int64_t kStart = 1;
  std::string session;
  put_integer(session, kStatus, kStart);
  return event_record(wall_time, step, kSessionLog, session);
}

std::string scalars_record(double wall_time, std::int64_t step,
                           const std::vector<Scalar>& scalars) {
  constexpr unsigned kValue = 1;        // of Summary
  constexpr unsigned kTag = 1;          // of Summary.Value, as the next
  constexpr unsigned kSimpleValue = 2;  // in a oneof: written even where it is 0
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, kTag, scalar.tag);
    put_float(value, kSimpleValue, scalar.value);
    put_bytes(summary, kValue, value);
  }
  return event_record(wall_time, step, kSummary, summary);
}

}  // namespace smcl::format
