#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/scenes.h"

namespace smcl::data {

using Bytes = std::vector<std::uint8_t>;

/// A stand-in for Fashion-MNIST: item i is of class i % 10. Its first row holds the number of the
/// file and i; below lies a block of cloth whose height, width and levels depend on i.
class FashionFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "smcl-scenes-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void write(const std::string& stem, std::uint8_t file, std::uint32_t items) const {
    Bytes images{0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28};
    Bytes labels{0, 0, 8, 1, 0, 0, 0, 0};
    for (std::size_t byte = 0; byte < 4; ++byte) {
      images[4 + byte] = labels[4 + byte] = static_cast<std::uint8_t>(items >> (24 - 8 * byte));
    }
    for (std::uint32_t i = 0; i < items; ++i) {
      Bytes item(784);
      item[0] = file;
      item[1] = static_cast<std::uint8_t>(i >> 8);
      item[2] = static_cast<std::uint8_t>(i);
      const std::uint32_t height = 12 + i / 10 % 14;
      const std::uint32_t width = 12 + i / 7 % 16;
      for (std::uint32_t y = 2; y < 2 + height; ++y) {
        for (std::uint32_t x = 1; x < 1 + width; ++x) {
          item[y * 28 + x] = static_cast<std::uint8_t>(60 + (i + x * y) % 190);
        }
      }
      images.insert(images.end(), item.begin(), item.end());
      labels.push_back(static_cast<std::uint8_t>(i % 10));
    }
    put(stem + "-images-idx3-ubyte", images);
    put(stem + "-labels-idx1-ubyte", labels);
  }
  void put(const std::string& name, const Bytes& bytes) const {
    std::ofstream(dir_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  std::filesystem::path dir_;
};

inline Bytes pixels_of(const Dataset& set, std::size_t index, int epoch = 0) {
  Bytes scratch;
  const ImageView view = set.image(index, epoch, scratch);
  Bytes result;
  for (int y = 0; y < view.height; ++y) {
    result.insert(result.end(), view.row(y), view.row(y) + view.width * view.channels);
  }
  return result;
}

}  // namespace smcl::data
