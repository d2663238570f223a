#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/export.h"
#include "image/geometry.h"

namespace smcl::data {

/// Images with labels, by position. A long-tailed split is a list of positions, apart from the
/// data. Implementations are immutable after construction and safe to read from many threads.
class SMCL_API Dataset {
 public:
  virtual ~Dataset() = default;

  virtual std::size_t size() const = 0;
  virtual int classes() const = 0;
  virtual std::int32_t label(std::size_t index) const = 0;
  /// RGB bytes of image `index`. `epoch` matters only to sets that show another image each epoch.
  /// The view points into the set, or into `scratch`, and lasts as long as either.
  virtual ImageView image(std::size_t index, int epoch,
                          std::vector<std::uint8_t>& scratch) const = 0;
  /// Whether image() depends on the epoch.
  virtual bool changes_by_epoch() const { return false; }
  /// One name a class, in label order.
  virtual const std::vector<std::string>& class_names() const = 0;
  /// The tight box around the object where the set knows the truth (for mask.kind = oracle and
  /// for judging detectors), in pixels of `image(index, epoch)`.
  virtual std::optional<Box> object_box(std::size_t /*index*/, int /*epoch*/) const {
    return std::nullopt;
  }
  /// One byte a pixel, 1 on the object, rows without gaps; empty where the set does not know.
  virtual std::vector<std::uint8_t> object_mask(std::size_t /*index*/, int /*epoch*/) const {
    return {};
  }
};

/// A set held in memory: one contiguous block of RGB bytes, image after image.
class SMCL_API ResidentDataset : public Dataset {
 public:
  /// `pixels` holds labels.size() images of height x width x 3 bytes; labels lie in
  /// [0, class_names.size()). Throws DataError where sizes or labels do not fit.
  ResidentDataset(int height, int width, std::vector<std::uint8_t> pixels,
                  std::vector<std::int32_t> labels, std::vector<std::string> class_names);

  std::size_t size() const override { return labels_.size(); }
  int classes() const override { return static_cast<int>(class_names_.size()); }
  std::int32_t label(std::size_t index) const override { return labels_[index]; }
  ImageView image(std::size_t index, int epoch, std::vector<std::uint8_t>& scratch) const override;
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int height() const { return height_; }
  int width() const { return width_; }

 private:
  int height_;
  int width_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int32_t> labels_;
  std::vector<std::string> class_names_;
};

/// Training and test set.
struct TrainTest {
  std::shared_ptr<const ResidentDataset> train;
  std::shared_ptr<const ResidentDataset> test;
};

/// Mean and standard deviation of each channel, on the scale 0..1.
struct Normalisation {
  std::array<double, 3> mean{0.4914, 0.4822, 0.4465};
  std::array<double, 3> std{0.2023, 0.1994, 0.2010};
};

}  // namespace smcl::data
