#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Records of TensorBoard's event files: TFRecord framing around protocol buffers of the message
/// Event (tensorflow/core/util/event.proto, framework/summary.proto). A file is records one after
/// the other, version_record first. Own code, since protobuf and TensorFlow would be needed for
/// seven fields.
namespace smcl::format {

/// CRC-32C (Castagnoli; RFC 3720, section 12.1).
std::uint32_t crc32c(std::string_view bytes);
/// Length (8 bytes), its checksum (4), data, their checksum (4), little endian. Checksums are
/// CRC-32C, rotated right by 15 bits, plus 0xa282ead8.
std::string tfrecord(std::string_view data);

/// A point of a curve.
struct Scalar {
  std::string tag;  ///< "GROUP/NAME"
  float value = 0.0F;
};

/// The first record of a file: its version. `wall_time` in seconds since 1970, as in all of them.
std::string version_record(double wall_time);
/// Says that a process began here: points of `step` and later that were read before are void.
std::string start_record(double wall_time, std::int64_t step);
/// The points of one step.
std::string scalars_record(double wall_time, std::int64_t step, const std::vector<Scalar>& scalars);

}  // namespace smcl::format
