#include "data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <numeric>

#include "core/error.h"
#include "data/files.h"

namespace smcl::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string parse_error(const std::vector<std::uint8_t>& bytes) {
  return error_of<DataError>([&] { parse_idx(bytes, "file"); });
}

TEST(ParseIdx, ReadsDimsAndValues) {
  const IdxArray array = parse_idx(idx_bytes({2, 1, 3}, {1, 2, 3, 4, 5, 6}), "x");
  EXPECT_THAT(array.dims, ElementsAre(2, 1, 3));
  EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(parse_idx(idx_bytes({258}, std::vector<std::uint8_t>(258)), "x").dims,
              ElementsAre(258));  // bytes of a dimension: big endian
  EXPECT_TRUE(parse_idx(idx_bytes({0}, {}), "x").values.empty());
}

TEST(ParseIdx, RefusesWhatIsNoIdxOfBytes) {
  EXPECT_THAT(parse_error({}), HasSubstr("got 0 bytes"));
  EXPECT_THAT(parse_error({0, 0, 8}), HasSubstr("got 3 bytes"));
  EXPECT_THAT(parse_error({0, 0, 13, 1, 0, 0, 0, 0}), HasSubstr("0 0 13 1"));  // float
  EXPECT_THAT(parse_error({0, 0, 8, 0}), HasSubstr("1 to 4"));
  EXPECT_THAT(parse_error({0, 0, 8, 5}), HasSubstr("1 to 4"));
  EXPECT_THAT(parse_error({0x1f, 0x8b, 8, 0}), HasSubstr("31 139"));
  EXPECT_THAT(parse_error({0, 0, 8, 3, 0, 0, 0, 1}), HasSubstr("header of 16"));
}

TEST(ParseIdx, LengthsAreNotTrusted) {
  EXPECT_THAT(parse_error(idx_bytes({2, 2}, {1, 2, 3})),
              AllOf(HasSubstr("got 3"), HasSubstr("2 x 2")));
  EXPECT_THAT(parse_error(idx_bytes({2, 2}, {1, 2, 3, 4, 5})), HasSubstr("got 5"));
  // 65536^4 = 2^64 is 0 where the product overflows.
  EXPECT_NE(parse_error(idx_bytes({65536, 65536, 65536, 65536}, {})), "");
  EXPECT_NE(parse_error(idx_bytes({4294967295U, 4294967295U, 4294967295U}, {1})), "");
  EXPECT_NE(parse_error(idx_bytes({4294967295U, 0, 3}, {})), "");
}

TEST(GreySet, CentresPadsAndRepeats) {
  // 2 x 3 pixels: 15 rows above and 15 below, 14 columns to the left and 15 to the right.
  const ResidentDataset set = grey_set({{1, 2, 3}, {10, 20, 30, 40, 50, 60}}, {{1}, {1}}, 2, "x");
  EXPECT_EQ(set.height(), 32);
  EXPECT_EQ(set.width(), 32);
  EXPECT_THAT(set.class_names(), ElementsAre("0", "1"));
  std::vector<std::uint8_t> scratch;
  const ImageView view = set.image(0, 0, scratch);
  const auto pixel = [&](int y, int x) {
    const std::uint8_t* at = view.row(y) + 3 * x;
    EXPECT_EQ(at[0], at[1]);
    EXPECT_EQ(at[0], at[2]);
    return int{at[0]};
  };
  EXPECT_EQ(pixel(15, 14), 10);
  EXPECT_EQ(pixel(15, 16), 30);
  EXPECT_EQ(pixel(16, 14), 40);
  EXPECT_EQ(pixel(16, 16), 60);
  EXPECT_EQ(std::accumulate(view.pixels, view.pixels + 3072, 0), 3 * 210);
}

TEST(GreySet, FullSizeHasNoPadding) {
  std::vector<std::uint8_t> values(2048, 1);
  values[1024] = 9;
  const ResidentDataset set = grey_set({{2, 32, 32}, values}, {{2}, {0, 1}}, 2, "x");
  std::vector<std::uint8_t> scratch;
  EXPECT_EQ(set.image(1, 0, scratch).row(0)[0], 9);
  EXPECT_EQ(set.image(0, 0, scratch).row(31)[95], 1);
}

TEST(GreySet, RefusesMisfits) {
  const auto fails = [](const IdxArray& images, const IdxArray& labels) {
    return error_of<DataError>([&] { grey_set(images, labels, 2, "where"); });
  };
  EXPECT_THAT(fails({{4}, {0, 0, 0, 0}}, {{1}, {0}}), HasSubstr("count x height x width"));
  EXPECT_THAT(fails({{1, 1, 1}, {0}}, {{2}, {0, 0}}), HasSubstr("1 images and 2 labels"));
  EXPECT_THAT(fails({{1, 1, 33}, std::vector<std::uint8_t>(33)}, {{1}, {0}}), HasSubstr("1 x 33"));
  constexpr std::uint32_t kMany = (1 << 20) + 1;  // one byte each, of which 3072 would be made
  EXPECT_THAT(fails({{kMany, 1, 1}, std::vector<std::uint8_t>(kMany)},
                    {{kMany}, std::vector<std::uint8_t>(kMany)}),
              HasSubstr("got 1048577 images, expected at most 1048576"));
  EXPECT_THAT(fails({{0, 0, 28}, {}}, {{0}, {}}), HasSubstr("0 x 28"));
  EXPECT_THAT(fails({{1, 1, 1}, {0}}, {{1}, {2}}), AllOf(HasSubstr("where"), HasSubstr("label 2")));
}

void write_gz(const std::string& file, const std::vector<std::uint8_t>& bytes) {
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
}

TEST(OpenIdx, PlainAndGzipMayBeMixed) {
  const Folder folder;
  write_gz((folder.path() / "train-images-idx3-ubyte.gz").string(),
           idx_bytes({3, 1, 1}, {5, 6, 7}));
  folder.write("train-labels-idx1-ubyte", idx_bytes({3}, {0, 2, 1}));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({1, 1, 1}, {9}));
  write_gz((folder.path() / "t10k-labels-idx1-ubyte.gz").string(), idx_bytes({1}, {0}));
  const TrainTest sets = open_idx(folder.path());
  EXPECT_EQ(sets.train->size(), 3U);
  EXPECT_EQ(sets.train->classes(), 3);
  EXPECT_EQ(sets.test->classes(), 3);
  std::vector<std::uint8_t> scratch;
  EXPECT_EQ(sets.train->image(1, 0, scratch).row(15)[45], 6);
}

TEST(OpenIdx, TestImagesOfAnotherSizeAreRefused) {
  const Folder folder;
  folder.write("train-images-idx3-ubyte", idx_bytes({1, 1, 2}, {5, 6}));
  folder.write("train-labels-idx1-ubyte", idx_bytes({1}, {0}));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({1, 2, 1}, {5, 6}));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({1}, {0}));
  EXPECT_THAT(error_of<DataError>([&] { open_idx(folder.path()); }),
              HasSubstr("test images of 2 x 1 pixels, expected the 1 x 2 of the training images"));
}

TEST(OpenIdx, TestLabelBeyondTheTrainingClasses) {
  const Folder folder;
  folder.write("train-images-idx3-ubyte", idx_bytes({1, 1, 1}, {5}));
  folder.write("train-labels-idx1-ubyte", idx_bytes({1}, {0}));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({1, 1, 1}, {9}));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({1}, {1}));
  EXPECT_THAT(error_of<DataError>([&] { open_idx(folder.path()); }),
              AllOf(HasSubstr("t10k"), HasSubstr("label 1")));
}

TEST(OpenIdx, AStrayLabelMakesNoClasses) {
  const Folder folder;
  folder.write("train-images-idx3-ubyte", idx_bytes({4, 1, 1}, {5, 6, 7, 8}));
  folder.write("train-labels-idx1-ubyte", idx_bytes({4}, {0, 1, 200, 3}));
  folder.write("t10k-images-idx3-ubyte", idx_bytes({1, 1, 1}, {9}));
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({1}, {0}));
  EXPECT_THAT(error_of<DataError>([&] { open_idx(folder.path()); }),
              AllOf(HasSubstr((folder.path() / "train-labels-idx1-ubyte").string()),
                    HasSubstr("label 200 at position 2"), HasSubstr("class 2;")));
  folder.write("train-labels-idx1-ubyte", idx_bytes({4}, {2, 1, 3, 3}));
  EXPECT_THAT(error_of<DataError>([&] { open_idx(folder.path()); }), HasSubstr("class 0;"));
}

TEST(OpenIdx, MissingFilesAndNoFolder) {
  const Folder folder;
  EXPECT_THAT(error_of<DataError>([&] { open_idx(folder.path()); }),
              AllOf(HasSubstr("train-images-idx3-ubyte"), HasSubstr(folder.path().string())));
  EXPECT_THAT(error_of<UsageError>([] { open_idx(""); }), HasSubstr("data.dir"));
}

}  // namespace
}  // namespace smcl::data
