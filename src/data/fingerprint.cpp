#include "data/fingerprint.h"

#include <iomanip>
#include <limits>
#include <span>
#include <sstream>
#include <string_view>

#include "format/file.h"

namespace smcl::data {
namespace {

constexpr int kVersion = 1;

std::string_view as_text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string pixel_hash(const ImageView& image, std::string& gathered) {
  const std::size_t row =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  if (image.stride == static_cast<std::ptrdiff_t>(row)) {
    return format::sha256(as_text(image.pixels, row * static_cast<std::size_t>(image.height)));
  }
  gathered.clear();
  for (int y = 0; y < image.height; ++y) gathered += as_text(image.row(y), row);
  return format::sha256(gathered);
}

void add_set(std::ostringstream& out, const std::string& title, const Dataset* set,
             std::span<const std::uint32_t> samples) {
  out << title << ' ' << samples.size() << '\n';
  if (set == nullptr) return;
  std::vector<std::uint8_t> scratch;
  std::string gathered;
  for (const std::uint32_t sample : samples) {
    out << sample << ' ' << set->label(sample) << ' '
        << pixel_hash(set->image(sample, 0, scratch), gathered) << '\n';
  }
}

void add_scenes(std::ostringstream& out, const ScenesSettings& scenes) {
  out << "scenes " << scenes.seed << ' ' << scenes.support.name;
  for (const double argument : scenes.support.args) out << ' ' << argument;
  out << ' ' << scenes.kind_zipf << ' ' << scenes.scale_min << ' ' << scenes.scale_max << ' '
      << scenes.texture_amplitude << ' ' << scenes.test_objects << ' ' << scenes.val_objects
      << '\n';
}

}  // namespace

std::string fingerprint(const DataSettings& settings, const Opened& opened) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::setprecision(std::numeric_limits<double>::max_digits10);
  out << "smcl data " << kVersion << '\n'
      << settings.name << ' ' << opened.height << 'x' << opened.width << '\n';
  for (const std::string& name : opened.train->class_names()) out << name << '\n';
  if (opened.scenes) add_scenes(out, settings.scenes);
  add_set(out, "train", opened.train.get(), opened.train_samples);
  add_set(out, "validation", opened.validation.get(), opened.validation_samples);
  add_set(out, "test", opened.test.get(), opened.test_samples);
  return format::sha256(out.str());
}

}  // namespace smcl::data
