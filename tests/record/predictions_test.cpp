#include "record/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "format/file.h"
#include "format/safetensors.h"
#include "format/scratch.h"

namespace smcl::record {
namespace {

using format::Dtype;
using format::TensorView;
using ::testing::HasSubstr;

class PredictionsFile : public ScratchFolder {
 protected:
  std::filesystem::path file() const { return folder() / "predictions/test.safetensors"; }
};

std::span<const std::byte> bytes_of(const auto& values) {
  return std::as_bytes(std::span(values));
}

const Predictions kTwo{3, {2, 0}, {0.5F, -1.0F, 2.0F, 1e-30F, 0.0F, -0.0F}, {{"index", {7, -8}}}};

TEST_F(PredictionsFile, ReadsWhatItWrote) {
  write_predictions(file(), kTwo);
  const Predictions read = read_predictions(file());
  EXPECT_EQ(read.classes, 3);
  EXPECT_EQ(read.labels, kTwo.labels);
  EXPECT_EQ(read.logits, kTwo.logits);
  EXPECT_EQ(read.extra, kTwo.extra);
}

TEST_F(PredictionsFile, StoresTheDocumentedTypes) {
  write_predictions(file(), kTwo);
  const auto stored = format::SafetensorsFile::read(file());
  EXPECT_EQ(stored.at("labels").dtype, Dtype::i64);
  EXPECT_EQ(stored.at("logits").dtype, Dtype::f32);
  EXPECT_EQ(stored.at("logits").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(stored.at("index").dtype, Dtype::i32);
  EXPECT_EQ(stored.metadata().at("content"), "predictions");
  EXPECT_EQ(stored.metadata().at("format_version"), "1");
}

TEST_F(PredictionsFile, MayBeEmpty) {
  write_predictions(file(), {5, {}, {}, {}});
  EXPECT_EQ(read_predictions(file()).classes, 5);
  EXPECT_TRUE(read_predictions(file()).labels.empty());
}

TEST_F(PredictionsFile, WritesOnlyWhatFits) {
  EXPECT_THROW(write_predictions(file(), {3, {0}, {1.0F, 2.0F}, {}}), InternalError);
  EXPECT_THROW(write_predictions(file(), {-1, {0}, {}, {}}), InternalError);
  EXPECT_THROW(write_predictions(file(), {1, {0}, {1.0F}, {{"index", {1, 2}}}}), InternalError);
  EXPECT_THROW(write_predictions(file(), {1, {0}, {1.0F}, {{"labels", {1}}}}), InternalError);
  EXPECT_THROW(write_predictions(file(), {1, {1}, {1.0F}, {}}), InternalError);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(PredictionsFile, RefusesWhatIsNone) {
  const std::vector<std::int64_t> labels{0, 2};
  const std::vector<std::int64_t> beyond{0, 3};
  const std::vector<std::int64_t> negative{0, -1};
  const std::vector<float> logits(6);
  const std::map<std::string, std::string> ours{{"content", "predictions"}};
  const auto refusal = [&](const std::vector<TensorView>& tensors,
                           const std::map<std::string, std::string>& metadata) {
    format::write_safetensors(file(), tensors, metadata);
    return error_of<DataError>([&] { read_predictions(file()); });
  };
  const auto table = [&](const std::vector<std::int64_t>& values, std::vector<std::int64_t> shape) {
    return std::vector<TensorView>{{"labels", Dtype::i64, {2}, bytes_of(values)},
                                   {"logits", Dtype::f32, std::move(shape), bytes_of(logits)}};
  };
  EXPECT_THAT(refusal(table(labels, {2, 3}), {}), HasSubstr("expected predictions"));
  EXPECT_THAT(refusal(table(labels, {2, 3}), {{"content", "predictions"}, {"format_version", "2"}}),
              HasSubstr("format_version is '2'"));
  EXPECT_THAT(refusal(table(beyond, {2, 3}), ours), HasSubstr("label 1 is 3, expected 0 to 2"));
  EXPECT_THAT(refusal(table(negative, {2, 3}), ours), HasSubstr("label 1 is -1"));
  EXPECT_THAT(refusal(table(labels, {6}), ours), HasSubstr("no N x C table"));
  EXPECT_THAT(refusal(table(labels, {3, 2}), ours),
              HasSubstr("'labels' is I64 [2], expected I64 [3]"));
  EXPECT_THAT(refusal({table(labels, {2, 3})[1]}, ours), HasSubstr("no tensor 'labels'"));
  auto more = table(labels, {2, 3});
  more.push_back({"extra", Dtype::f32, {6}, bytes_of(logits)});
  EXPECT_THAT(refusal(more, ours), HasSubstr("'extra' is F32 [6], expected I32 [2]"));
  EXPECT_THROW(read_predictions(folder() / "none"), IoError);
}

}  // namespace
}  // namespace smcl::record
