#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace smcl::data {

/// The official binary version of CIFAR (Krizhevsky 2009): records of label bytes and 3072 bytes of
/// pixels, plane after plane. https://www.cs.toronto.edu/~kriz/cifar.html
enum class CifarKind { cifar10, cifar100 };

/// What is fixed about one of the two sets.
struct CifarLayout {
  std::string name;     ///< cifar10, cifar100
  std::string folder;   ///< as the archive unpacks
  std::string archive;  ///< file name of the official archive
  std::string url;
  std::string md5;  ///< of the archive
  int classes = 0;
  int label_bytes = 0;             ///< the last of them is the (fine) label
  int coarse_classes = 0;          ///< of the label byte before it; 0 where there is none
  std::vector<std::string> train;  ///< file names
  std::size_t records_a_train_file = 0;
  std::string test;
  std::size_t records_test = 0;
  std::string names;  ///< file of the class names, one a line
  /// of the training images, in the order of the official files
  std::vector<std::int32_t> first_labels;

  std::size_t record_bytes() const { return static_cast<std::size_t>(label_bytes) + 3072; }
};
const CifarLayout& cifar_layout(CifarKind kind);

/// Records of one file: pixels as 32 x 32 x 3 RGB, and (fine) labels.
struct CifarRecords {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
};

/// Any whole number of records. `origin` names them in errors. Throws DataError on a broken record
/// or a label, fine or coarse, out of range.
CifarRecords parse_cifar(std::span<const std::uint8_t> bytes, CifarKind kind,
                         const std::string& origin);

/// The folder of the files: `dir` itself or the archive's folder in it. Throws UsageError where
/// `dir` is empty, DataError where neither holds the files, saying where to get them.
std::filesystem::path find_cifar(const std::filesystem::path& dir, CifarKind kind);

/// One class name a line; empty lines do not count. Throws DataError where they are not one a
/// class.
std::vector<std::string> parse_cifar_names(std::string_view text, CifarKind kind,
                                           const std::string& origin);

/// The class names of a found folder. Throws DataError (missing, not one a class), IoError.
std::vector<std::string> read_cifar_names(const std::filesystem::path& folder, CifarKind kind);

/// One file of a found folder, which must hold `records` records. Throws DataError (missing, wrong
/// size or label), IoError (cannot be read).
CifarRecords read_cifar_file(const std::filesystem::path& file, CifarKind kind,
                             std::size_t records);

/// Both sets, whole, in the order of the files. Throws as the functions above.
TrainTest open_cifar(const std::filesystem::path& dir, CifarKind kind);

}  // namespace smcl::data
