#include "data/cifar.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "data/missing.h"
#include "format/file.h"

namespace smcl::data {
namespace {

constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kPixels = 3 * kPlane;

std::string where_to_get(const CifarLayout& layout) {
  return concat("unpack ", layout.archive, " from ", layout.url, " there, or set data.dir");
}

void append(CifarRecords& all, CifarRecords&& part) {
  all.pixels.insert(all.pixels.end(), part.pixels.begin(), part.pixels.end());
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
}

}  // namespace

const CifarLayout& cifar_layout(CifarKind kind) {
  static const CifarLayout cifar10{
      .name = "cifar10",
      .folder = "cifar-10-batches-bin",
      .archive = "cifar-10-binary.tar.gz",
      .url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      .md5 = "c32a1d4ab5d03f1284b67883e8d87530",
      .classes = 10,
      .label_bytes = 1,
      .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                "data_batch_5.bin"},
      .records_a_train_file = 10000,
      .test = "test_batch.bin",
      .records_test = 10000,
      .names = "batches.meta.txt",
      .first_labels = {6, 9, 9, 4, 1, 1, 2, 7, 8, 3},
  };
  static const CifarLayout cifar100{
      .name = "cifar100",
      .folder = "cifar-100-binary",
      .archive = "cifar-100-binary.tar.gz",
      .url = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
      .md5 = "03b5dce01913d631647c71ecec9e9cb8",
      .classes = 100,
      .label_bytes = 2,
      .coarse_classes = 20,
      .train = {"train.bin"},
      .records_a_train_file = 50000,
      .test = "test.bin",
      .records_test = 10000,
      .names = "fine_label_names.txt",
      .first_labels = {19, 29, 0, 11, 1},
  };
  return kind == CifarKind::cifar10 ? cifar10 : cifar100;
}

CifarRecords parse_cifar(std::span<const std::uint8_t> bytes, CifarKind kind,
                         const std::string& origin) {
  const CifarLayout& layout = cifar_layout(kind);
  const std::size_t record_bytes = layout.record_bytes();
  const std::size_t label_bytes = record_bytes - kPixels;
  if (bytes.size() % record_bytes != 0) {
    throw DataError(concat(origin, ": got ", bytes.size(), " bytes, expected a multiple of ",
                           record_bytes, " (records of ", layout.name, "): cut short?"));
  }
  const std::size_t count = bytes.size() / record_bytes;
  CifarRecords records;
  records.labels.reserve(count);
  records.pixels.resize(count * kPixels);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* record = bytes.data() + i * record_bytes;
    const std::int32_t label = record[label_bytes - 1];
    const auto check = [&](const char* what, int got, int classes) {
      if (got < classes) return;
      throw DataError(concat(origin, ": record ", i, " has ", what, " ", got, ", expected 0 to ",
                             classes - 1, ": broken, or not the binary version of ", layout.name));
    };
    check("label", label, layout.classes);
    if (layout.coarse_classes > 0) check("coarse label", record[0], layout.coarse_classes);
    records.labels.push_back(label);
    const std::uint8_t* planes = record + label_bytes;
    std::uint8_t* out = records.pixels.data() + i * kPixels;
    for (std::size_t p = 0; p < kPlane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) out[3 * p + c] = planes[c * kPlane + p];
    }
  }
  return records;
}

std::filesystem::path find_cifar(const std::filesystem::path& dir, CifarKind kind) {
  const CifarLayout& layout = cifar_layout(kind);
  if (dir.empty()) {
    throw UsageError(concat("data.dir is not set: data.name = \"", layout.name,
                            "\" needs the folder that holds ", layout.folder, " (", layout.archive,
                            " from ", layout.url, ", unpacked)"));
  }
  for (const std::filesystem::path& folder : {dir, dir / layout.folder}) {
    if (!missing(folder / layout.train.front())) return folder;
  }
  throw DataError(concat("no ", layout.train.front(), " in ", dir.string(), " or ",
                         (dir / layout.folder).string(), ": ",
                         dir.string().starts_with('~')
                             ? "the shell expands ~ only at the beginning "
                               "of a word, so write the path in full; or "
                             : "",
                         where_to_get(layout)));
}

std::vector<std::string> parse_cifar_names(std::string_view text, CifarKind kind,
                                           const std::string& origin) {
  const CifarLayout& layout = cifar_layout(kind);
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto is_text = [](unsigned char c) { return c >= ' ' && c <= '~'; };
    if (!std::all_of(line.begin(), line.end(), is_text)) {
      throw DataError(concat(origin, ": class name ", names.size(),
                             " has other than printable ASCII characters: ", where_to_get(layout)));
    }
    if (!line.empty()) names.emplace_back(line);
    begin = end + 1;
  }
  if (names.size() != static_cast<std::size_t>(layout.classes)) {
    throw DataError(concat(origin, ": got ", names.size(), " class names, expected ",
                           layout.classes, ": ", where_to_get(layout)));
  }
  return names;
}

std::vector<std::string> read_cifar_names(const std::filesystem::path& folder, CifarKind kind) {
  const CifarLayout& layout = cifar_layout(kind);
  const std::filesystem::path file = folder / layout.names;
  if (missing(file)) {
    throw DataError(concat(file.string(), " is missing: ", where_to_get(layout)));
  }
  return parse_cifar_names(format::read_text(file), kind, file.string());
}

CifarRecords read_cifar_file(const std::filesystem::path& file, CifarKind kind,
                             std::size_t records) {
  const CifarLayout& layout = cifar_layout(kind);
  if (missing(file)) {
    throw DataError(concat(file.string(), " is missing: ", where_to_get(layout)));
  }
  std::error_code failed;
  const std::uintmax_t bytes = std::filesystem::file_size(file, failed);
  if (failed) {
    throw IoError(concat(file.string(), ": ", failed.message(), ": ", where_to_get(layout)));
  }
  // Looked at before reading, so that a wrong file of any size costs nothing.
  const std::size_t expected = records * layout.record_bytes();
  if (bytes != expected) {
    throw DataError(concat(file.string(), ": got ", bytes, " bytes, expected ", expected, " (",
                           records, " records of ", layout.record_bytes(),
                           "): ", where_to_get(layout)));
  }
  const std::vector<std::uint8_t> contents = format::read_file(file);
  CifarRecords parsed = parse_cifar(contents, kind, file.string());
  if (parsed.labels.size() != records) {
    throw DataError(concat(file.string(), ": changed while it was read: got ", parsed.labels.size(),
                           " records, expected ", records));
  }
  return parsed;
}

TrainTest open_cifar(const std::filesystem::path& dir, CifarKind kind) {
  const CifarLayout& layout = cifar_layout(kind);
  const std::filesystem::path folder = find_cifar(dir, kind);
  const std::vector<std::string> names = read_cifar_names(folder, kind);
  CifarRecords train;
  train.pixels.reserve(layout.train.size() * layout.records_a_train_file * kPixels);
  for (const std::string& name : layout.train) {
    append(train, read_cifar_file(folder / name, kind, layout.records_a_train_file));
  }
  CifarRecords test = read_cifar_file(folder / layout.test, kind, layout.records_test);
  return {std::make_shared<ResidentDataset>(32, 32, std::move(train.pixels),
                                            std::move(train.labels), names),
          std::make_shared<ResidentDataset>(32, 32, std::move(test.pixels), std::move(test.labels),
                                            names)};
}

}  // namespace smcl::data
