#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "format/safetensors.h"

namespace smcl::fuzz {

inline std::vector<std::byte> as_bytes(const std::uint8_t* data, std::size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  return {first, first + size};
}

inline std::vector<format::TensorView> views_of(const format::SafetensorsFile& file) {
  std::vector<format::TensorView> views;
  for (const auto& [name, entry] : file.tensors()) {
    views.push_back({name, entry.dtype, entry.shape, file.bytes(entry)});
  }
  return views;
}

/// The bytes of the file that write_safetensors makes of them.
inline std::vector<std::byte> packed(const std::vector<format::TensorView>& views,
                                     const std::map<std::string, std::string>& metadata) {
  const format::PackedTensors pieces = format::pack_safetensors(views, metadata);
  std::vector<std::byte> bytes(pieces.header.size());
  std::memcpy(bytes.data(), pieces.header.data(), bytes.size());
  for (const auto& piece : pieces.data) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

}  // namespace smcl::fuzz
