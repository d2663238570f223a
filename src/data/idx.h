#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace smcl::data {

/// An array of bytes as an IDX file holds it (LeCun et al., the format of MNIST): two zero bytes,
/// the element type (8: unsigned byte, the only one read here), the number of dimensions, each
/// dimension as 32 bits big endian, then the elements, the last dimension fastest.
struct IdxArray {
  std::vector<std::uint32_t> dims;  ///< 1 to 4 of them
  std::vector<std::uint8_t> values;
};

/// `origin` names the bytes in errors. Throws DataError where header and length do not agree: no
/// stored length is trusted.
IdxArray parse_idx(std::span<const std::uint8_t> bytes, const std::string& origin);

/// Reads a file, plain or gzip. Throws IoError, DataError.
IdxArray read_idx(const std::filesystem::path& file);

/// Grey images (count x height x width, at most 32 x 32) and their labels (count) as a colour set
/// of 32 x 32: zero-padded with the image in the middle (the spare row and column below and on the
/// right), the grey repeated. Class names are the numbers 0 to classes-1. Throws DataError.
ResidentDataset grey_set(const IdxArray& images, const IdxArray& labels, int classes,
                         const std::string& origin);

/// The four files of the MNIST family in `dir`: train-images-idx3-ubyte[.gz] and so on. Classes:
/// the largest training label + 1, each with a training image. Throws UsageError where `dir` is
/// empty, DataError (a file missing or wrong, a class without training image), IoError.
TrainTest open_idx(const std::filesystem::path& dir);

}  // namespace smcl::data
