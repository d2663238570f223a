#include "data/dataset.h"

#include <utility>

#include "core/error.h"

namespace smcl::data {

ResidentDataset::ResidentDataset(int height, int width, std::vector<std::uint8_t> pixels,
                                 std::vector<std::int32_t> labels,
                                 std::vector<std::string> class_names)
    : height_(height),
      width_(width),
      pixels_(std::move(pixels)),
      labels_(std::move(labels)),
      class_names_(std::move(class_names)) {
  if (height < 1 || width < 1) {
    throw DataError(concat("images of ", height, " x ", width, " pixels: both must be positive"));
  }
  const std::size_t image_bytes =
      static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
  if (pixels_.size() % image_bytes != 0 || pixels_.size() / image_bytes != labels_.size()) {
    throw DataError(concat("got ", pixels_.size(), " bytes of pixels for ", labels_.size(),
                           " labels, expected ", image_bytes, " bytes an image"));
  }
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] < 0 || labels_[i] >= ResidentDataset::classes()) {
      throw DataError(concat("image ", i, " has label ", labels_[i], ", expected 0 to ",
                             ResidentDataset::classes() - 1));
    }
  }
}

ImageView ResidentDataset::image(std::size_t index, int /*epoch*/,
                                 std::vector<std::uint8_t>& /*scratch*/) const {
  const std::size_t stride = static_cast<std::size_t>(width_) * 3;
  return {pixels_.data() + index * stride * static_cast<std::size_t>(height_), height_, width_, 3,
          static_cast<std::ptrdiff_t>(stride)};
}

}  // namespace smcl::data
