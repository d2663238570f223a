#include "data/scenes_fashion.h"

#include "core/error.h"
#include "data/missing.h"
#include "data/scenes_object.h"

namespace smcl::data {
namespace {

constexpr std::size_t kValidationPool = 1000;
constexpr std::size_t kItemBytes = static_cast<std::size_t>(kItemSize) * kItemSize;

std::filesystem::path find(const std::filesystem::path& dir, const std::string& name) {
  for (const std::string suffix : {".gz", ""}) {
    auto file = dir / (name + suffix);
    if (!missing(file)) return file;
  }
  throw DataError(concat("scenes need Fashion-MNIST: ", (dir / (name + ".gz")).string(),
                         " does not exist; install the Debian package dataset-fashion-mnist or "
                         "set scenes.fashion_dir"));
}

IdxArray read_checked(const std::filesystem::path& file, std::size_t dimensions) {
  IdxArray array = read_idx(file);
  const auto& dims = array.dims;
  const bool fits =
      dims.size() == dimensions &&
      (dimensions == 1 || (dims[1] == std::uint32_t{kItemSize} && dims[2] == dims[1]));
  if (!fits) {
    throw DataError(concat(file.string(), ": an IDX file of ", dims.size(),
                           " dimensions or another size, expected ",
                           dimensions == 1 ? "labels" : "28 x 28 images"));
  }
  return array;
}

}  // namespace

FashionItems::File FashionItems::read(const std::filesystem::path& dir, const std::string& stem) {
  const auto label_file = find(dir, stem + "-labels-idx1-ubyte");
  File result;
  result.images = read_checked(find(dir, stem + "-images-idx3-ubyte"), 3);
  const IdxArray labels = read_checked(label_file, 1);
  if (result.images.dims[0] != labels.dims[0]) {
    throw DataError(concat(label_file.string(), ": ", labels.dims[0], " labels for ",
                           result.images.dims[0], " images"));
  }
  result.positions.resize(kSceneClasses);
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    const unsigned label = labels.values[i];
    if (label >= kSceneClasses) {
      throw DataError(concat(label_file.string(), ": label ", label, " at position ", i,
                             ", expected 0 to ", kSceneClasses - 1));
    }
    result.positions[label].push_back(static_cast<std::uint32_t>(i));
  }
  return result;
}

FashionItems::FashionItems(const std::filesystem::path& dir)
    : train_(read(dir, "train")), test_(read(dir, "t10k")), validation_(kSceneClasses) {
  for (std::size_t label = 0; label < kSceneClasses; ++label) {
    auto& all = train_.positions[label];
    if (all.size() <= kValidationPool) {
      throw DataError(concat(dir.string(), ": ", all.size(), " training items of class ", label,
                             ", expected more than ", kValidationPool));
    }
    const auto split = all.end() - static_cast<std::ptrdiff_t>(kValidationPool);
    validation_[label].assign(split, all.end());
    all.erase(split, all.end());
  }
}

const std::vector<std::uint32_t>& FashionItems::pool(ScenePart part, int label) const {
  const auto at = static_cast<std::size_t>(label);
  if (part == ScenePart::test) return test_.positions[at];
  return part == ScenePart::validation ? validation_[at] : train_.positions[at];
}

std::span<const std::uint8_t> FashionItems::item(ScenePart part, int label,
                                                 std::size_t number) const {
  const File& file = part == ScenePart::test ? test_ : train_;
  return std::span(file.images.values).subspan(pool(part, label)[number] * kItemBytes, kItemBytes);
}

const std::vector<std::string>& fashion_class_names() {
  static const std::vector<std::string> names{"t-shirt", "trouser", "pullover", "dress", "coat",
                                              "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
  return names;
}

}  // namespace smcl::data
