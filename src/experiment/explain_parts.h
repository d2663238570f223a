#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/open.h"
#include "image/image.h"

/// What the pictures of `explain` share.
namespace smcl::experiment {

/// At most `count` items, of each class in turn the next, so that a picture shows the rare ones
/// too.
template <class Item>
std::vector<Item> spread(const std::vector<std::vector<Item>>& by_class, int count) {
  std::vector<Item> chosen;
  for (std::size_t round = 0; static_cast<int>(chosen.size()) < count; ++round) {
    const std::size_t before = chosen.size();
    for (const auto& items : by_class) {
      if (round < items.size()) chosen.push_back(items[round]);
    }
    if (chosen.size() == before) break;
  }
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(count)));
  return chosen;
}

/// Those of the most frequent classes first; each has a `sample` of the training set.
template <class Shown>
void most_frequent_first(std::vector<Shown>& images, const data::Opened& data) {
  const auto count = [&](const Shown& one) {
    return data.train_counts[static_cast<std::size_t>(data.train->label(one.sample))];
  };
  std::stable_sort(images.begin(), images.end(),
                   [&](const Shown& a, const Shown& b) { return count(a) > count(b); });
}

/// "cat (50 images)": the class of a training image and how many it has.
std::string class_of(const data::Opened& data, std::uint32_t sample);

/// Rows of pictures of one size, four times as large as they are, under titles and above lines of
/// text.
class PictureGrid {
 public:
  PictureGrid(std::size_t rows, int lines, int height, int width,
              const std::vector<std::string>& titles);

  void picture(std::size_t row, int column, const ImageView& picture);
  /// height x width values as colours.
  void map(std::size_t row, int column, std::span<const std::uint8_t> values);
  /// On a picture that is there: a box and its centre.
  void mark(std::size_t row, int column, const Box& box, Point centre);
  void text(std::size_t row, int line, const std::string& text);

  Image take() { return std::move(canvas_); }

 private:
  Point corner(std::size_t row, int column) const;

  int height_;
  int width_;
  int row_height_;
  Image canvas_;
};

}  // namespace smcl::experiment
