#include "core/random.h"

#include <cstring>

#include "saliency/detectors.h"

namespace smcl::saliency {
namespace {

class Random : public Detector {
 public:
  std::string_view name() const override { return "random"; }
  std::unique_ptr<Workspace> workspace() const override { return std::make_unique<Workspace>(); }

  void map(const ImageView& image, const Draws& draws, Workspace&,
           std::uint8_t* out) const override {
    const auto height = static_cast<std::uint32_t>(image.height);
    const auto width = static_cast<std::uint32_t>(image.width);
    std::memset(out, 0, std::size_t{height} * width);
    out[std::size_t{scale_draw(draws.y, height)} * width + scale_draw(draws.x, width)] = 255;
  }
};

}  // namespace

std::unique_ptr<Detector> make_random() {
  return std::make_unique<Random>();
}

}  // namespace smcl::saliency
