#include "format/tensorboard.h"

#include <gtest/gtest.h>

namespace smcl::format {
namespace {

/// "0a ff" as two bytes.
std::string bytes(const std::string& hexadecimal) {
  std::string out;
  for (std::size_t i = 0; i < hexadecimal.size(); ++i) {
    if (hexadecimal[i] == ' ') continue;
    out += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
    ++i;
  }
  return out;
}

// RFC 3720, appendix B.4, which lists the sums' bytes from the lowest on.
TEST(TensorBoard, ChecksumsAreThoseOfTheRfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string up, down;
  for (char c = 0; c < 32; ++c) {
    up += c;
    down.insert(down.begin(), c);
  }
  EXPECT_EQ(crc32c(up), 0x46dd794eU);
  EXPECT_EQ(crc32c(down), 0x113fdb5cU);
  EXPECT_EQ(crc32c(bytes("01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018"
                         "28000000 00000000 02000000 00000000")),
            0xd9963a56U);
  EXPECT_EQ(crc32c(""), 0U);
}

// By hand from the wire format of protocol buffers; the masked sums as TensorBoard 2.21's own
// masked_crc32c gives them.
TEST(TensorBoard, ARecordHasItsBytes) {
  const std::string event = bytes(
      "09 000000000000f83f"         // 1, fixed64: wall time 1.5
      "10 03"                       // 2, varint: step 3
      "2a 13"                       // 5, 19 bytes: summary
      "0a 11"                       // 1, 17 bytes: value
      "0a 0a 747261696e2f6c6f7373"  // 1, 10 bytes: "train/loss"
      "15 0000803e");               // 2, fixed32: 0.25
  ASSERT_EQ(event.size(), 32U);
  const std::string record = bytes("2000000000000000 29eda950") + event + bytes("43301b92");
  EXPECT_EQ(tfrecord(event), record);
  EXPECT_EQ(scalars_record(1.5, 3, {{"train/loss", 0.25F}}), record);
}

TEST(TensorBoard, TheFirstRecordsAreVersionAndStart) {
  EXPECT_EQ(version_record(0.0).substr(12, 26),
            bytes("09 0000000000000000 10 00 1a 0d") + "brain.Event:2");
  // Status 1, START, of a session log of two bytes.
  EXPECT_EQ(start_record(0.0, 0).substr(12, 15), bytes("09 0000000000000000 10 00 3a 02 08 01"));
}

// Seven bits a byte: 300 = 0b10'0101100, and the two's complement of ten bytes for -1.
TEST(TensorBoard, NumbersOfAnyLengthAreWritten) {
  EXPECT_EQ(scalars_record(0.0, 300, {}).substr(21, 3), bytes("10 ac02"));
  EXPECT_EQ(scalars_record(0.0, -1, {}).substr(21, 11), bytes("10 ffffffffffffffffff01"));
  const std::string tag(200, 't');
  const std::string long_tag = scalars_record(0.0, 0, {{tag, 0.0F}});
  // A zero is written: without it the value would have no content.
  EXPECT_EQ(long_tag.substr(12 + 11, 9), bytes("2a d301 0a d001 0a c801"));
  EXPECT_EQ(long_tag.substr(12 + 20), tag + bytes("15 00000000") + long_tag.substr(12 + 225));
  EXPECT_EQ(long_tag.size(), 12 + 225 + 4U);
  EXPECT_EQ(tfrecord("").size(), 16U);
}

}  // namespace
}  // namespace smcl::format
