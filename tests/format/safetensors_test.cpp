#include "format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "format/file.h"
#include "format/scratch.h"

namespace smcl::format {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Safetensors : public ScratchFolder {};

std::span<const std::byte> bytes_of(const auto& values) {
  return std::as_bytes(std::span(values));
}

/// A file as the format's description lays it out: length, header, data.
std::vector<std::byte> raw(const std::string& header, std::size_t data) {
  std::vector<std::byte> out(8 + header.size() + data);
  const std::uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  std::memcpy(out.data() + 8, header.data(), header.size());
  return out;
}

std::string refusal(const std::string& header, std::size_t data) {
  return error_of<DataError>([&] { SafetensorsFile::parse(raw(header, data), "x"); });
}

TEST_F(Safetensors, ReadsWhatItWrote) {
  const std::vector<float> weights{1.5F, -2.0F, 0.25F, 3.0F, 4.0F, 5.0F};
  const std::vector<std::int64_t> count{7};
  const std::vector<std::uint8_t> flags{1, 0, 1};
  const std::vector<std::uint16_t> half{0x3c00};
  const auto file = folder() / "w.safetensors";
  write_safetensors(file,
                    {{"flags", Dtype::boolean, {3}, bytes_of(flags)},
                     {"half", Dtype::bf16, {1, 1}, bytes_of(half)},
                     {"conv.weight", Dtype::f32, {2, 3}, bytes_of(weights)},
                     {"empty", Dtype::f32, {0, 4}, {}},
                     {"also_empty", Dtype::f32, {4, 0}, {}},
                     {"count", Dtype::i64, {}, bytes_of(count)}},
                    {{"note", "a \"b\" \n \xc3\xa4"}});
  const SafetensorsFile read = SafetensorsFile::read(file);
  EXPECT_EQ(read.tensors().size(), 6U);
  EXPECT_EQ(read.metadata().at("note"), "a \"b\" \n \xc3\xa4");
  EXPECT_EQ(read.metadata().at("format_version"), "1");
  const auto& entry = read.at("conv.weight");
  EXPECT_EQ(entry.dtype, Dtype::f32);
  EXPECT_EQ(entry.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(std::ranges::equal(read.bytes(entry), bytes_of(weights)));
  EXPECT_EQ(read.at("count").shape, std::vector<std::int64_t>{});
  EXPECT_EQ(std::memcmp(read.bytes(read.at("count")).data(), count.data(), 8), 0);
  EXPECT_EQ(std::memcmp(read.bytes(read.at("flags")).data(), flags.data(), 3), 0);
  EXPECT_TRUE(read.bytes(read.at("empty")).empty());
  for (const auto& [name, each] : read.tensors()) {
    EXPECT_EQ(each.begin % dtype_size(each.dtype), 0U) << name;
  }
  const std::vector<std::byte> whole = read_bytes(file);
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  EXPECT_EQ(header % 8, 0U);
}

TEST_F(Safetensors, KeepsTheVersionThatItIsGiven) {
  write_safetensors(folder() / "a", {}, {{"format_version", "3"}});
  const SafetensorsFile read = SafetensorsFile::read(folder() / "a");
  EXPECT_EQ(read.metadata().at("format_version"), "3");
  EXPECT_EQ(read.note("format_version"), "3");
  EXPECT_EQ(read.note("none"), "");
  EXPECT_THAT(error_of<DataError>([&] { read.check_format_version(); }),
              ::testing::HasSubstr("format_version is '3', this program knows 1"));
  EXPECT_TRUE(read.tensors().empty());
}

TEST_F(Safetensors, WritesOnlyWhatFits) {
  const std::vector<float> two{1.0F, 2.0F};
  const auto write = [&](const std::vector<TensorView>& tensors) {
    write_safetensors(folder() / "a", tensors, {});
  };
  EXPECT_THROW(write({{"a", Dtype::f32, {3}, bytes_of(two)}}), InternalError);
  EXPECT_THROW(write({{"a", Dtype::f32, {-2}, bytes_of(two)}}), InternalError);
  EXPECT_THROW(write({{"a", Dtype::f32, {INT64_MAX, 4}, bytes_of(two)}}), InternalError);
  EXPECT_THROW(write({{"a", Dtype::f32, {2}, bytes_of(two)}, {"a", Dtype::i64, {}, bytes_of(two)}}),
               InternalError);
  EXPECT_THROW(write({{"__metadata__", Dtype::f32, {2}, bytes_of(two)}}), InternalError);
  EXPECT_FALSE(std::filesystem::exists(folder() / "a"));
}

// Layout as in the README of huggingface/safetensors ("Format").
TEST_F(Safetensors, ReadsForeignFiles) {
  const auto file = SafetensorsFile::parse(
      raw(R"({"b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},)"
          R"("a":{"data_offsets":[0,4],"shape":[2,2],"dtype":"U8"},"__metadata__":{"k":"v"}}   )",
          6),
      "x");
  EXPECT_EQ(file.at("a").end - file.at("a").begin, 4U);
  EXPECT_EQ(file.at("b").dtype, Dtype::f16);
  EXPECT_EQ(file.metadata().at("k"), "v");
  EXPECT_TRUE(SafetensorsFile::parse(raw("{}", 0), "x").tensors().empty());
}

TEST_F(Safetensors, NamesTheNearestTensor) {
  const auto file = SafetensorsFile::parse(
      raw(R"({"fc.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1), "x");
  EXPECT_EQ(error_of<DataError>([&] { file.at("fc.wieght"); }),
            "x: no tensor 'fc.wieght' among 1; the nearest is 'fc.weight'");
}

TEST_F(Safetensors, RefusesABadFrame) {
  const auto parse = [](std::vector<std::byte> bytes) {
    return error_of<DataError>([&] { SafetensorsFile::parse(std::move(bytes), "x"); });
  };
  EXPECT_THAT(parse({}), StartsWith("x: 0 bytes"));
  EXPECT_THAT(parse(std::vector<std::byte>(7)), StartsWith("x: 7 bytes"));
  EXPECT_THAT(parse(std::vector<std::byte>(8)), HasSubstr("no valid JSON"));
  std::vector<std::byte> bytes = raw("{}", 0);
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 30, UINT64_MAX}) {
    std::memcpy(bytes.data(), &length, 8);
    EXPECT_THAT(parse(bytes), HasSubstr("no safetensors file")) << length;
  }
  EXPECT_THAT(refusal("[]", 0), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal("{", 0), HasSubstr("no valid JSON"));
  EXPECT_THAT(refusal("{}", 3), HasSubstr("3 bytes at the end belong to no tensor"));
  EXPECT_THAT(refusal(R"({"a":{"b":{"c":{}}}})", 0), HasSubstr("deeper"));
  EXPECT_THAT(refusal(std::string(5000000, '['), 0), HasSubstr("deeper"));
}

TEST_F(Safetensors, RefusesBadTensors) {
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
           "}}";
  };
  EXPECT_NO_THROW(SafetensorsFile::parse(raw(one("\"F32\"", "[2]", "[0,8]"), 8), "x"));
  struct Case {
    const char* dtype;
    const char* shape;
    const char* offsets;
    const char* text;
  };
  for (const auto& [dtype, shape, offsets, text] : std::vector<Case>{
           {"\"F33\"", "[2]", "[0,8]", "dtype \"F33\""},
           {"3", "[2]", "[0,8]", "dtype 3"},
           {"\"F32\"", "[3]", "[0,8]", "8 bytes do not fit F32 [3]"},
           {"\"I64\"", "[2]", "[0,8]", "do not fit I64"},
           {"\"F32\"", "[-2]", "[0,8]", "shape has a side"},
           {"\"F32\"", "[2.0]", "[0,8]", "shape has a side"},
           {"\"F32\"", "[18446744073709551615]", "[0,8]", "shape has a side"},
           {"\"F32\"", "2", "[0,8]", "shape is no array"},
           {"\"F32\"", "[4611686018427387904,4]", "[0,8]", "do not fit"},  // product is 2^64 + 0
           {"\"F32\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[0,8]", "at most 16"},
           {"\"F32\"", "[2]", "[8,0]", "lie outside"},
           {"\"F32\"", "[2]", "[0,9]", "lie outside"},
           {"\"F32\"", "[2]", "[18446744073709551608,18446744073709551615]", "lie outside"},
           {"\"F32\"", "[2]", "[-8,0]", "no two integers"},
           {"\"F32\"", "[2]", "[0]", "no two integers"},
           {"\"F32\"", "[2]", "[0,8,8]", "no two integers"},
           {"\"F32\"", "[2]", "{}", "no two integers"},
           {"\"F32\"", "[1]", "[4,8]", "overlap others or leave a gap"},
           {"\"F32\"", "[1]", "[0,4]", "4 bytes at the end"}}) {
    const std::string error = refusal(one(dtype, shape, offsets), 8);
    EXPECT_THAT(error, HasSubstr(text));
    EXPECT_THAT(error, StartsWith("x: "));
  }
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1]}})", 1), HasSubstr("expected an object"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","shape":[1],"offsets":[0,1]}})", 1),
              HasSubstr("'data_offsets' is missing"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":1}})", 0), HasSubstr("is no text"));
  EXPECT_THAT(refusal(R"({"__metadata__":3})", 0), HasSubstr("expected an object"));
}

TEST_F(Safetensors, RefusesOverlapsGapsAndDoubleNames) {
  const auto two = [](const char* second, const char* begin, const char* end) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},")") + second +
           R"(":{"dtype":"U8","shape":[4],"data_offsets":[)" + begin + "," + end + "]}}";
  };
  EXPECT_NO_THROW(SafetensorsFile::parse(raw(two("b", "4", "8"), 8), "x"));
  EXPECT_THAT(refusal(two("b", "2", "6"), 6), HasSubstr("overlap"));
  EXPECT_THAT(refusal(two("b", "0", "4"), 4), HasSubstr("overlap"));
  EXPECT_THAT(refusal(two("b", "5", "9"), 9), HasSubstr("gap"));
  EXPECT_THAT(refusal(two("a", "4", "8"), 8), HasSubstr("\"a\" comes twice"));
}

// Every single damaged bit and every truncation of our own file is noticed.
TEST_F(Safetensors, NoticesDamageAnywhere) {
  const std::vector<float> a{1.0F, 2.0F};
  const std::vector<float> b{3.0F, 4.0F};
  write_safetensors(folder() / "a",
                    {{"a", Dtype::f32, {2}, bytes_of(a)}, {"b", Dtype::f32, {1, 2}, bytes_of(b)}},
                    {{"k", "v"}});
  const std::vector<std::byte> whole = read_bytes(folder() / "a");
  const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
  const std::size_t padding_end = text.rfind('}') + 1;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> damaged = whole;
      damaged[i] ^= static_cast<std::byte>(1 << bit);
      try {
        SafetensorsFile::parse(damaged, "x");
        // A blank of the padding that became a tab or so changes nothing.
        EXPECT_TRUE(i >= padding_end && i < whole.size() - 16) << i << ' ' << bit;
      } catch (const DataError&) {
      }
    }
    EXPECT_THROW(SafetensorsFile::parse({whole.begin(), whole.begin() + static_cast<long>(i)}, "x"),
                 DataError);
  }
}

TEST_F(Safetensors, UnreadableFilesAreIoErrors) {
  EXPECT_THROW(SafetensorsFile::read(folder() / "none"), IoError);
  EXPECT_THROW(SafetensorsFile::read(folder()), IoError);
}

}  // namespace
}  // namespace smcl::format
