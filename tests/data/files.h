#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace smcl::data {

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "smcl-data-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw IoError("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string write(const std::string& name, std::span<const std::uint8_t> bytes) const {
    return write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

 private:
  std::filesystem::path path_;
};

/// The text of the error that `act` throws; empty where it throws none of that kind.
template <class Kind>
std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Kind& error) {
    return error.what();
  }
  return {};
}

/// Where the real CIFAR-10 lies, or empty; and why a test of it is then skipped.
inline std::filesystem::path real_data() {
  const char* dir = std::getenv("SMCL_DATA_DIR");
  const bool there = dir != nullptr &&
                     std::filesystem::exists(std::filesystem::path(dir) / "cifar-10-batches-bin");
  return there ? dir : "";
}
inline const char* no_real_data() {
  return std::getenv("SMCL_DATA_DIR") == nullptr ? "SMCL_DATA_DIR is not set"
                                                 : "SMCL_DATA_DIR has no cifar-10-batches-bin";
}

/// IDX of unsigned bytes.
inline std::vector<std::uint8_t> idx_bytes(const std::vector<std::uint32_t>& dims,
                                           const std::vector<std::uint8_t>& values) {
  std::vector<std::uint8_t> bytes{0, 0, 8, static_cast<std::uint8_t>(dims.size())};
  for (const std::uint32_t dim : dims) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<std::uint8_t>(dim >> shift));
    }
  }
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

}  // namespace smcl::data
