#include "data/idx.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "core/error.h"
#include "data/missing.h"
#include "format/file.h"

namespace smcl::data {
namespace {

constexpr std::uint32_t kSide = 32;
constexpr std::size_t kLimit = std::size_t{1} << 30;  // bytes of one file, unpacked
// An image takes 3072 bytes of memory, in the file perhaps one. The largest set of the family,
// EMNIST, has 814255.
constexpr std::size_t kMostImages = std::size_t{1} << 20;

std::uint32_t big_endian(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

std::string shape_of(const IdxArray& array) {
  std::string text;
  for (const std::uint32_t dim : array.dims)
    text += (text.empty() ? "" : " x ") + std::to_string(dim);
  return text;
}

std::filesystem::path find_named(const std::filesystem::path& dir, const std::string& name) {
  for (const std::string& candidate : {name, name + ".gz"}) {
    if (!missing(dir / candidate)) return dir / candidate;
  }
  throw DataError(
      concat("no ", name, " or ", name, ".gz in ", dir.string(),
             ": data.dir must hold the four files of MNIST or a set of its form "
             "(Debian has dataset-fashion-mnist in /usr/share/datasets/fashion-mnist)"));
}

/// The number of classes. A stray label would otherwise make classes that nothing is of.
int contiguous_classes(const IdxArray& labels, const std::string& origin) {
  if (labels.values.empty()) throw DataError(concat(origin, ": no training images"));
  const auto largest = std::max_element(labels.values.begin(), labels.values.end());
  for (int c = 0; c < *largest; ++c) {
    const auto label = static_cast<std::uint8_t>(c);
    if (std::find(labels.values.begin(), labels.values.end(), label) == labels.values.end()) {
      throw DataError(concat(origin, ": label ", int{*largest}, " at position ",
                             largest - labels.values.begin(), ", but no training image of class ",
                             c, "; expected every class from 0 to the largest label"));
    }
  }
  return *largest + 1;
}

}  // namespace

IdxArray parse_idx(std::span<const std::uint8_t> bytes, const std::string& origin) {
  if (bytes.size() < 4) {
    throw DataError(concat(origin, ": got ", bytes.size(), " bytes, expected an IDX header"));
  }
  const int rank = bytes[3];
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || rank < 1 || rank > 4) {
    throw DataError(concat(origin, ": starts with bytes ", int{bytes[0]}, " ", int{bytes[1]}, " ",
                           int{bytes[2]}, " ", rank,
                           ", expected 0 0 8 and 1 to 4 (IDX of unsigned bytes)"));
  }
  const std::size_t header = 4 + 4 * static_cast<std::size_t>(rank);
  if (bytes.size() < header) {
    throw DataError(concat(origin, ": got ", bytes.size(), " bytes, expected an IDX header of ",
                           header, ": cut short?"));
  }
  IdxArray array;
  const std::size_t available = bytes.size() - header;
  std::size_t count = 1;
  bool fits = true;
  for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
    const std::uint32_t dim = big_endian(bytes.data() + 4 + 4 * d);
    array.dims.push_back(dim);
    // Products past the bytes at hand are refused before they can overflow; a later zero would make
    // the array empty, and such a file is no use to anybody.
    fits = fits && (dim == 0 || count <= available / dim);
    if (fits) count *= dim;
  }
  if (!fits || count != available) {
    throw DataError(concat(origin, ": got ", available, " bytes after the header, expected ",
                           shape_of(array), ": cut short, or not the file its name says"));
  }
  const auto values = bytes.subspan(header);
  array.values.assign(values.begin(), values.end());
  return array;
}

IdxArray read_idx(const std::filesystem::path& file) {
  return parse_idx(format::read_maybe_gzip(file, kLimit), file.string());
}

ResidentDataset grey_set(const IdxArray& images, const IdxArray& labels, int classes,
                         const std::string& origin) {
  if (images.dims.size() != 3 || labels.dims.size() != 1) {
    throw DataError(concat(origin, ": got images of ", shape_of(images), " and labels of ",
                           shape_of(labels), ", expected count x height x width and count"));
  }
  const std::size_t count = images.dims[0];
  const std::uint32_t height = images.dims[1];
  const std::uint32_t width = images.dims[2];
  if (count != labels.dims[0]) {
    throw DataError(concat(origin, ": got ", count, " images and ", labels.dims[0],
                           " labels, expected as many"));
  }
  if (height < 1 || height > kSide || width < 1 || width > kSide) {
    throw DataError(concat(origin, ": images of ", height, " x ", width,
                           " pixels, expected at most ", kSide, " x ", kSide));
  }
  if (count > kMostImages) {
    throw DataError(concat(origin, ": got ", count, " images, expected at most ", kMostImages));
  }
  std::vector<std::uint8_t> pixels(count * kSide * kSide * 3);
  const std::size_t top = (kSide - height) / 2;
  const std::size_t left = (kSide - width) / 2;
  const std::uint8_t* in = images.values.data();
  for (std::size_t row = 0; row < count * height; ++row) {
    const std::size_t image = row / height;
    const std::size_t y = image * kSide + top + row % height;
    std::uint8_t* out = pixels.data() + (y * kSide + left) * 3;
    for (std::size_t x = 0; x < width; ++x, ++in) {
      std::fill_n(out + 3 * x, 3, *in);
    }
  }
  std::vector<std::string> names;
  for (int c = 0; c < classes; ++c) names.push_back(std::to_string(c));
  std::vector<std::int32_t> wide(labels.values.begin(), labels.values.end());
  try {
    return {static_cast<int>(kSide), static_cast<int>(kSide), std::move(pixels), std::move(wide),
            std::move(names)};
  } catch (const DataError& error) {
    throw DataError(concat(origin, ": ", error.what()));
  }
}

TrainTest open_idx(const std::filesystem::path& dir) {
  if (dir.empty()) {
    throw UsageError(
        "data.dir is not set: data.name = \"idx\" needs the folder of train-images-idx3-ubyte[.gz] "
        "and its three companions");
  }
  const IdxArray train_images = read_idx(find_named(dir, "train-images-idx3-ubyte"));
  const std::filesystem::path label_file = find_named(dir, "train-labels-idx1-ubyte");
  const IdxArray train_labels = read_idx(label_file);
  const IdxArray test_images = read_idx(find_named(dir, "t10k-images-idx3-ubyte"));
  const IdxArray test_labels = read_idx(find_named(dir, "t10k-labels-idx1-ubyte"));
  const std::string origin = dir.string();
  const bool images = train_images.dims.size() == 3 && test_images.dims.size() == 3;
  if (images && !std::equal(train_images.dims.begin() + 1, train_images.dims.end(),
                            test_images.dims.begin() + 1)) {
    throw DataError(concat(origin, ": test images of ", test_images.dims[1], " x ",
                           test_images.dims[2], " pixels, expected the ", train_images.dims[1],
                           " x ", train_images.dims[2], " of the training images"));
  }
  const int classes = contiguous_classes(train_labels, label_file.string());
  return {std::make_shared<ResidentDataset>(
              grey_set(train_images, train_labels, classes, concat(origin, " (train-*)"))),
          std::make_shared<ResidentDataset>(
              grey_set(test_images, test_labels, classes, concat(origin, " (t10k-*)")))};
}

}  // namespace smcl::data
