#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/export.h"

namespace smcl::format {

/// Element types of safetensors that we use, with their names in the file.
enum class Dtype { f32, f64, bf16, f16, i64, i32, u8, u32, boolean };
SMCL_API std::string dtype_name(Dtype dtype);  ///< "F32", "I64", ...
SMCL_API std::size_t dtype_size(Dtype dtype);

/// One tensor to write: `bytes` are row-major, little endian, of somebody else.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A safetensors file in pieces: the header with its length in front, then the data of the tensors
/// in the order of the file, still of somebody else.
struct PackedTensors {
  std::string header;
  std::vector<std::span<const std::byte>> data;
};

/// Names are unique; metadata is text and gets "format_version" (unless given) and "sha256", a
/// checksum of names, shapes, metadata and data. Data start at a multiple of 8 bytes and every
/// tensor at one of its element size. Throws InternalError where bytes and shape do not fit.
SMCL_API PackedTensors pack_safetensors(const std::vector<TensorView>& tensors,
                                        const std::map<std::string, std::string>& metadata);
/// Writes the same as a file, atomically (format/file.h). Throws IoError besides.
SMCL_API void write_safetensors(const std::filesystem::path& file,
                                const std::vector<TensorView>& tensors,
                                const std::map<std::string, std::string>& metadata);

/// A safetensors file in memory, checked in full on construction: header length, JSON, dtypes,
/// shapes, offsets without gaps or overlaps inside the file, and our checksum where there is one;
/// no stored length is trusted. Tensors of foreign files may be unaligned: copy, do not cast.
class SMCL_API SafetensorsFile {
 public:
  struct Entry {
    Dtype dtype = Dtype::f32;
    std::vector<std::int64_t> shape;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// Throws IoError (cannot read), DataError (what is wrong, where).
  static SafetensorsFile read(const std::filesystem::path& file);
  /// From bytes; `origin` names them in errors.
  static SafetensorsFile parse(std::vector<std::byte> bytes, const std::string& origin);

  const std::map<std::string, Entry>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// A text of the metadata; empty where there is none of that name.
  std::string note(const std::string& key) const;
  /// Throws DataError unless "format_version" is the one that this program writes.
  void check_format_version() const;
  /// Throws DataError for a name that is not there, naming the file and the nearest names.
  const Entry& at(const std::string& name) const;
  std::span<const std::byte> bytes(const Entry& entry) const {
    return std::span(bytes_).subspan(entry.begin, entry.end - entry.begin);
  }
  const std::string& origin() const { return origin_; }

 private:
  void check_damage(std::size_t data_begin) const;

  std::string origin_;
  std::vector<std::byte> bytes_;
  std::map<std::string, Entry> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace smcl::format
