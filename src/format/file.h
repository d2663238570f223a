#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smcl::format {

/// The whole file, which must fit into the machine's memory; a text is below 1 GiB. Throws IoError
/// with the system's reason and the path.
std::vector<std::uint8_t> read_file(const std::filesystem::path& file);
std::vector<std::byte> read_bytes(const std::filesystem::path& file);
std::string read_text(const std::filesystem::path& file);

/// Whole or absent: writes a temporary name (FILE.tmp) beside it, fsync, rename, fsync of the
/// folder. Makes missing parent folders; writers of one file take turns. Throws IoError; the old
/// file is then intact.
void write_file_atomic(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file_atomic(const std::filesystem::path& file, std::string_view text);
/// The same from several pieces, one after the other.
void write_pieces_atomic(const std::filesystem::path& file,
                         const std::vector<std::span<const std::byte>>& pieces);
/// Makes a folder and those above it, each on the disk with its entry. Throws IoError.
void make_folder(const std::filesystem::path& folder);
/// New names in it reach the disk. Throws IoError.
void sync_folder(const std::filesystem::path& folder);
/// What was written to it reaches the disk. Throws IoError.
void sync_file(const std::filesystem::path& file);
/// A second name for `file`, where the file system has such names, else a copy; replaces `link`,
/// makes missing parent folders. Throws IoError.
void link_or_copy(const std::filesystem::path& file, const std::filesystem::path& link);
/// Appends one line with a single write; a last line that a crash left without its line break is
/// cut off first. Throws IoError; the file then ends with a whole line.
void append_line(const std::filesystem::path& file, std::string_view line);
/// Appends bytes with a single write. Throws IoError; the file is then as it was.
void append_bytes(const std::filesystem::path& file, std::string_view bytes);

/// Hexadecimal digests.
std::string md5_of_file(const std::filesystem::path& file);
std::string sha256(std::string_view text);
std::string sha256_of_file(const std::filesystem::path& file);

/// Reads a file that may be gzip (by its magic), at most `limit` bytes unpacked. Throws IoError,
/// DataError (broken gzip, over the limit).
std::vector<std::uint8_t> read_maybe_gzip(const std::filesystem::path& file, std::size_t limit);
/// The same from bytes; `origin` names them in errors. Throws DataError.
std::vector<std::uint8_t> unpack_maybe_gzip(std::vector<std::uint8_t> bytes, std::size_t limit,
                                            const std::string& origin);

}  // namespace smcl::format
