#include <algorithm>

#include "saliency/detectors.h"

namespace smcl::saliency {
namespace {

class Centre : public Detector {
 public:
  std::string_view name() const override { return "centre"; }
  std::unique_ptr<Workspace> workspace() const override { return std::make_unique<Workspace>(); }

  void map(const ImageView& image, const Draws&, Workspace&, std::uint8_t* out) const override {
    const Point middle{image.height / 2, image.width / 2};
    const std::int64_t cy2 = square(std::max(middle.y, 1));
    const std::int64_t cx2 = square(std::max(middle.x, 1));
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const std::int64_t far = square(y - middle.y) * cx2 + square(x - middle.x) * cy2;
        const std::int64_t fall = 254 * far / (2 * cy2 * cx2);
        *out++ = Point{y, x} == middle ? 255 : static_cast<std::uint8_t>(254 - fall);
      }
    }
  }

 private:
  static std::int64_t square(std::int64_t value) { return value * value; }
};

}  // namespace

std::unique_ptr<Detector> make_centre() {
  return std::make_unique<Centre>();
}

}  // namespace smcl::saliency
