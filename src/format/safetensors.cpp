#include "format/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

#include "core/config.h"
#include "core/error.h"
#include "format/digest.h"
#include "format/file.h"
#include "format/json.h"

namespace smcl::format {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "safetensors are little endian");

constexpr std::size_t kMaxHeader = std::size_t{1} << 24;
constexpr std::size_t kMaxRank = 16;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "sha256";

struct DtypeRow {
  Dtype dtype;
  const char* name;
  std::size_t size;
};
constexpr std::array<DtypeRow, 9> kDtypes{{{Dtype::f32, "F32", 4},
                                           {Dtype::f64, "F64", 8},
                                           {Dtype::bf16, "BF16", 2},
                                           {Dtype::f16, "F16", 2},
                                           {Dtype::i64, "I64", 8},
                                           {Dtype::i32, "I32", 4},
                                           {Dtype::u8, "U8", 1},
                                           {Dtype::u32, "U32", 4},
                                           {Dtype::boolean, "BOOL", 1}}};

const DtypeRow& row_of(Dtype dtype) {
  for (const DtypeRow& row : kDtypes) {
    if (row.dtype == dtype) return row;
  }
  throw InternalError("unknown element type");
}

/// Bytes of a tensor, or nothing where the product overflows.
std::optional<std::size_t> byte_size(Dtype dtype, const std::vector<std::int64_t>& shape) {
  std::size_t size = dtype_size(dtype);
  for (const std::int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(size, static_cast<std::size_t>(side), &size)) {
      return std::nullopt;
    }
  }
  return size;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return json(shape).dump();
}

/// The checksum of what a file says and holds: the tensors in order of names, the metadata, the
/// data.
class Checksum {
 public:
  /// `begin` counts from the first byte of data.
  void tensor(const std::string& name, Dtype dtype, const std::vector<std::int64_t>& shape,
              std::size_t begin) {
    digest_.add(to_line(json{name, dtype_name(dtype), shape, begin}));
  }
  void metadata(std::map<std::string, std::string> metadata) {
    metadata.erase(kChecksum);
    digest_.add(to_line(json(metadata)));
  }
  void data(std::span<const std::byte> bytes) { digest_.add(bytes); }
  std::string hex() { return digest_.hex(); }

 private:
  Digest digest_{Algorithm::sha256};
};

/// Widest elements first, so that every tensor is aligned to its elements.
std::vector<const TensorView*> file_order(const std::vector<TensorView>& tensors) {
  std::vector<const TensorView*> order;
  std::set<std::string> names;
  for (const TensorView& tensor : tensors) {
    if (tensor.name == kMetadata || !names.insert(tensor.name).second) {
      throw InternalError(concat("tensor name '", tensor.name, "' comes twice or is reserved"));
    }
    if (byte_size(tensor.dtype, tensor.shape) != tensor.bytes.size()) {
      throw InternalError(concat("tensor '", tensor.name, "' has ", tensor.bytes.size(),
                                 " bytes, which do not fit ", dtype_name(tensor.dtype), " ",
                                 shape_text(tensor.shape)));
    }
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });
  return order;
}

}  // namespace

std::string dtype_name(Dtype dtype) {
  return row_of(dtype).name;
}

std::size_t dtype_size(Dtype dtype) {
  return row_of(dtype).size;
}

PackedTensors pack_safetensors(const std::vector<TensorView>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  const std::vector<const TensorView*> order = file_order(tensors);
  std::map<std::string, std::string> notes = metadata;
  notes.emplace("format_version", std::to_string(kFormatVersion));

  json header = json::object();
  std::map<std::string, std::pair<const TensorView*, std::size_t>> begins;
  std::size_t offset = 0;
  for (const TensorView* tensor : order) {
    const std::size_t end = offset + tensor->bytes.size();
    header[tensor->name] = {{"dtype", dtype_name(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, end}}};
    begins[tensor->name] = {tensor, offset};
    offset = end;
  }
  Checksum checksum;
  for (const auto& [name, placed] : begins) {
    checksum.tensor(name, placed.first->dtype, placed.first->shape, placed.second);
  }
  checksum.metadata(notes);
  for (const TensorView* tensor : order) checksum.data(tensor->bytes);
  notes[kChecksum] = checksum.hex();
  header[kMetadata] = notes;

  std::string text = to_line(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kMaxHeader) {
    throw InternalError(
        concat("safetensors header of ", text.size(), " bytes, at most ", kMaxHeader));
  }
  const auto length = static_cast<std::uint64_t>(text.size());
  PackedTensors packed;
  packed.header.assign(reinterpret_cast<const char*>(&length), sizeof length);
  packed.header += text;
  for (const TensorView* tensor : order) packed.data.push_back(tensor->bytes);
  return packed;
}

void write_safetensors(const std::filesystem::path& file, const std::vector<TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const PackedTensors packed = pack_safetensors(tensors, metadata);
  std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(packed.header))};
  pieces.insert(pieces.end(), packed.data.begin(), packed.data.end());
  write_pieces_atomic(file, pieces);
}

namespace {

/// Reads the header of one file; every refusal names the file and the tensor.
class HeaderReader {
 public:
  HeaderReader(std::string origin, std::size_t data_begin, std::size_t file_size)
      : origin_(std::move(origin)), data_begin_(data_begin), data_size_(file_size - data_begin) {}

  SafetensorsFile::Entry tensor(const std::string& name, const json& object) const {
    if (!object.is_object() || object.size() != 3) {
      refuse(name, "expected an object of dtype, shape and data_offsets");
    }
    SafetensorsFile::Entry entry;
    entry.dtype = dtype(name, object);
    entry.shape = shape(name, object);
    const json& offsets = member(name, object, "data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      refuse(name, "data_offsets are no two integers");
    }
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_size_) {
      refuse(name, concat("data_offsets ", offsets.dump(), " lie outside the ", data_size_,
                          " bytes of data (is the file cut off?)"));
    }
    const std::optional<std::size_t> size = byte_size(entry.dtype, entry.shape);
    if (size != end - begin) {
      refuse(name, concat(end - begin, " bytes do not fit ", dtype_name(entry.dtype), " ",
                          shape_text(entry.shape)));
    }
    entry.begin = data_begin_ + begin;
    entry.end = data_begin_ + end;
    return entry;
  }

  std::map<std::string, std::string> metadata(const json& object) const {
    if (!object.is_object()) refuse(kMetadata, "expected an object");
    std::map<std::string, std::string> out;
    for (const auto& [key, value] : object.items()) {
      if (!value.is_string()) refuse(kMetadata, concat("the value of '", key, "' is no text"));
      out.emplace(key, value.get<std::string>());
    }
    return out;
  }

  /// Throws unless the tensors cover the data without gap or overlap.
  void check_cover(const std::map<std::string, SafetensorsFile::Entry>& all) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : all) names.push_back(name);
    std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
      const auto& x = all.at(a);
      const auto& y = all.at(b);
      return std::pair(x.begin, x.end) < std::pair(y.begin, y.end);
    });
    std::size_t expected = data_begin_;
    for (const std::string& name : names) {
      if (all.at(name).begin != expected) refuse(name, "its data overlap others or leave a gap");
      expected = all.at(name).end;
    }
    if (expected != data_begin_ + data_size_) {
      throw DataError(concat(origin_, ": ", data_begin_ + data_size_ - expected,
                             " bytes at the end belong to no tensor"));
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
    throw DataError(concat(origin_, ": tensor ", to_line(name), ": ", what));
  }

  const json& member(const std::string& name, const json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end()) refuse(name, concat("'", key, "' is missing"));
    return *found;
  }

  Dtype dtype(const std::string& name, const json& object) const {
    const json& text = member(name, object, "dtype");
    for (const DtypeRow& row : kDtypes) {
      if (text == row.name) return row.dtype;
    }
    refuse(name, concat("dtype ", to_line(text), " is none that this program reads"));
  }

  std::vector<std::int64_t> shape(const std::string& name, const json& object) const {
    const json& list = member(name, object, "shape");
    if (!list.is_array() || list.size() > kMaxRank) {
      refuse(name, concat("shape is no array of at most ", kMaxRank, " integers"));
    }
    std::vector<std::int64_t> sides;
    for (const json& side : list) {
      if (!side.is_number_unsigned() || side.get<std::uint64_t>() > INT64_MAX) {
        refuse(name, "shape has a side that is no integer of at least 0");
      }
      sides.push_back(side.get<std::int64_t>());
    }
    return sides;
  }

  std::string origin_;
  std::size_t data_begin_;
  std::size_t data_size_;
};

json read_header(const std::vector<std::byte>& bytes, const std::string& origin,
                 std::size_t& data_begin) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) {
    throw DataError(concat(origin, ": ", bytes.size(), " bytes are no safetensors file"));
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length) {
    throw DataError(concat(origin, ": no safetensors file: a header of ", length,
                           " bytes in a file of ", bytes.size()));
  }
  data_begin = sizeof length + length;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
  constexpr int kDepth = 3;  // header, tensor, shape
  json header = parse_json(text, origin, kDepth);
  if (!header.is_object()) throw DataError(concat(origin, ": the header is no JSON object"));
  return header;
}

}  // namespace

SafetensorsFile SafetensorsFile::parse(std::vector<std::byte> bytes, const std::string& origin) {
  SafetensorsFile file;
  file.origin_ = origin;
  file.bytes_ = std::move(bytes);
  std::size_t data_begin = 0;
  const json header = read_header(file.bytes_, origin, data_begin);
  const HeaderReader reader(origin, data_begin, file.bytes_.size());
  for (const auto& [name, object] : header.items()) {
    if (name == kMetadata) {
      file.metadata_ = reader.metadata(object);
    } else {
      file.tensors_.emplace(name, reader.tensor(name, object));
    }
  }
  reader.check_cover(file.tensors_);
  file.check_damage(data_begin);
  return file;
}

void SafetensorsFile::check_damage(std::size_t data_begin) const {
  const auto found = metadata_.find(kChecksum);
  if (found == metadata_.end()) {
    // Foreign files have none; in one of ours its name must have been hit.
    if (metadata_.count("format_version") == 0) return;
    throw DataError(concat(origin_, ": the checksum is missing: the file was damaged"));
  }
  Checksum checksum;
  for (const auto& [name, entry] : tensors_) {
    checksum.tensor(name, entry.dtype, entry.shape, entry.begin - data_begin);
  }
  checksum.metadata(metadata_);
  checksum.data(std::span(bytes_).subspan(data_begin));
  if (checksum.hex() != found->second) {
    throw DataError(concat(origin_, ": the checksum does not fit: the file was damaged"));
  }
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& file) {
  return parse(read_bytes(file), file.string());
}

std::string SafetensorsFile::note(const std::string& key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? std::string() : found->second;
}

void SafetensorsFile::check_format_version() const {
  const std::string version = note("format_version");
  if (version == std::to_string(kFormatVersion)) return;
  throw DataError(
      concat(origin_, ": format_version is '", version, "', this program knows ", kFormatVersion));
}

const SafetensorsFile::Entry& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found != tensors_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, entry] : tensors_) names.push_back(known);
  const std::string near = config::nearest(name, names);
  throw DataError(concat(origin_, ": no tensor '", name, "' among ", names.size(),
                         near.empty() ? "" : concat("; the nearest is '", near, "'")));
}

}  // namespace smcl::format
