#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/idx.h"
#include "data/scenes_parts.h"

namespace smcl::data {

/// Items of each class that a part of the scenes may show, in file order. The pools are fixed and
/// disjoint, so no setting moves an item from one to another: test has the file t10k (1000 a
/// class), validation the last 1000 of each class in the training file, training the 5000 before.
class FashionItems {
 public:
  /// Throws DataError where a file is not in `dir` (naming the Debian package) or no such IDX file,
  /// or a class has too few items; IoError where a file cannot be read.
  explicit FashionItems(const std::filesystem::path& dir);

  std::size_t count(ScenePart part, int label) const { return pool(part, label).size(); }
  /// 28 x 28 grey levels.
  std::span<const std::uint8_t> item(ScenePart part, int label, std::size_t number) const;

 private:
  struct File {
    IdxArray images;
    std::vector<std::vector<std::uint32_t>> positions;  // a class
  };
  static File read(const std::filesystem::path& dir, const std::string& stem);
  const std::vector<std::uint32_t>& pool(ScenePart part, int label) const;

  File train_;
  File test_;
  std::vector<std::vector<std::uint32_t>> validation_;
};

const std::vector<std::string>& fashion_class_names();

}  // namespace smcl::data
