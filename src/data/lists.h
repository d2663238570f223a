#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace smcl::data {

/// Lists of one number a line; empty lines and what follows a '#' do not count. `origin` names the
/// text in errors, with the line. Both throw DataError.
///
/// One count, 0 or more, a class in label order: exactly `classes` of them.
std::vector<int> parse_counts(std::string_view text, int classes, const std::string& origin);
/// Positions below `size`, none twice, in the order of the text; at least one.
std::vector<std::uint32_t> parse_indices(std::string_view text, std::size_t size,
                                         const std::string& origin);

/// The same from files; throw DataError where there is none, IoError where it cannot be read.
std::vector<int> read_counts(const std::filesystem::path& file, int classes);
std::vector<std::uint32_t> read_indices(const std::filesystem::path& file, std::size_t size);

}  // namespace smcl::data
