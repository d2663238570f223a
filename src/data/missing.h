#pragma once

#include <filesystem>
#include <system_error>

namespace smcl::data {

/// Whether nothing is at `path`. Where the system does not let us look, this is false: reading the
/// file then fails with the reason.
inline bool missing(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::status(path, ignored).type() == std::filesystem::file_type::not_found;
}

}  // namespace smcl::data
