#include "experiment/analysis_pictures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "experiment/shown_image.h"
#include "image/draw.h"

namespace smcl::experiment {
namespace {

constexpr int kRows = 10;
constexpr int kNearest = 5;
constexpr int kMargin = 12;
constexpr int kFrame = 4;
constexpr int kLine = 2 * draw::kGlyphHeight + 5;  // of text at twice its size
constexpr int kCaption = 2 * kLine + 8;
constexpr int kCell = 128;  // pixels that an image is brought to, or more where it is larger

constexpr draw::Colour kWhite{255, 255, 255};
constexpr draw::Colour kBlack{0, 0, 0};
constexpr draw::Colour kGrey{90, 90, 90};
constexpr draw::Colour kOwn{0, 90, 200};
constexpr draw::Colour kRare{225, 115, 0};
constexpr draw::Colour kOther{185, 185, 185};

/// At twice the size, cut off where it is longer than `width`.
void write_line(Image& canvas, Point at, std::string words, int width, draw::Colour colour) {
  const auto most = static_cast<std::size_t>(width / (2 * draw::kGlyphAdvance));
  if (words.size() > most) words = words.substr(0, most - 1) + ".";
  draw::text(canvas, at, words, colour, 2);
}

std::string rounded(float cosine) {
  const long hundredths = std::lround(std::abs(cosine) * 100.0F);
  return concat(cosine < 0 && hundredths > 0 ? "-" : "", hundredths / 100, ".",
                hundredths % 100 < 10 ? "0" : "", hundredths % 100);
}

/// Lays out one picture.
class Grid {
 public:
  Grid(const AnalysisData& what, const Gallery& gallery, const Queries& queries,
       const QueryNeighbours& neighbours, int rows)
      : what_(what),
        gallery_(gallery),
        queries_(queries),
        neighbours_(neighbours),
        scale_(std::max(1, kCell / std::max(what.data.height, what.data.width))),
        nearest_(std::min(kNearest, neighbours.masked.k)),
        cell_h_(what.data.height * scale_),
        cell_w_(what.data.width * scale_),
        canvas_(top() + rows * row_height(), 2 * kMargin + columns() * column_width(), 3) {
    draw::fill(canvas_, {0, 0, canvas_.height(), canvas_.width()}, kWhite);
    head();
  }

  void add_row(std::size_t query) {
    batch::Batch batch;
    queries_.images.make(query, query + 1, batch::Precision::fp32, batch);
    const data::Normalisation& norm = queries_.images.executor.normalisation;
    const auto label = queries_.seen.masked.predictions.labels[query];
    const Image plain = denormalised(batch, 1, norm);
    const Image masked = denormalised(batch, 0, norm);
    place(0, plain.view(), label,
          concat(what_.data.train_counts[static_cast<std::size_t>(label)], " images"), kWhite);
    place(1, masked.view(), label, predicted(query), kWhite);
    mark(batch.peaks.at(0), batch.boxes.at(0));
    std::vector<std::uint8_t> scratch;
    const auto k = static_cast<std::size_t>(neighbours_.masked.k);
    for (int n = 0; n < nearest_; ++n) {
      const std::size_t at = query * k + static_cast<std::size_t>(n);
      const std::size_t row = neighbours_.masked.rows[at];
      const std::int32_t found = gallery_.labels[row];
      place(2 + n, what_.data.train->image(gallery_.samples[row], 0, scratch), found,
            concat("cosine ", rounded(neighbours_.masked.cosines[at])), colour(found, label));
    }
    ++row_;
  }

  Image take() { return std::move(canvas_); }

 private:
  int columns() const { return 2 + nearest_; }
  int column_width() const { return cell_w_ + 2 * kFrame + kMargin; }
  int row_height() const { return cell_h_ + 2 * kFrame + kCaption; }
  static int top() { return 2 * kLine + kMargin + 8; }
  Point corner(int column) const {
    return {top() + row_ * row_height(), kMargin + column * column_width()};
  }

  void head() {
    int left = kMargin;
    const auto entry = [&](const char* words, draw::Colour colour) {
      draw::outline(canvas_, {8, left, 8 + 14, left + 14}, colour, kFrame);
      draw::text(canvas_, {8, left + 20}, words, kBlack, 2);
      left += 20 + draw::text_width(words, 2) + 24;
    };
    entry("same class", kOwn);
    entry("other, medium or few-shot", kRare);
    entry("other, many-shot", kOther);
    for (int c = 0; c < columns(); ++c) {
      const std::string words = c == 0 ? "image" : c == 1 ? "masked" : concat("nearest ", c - 1);
      draw::text(canvas_, {kLine + 14, kMargin + c * column_width() + kFrame}, words, kGrey, 2);
    }
  }

  draw::Colour colour(std::int32_t found, std::int32_t label) const {
    if (found == label) return kOwn;
    const int count = what_.data.train_counts[static_cast<std::size_t>(found)];
    return metrics::shot_group(count, what_.bounds) == metrics::Group::many ? kOther : kRare;
  }

  std::string predicted(std::size_t query) const {
    const auto label = queries_.seen.masked.predictions.predicted(query);
    return concat("-> ", what_.data.train->class_names()[static_cast<std::size_t>(label)]);
  }

  /// An image with its class and a line of text.
  void place(int column, const ImageView& picture, std::int32_t label, const std::string& line,
             draw::Colour frame) {
    const Point at = corner(column);
    draw::outline(canvas_, {at.y, at.x, at.y + cell_h_ + 2 * kFrame, at.x + cell_w_ + 2 * kFrame},
                  frame, kFrame);
    draw::blit(canvas_, picture, {at.y + kFrame, at.x + kFrame}, scale_);
    const int below = at.y + cell_h_ + 2 * kFrame + 4;
    const auto number = static_cast<std::size_t>(label);
    write_line(canvas_, {below, at.x + kFrame}, what_.data.train->class_names()[number],
               column_width() - kFrame, kBlack);
    write_line(canvas_, {below + kLine, at.x + kFrame}, line, column_width() - kFrame, kGrey);
  }

  /// Box and centre of the mask, on the masked image.
  void mark(Point centre, const Box& box) {
    const Point at{corner(1).y + kFrame, corner(1).x + kFrame};
    draw::outline(canvas_,
                  {at.y + box.y0 * scale_, at.x + box.x0 * scale_, at.y + box.y1 * scale_,
                   at.x + box.x1 * scale_},
                  {255, 40, 40}, 2);
    const Point middle{at.y + centre.y * scale_ + scale_ / 2,
                       at.x + centre.x * scale_ + scale_ / 2};
    draw::cross(canvas_, middle, 6, kBlack);
    draw::cross(canvas_, {middle.y + 1, middle.x + 1}, 6, kBlack);
    draw::cross(canvas_, middle, 5, {255, 255, 0});
  }

  const AnalysisData& what_;
  const Gallery& gallery_;
  const Queries& queries_;
  const QueryNeighbours& neighbours_;
  int scale_;
  int nearest_;
  int cell_h_;
  int cell_w_;
  Image canvas_;
  int row_ = 0;
};

/// The first image of each shown class that `wanted` takes.
template <class Wanted>
std::vector<std::size_t> examples(const AnalysisData& what, const Queries& queries, Wanted wanted) {
  const auto& counts = what.data.train_counts;
  std::vector<std::int32_t> ranked(counts.size());
  std::iota(ranked.begin(), ranked.end(), 0);
  std::stable_sort(ranked.begin(), ranked.end(), [&](std::int32_t a, std::int32_t b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  const auto& labels = queries.seen.masked.predictions.labels;
  std::vector<std::size_t> chosen;
  for (const int rank : even_ranks(static_cast<int>(ranked.size()), kRows)) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      // A mask that hides next to nothing, or all, shows nothing.
      const double hidden = static_cast<double>(queries.seen.boxes[i].area()) /
                            (static_cast<double>(what.data.height) * what.data.width);
      if (labels[i] != ranked[static_cast<std::size_t>(rank)] || hidden < 0.1 || hidden > 0.7 ||
          !wanted(i)) {
        continue;
      }
      chosen.push_back(i);
      break;
    }
  }
  return chosen;
}

}  // namespace

std::vector<int> even_ranks(int classes, int count) {
  const int rows = std::min(classes, count);
  std::vector<int> ranks;
  for (int i = 0; i < rows; ++i) {
    ranks.push_back(rows == 1 ? 0 : (2 * i * (classes - 1) + rows - 1) / (2 * (rows - 1)));
  }
  return ranks;
}

std::vector<std::uint8_t> centres_on_object(const Queries& queries, int height, int width) {
  const MaskedImages& images = queries.images;
  const int padding = images.executor.augment.crop_padding;
  const Box frame{0, 0, height, width};
  std::vector<std::uint8_t> result;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto object = images.set->object_mask(images.images[i].index, 0);
    if (object.empty()) return {};
    const Point from = original_pixel(queries.seen.peaks[i],
                                      plan::resolve(images.images[i], padding), width, padding);
    result.push_back(
        frame.contains(from) ? object[static_cast<std::size_t>(from.y * width + from.x)] : 0);
  }
  return result;
}

std::vector<AnalysisGrid> neighbour_pictures(const AnalysisData& what, const Gallery& gallery,
                                             const Queries& queries,
                                             const QueryNeighbours& neighbours) {
  std::vector<AnalysisGrid> pictures;
  const auto add = [&](const char* ending, const std::string& title, const std::string& words,
                       const auto& wanted) {
    const auto rows = examples(what, queries, wanted);
    if (rows.empty()) return;
    Grid grid(what, gallery, queries, neighbours, static_cast<int>(rows.size()));
    for (const std::size_t row : rows) grid.add_row(row);
    pictures.push_back(
        {{concat("analysis/", queries.key, ending, ".png"), title,
          concat(
              "A row a masked image of another class, frequent classes first: the image, with the "
              "number of its class's training images; what the network sees of it, with box and "
              "centre of the mask, and after the arrow the class that it is taken for; the "
              "unmasked "
              "training images whose features are nearest to it by cosine. ",
              words)},
         grid.take()});
  };
  const std::string what_of = concat("Masked ", queries.title, " and their neighbours");
  const auto on = centres_on_object(queries, what.data.height, what.data.width);
  if (on.empty()) {
    add("-neighbours", what_of, "", [](std::size_t) { return true; });
    return pictures;
  }
  add("-on-object", concat(what_of, ", mask on the object"),
      "The centre of the mask lies on the object.", [&](std::size_t i) { return on[i] != 0; });
  add("-beside-object", concat(what_of, ", mask beside the object"),
      "The centre of the mask misses the object.", [&](std::size_t i) { return on[i] == 0; });
  return pictures;
}

}  // namespace smcl::experiment
