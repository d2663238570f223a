#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"
#include "image/geometry.h"

namespace smcl::saliency {

/// Uniform 32-bit draws of the plan, for detectors that are random.
struct Draws {
  std::uint32_t y = 0;
  std::uint32_t x = 0;
};

/// Working memory of a detector, kept by the caller between calls so that nothing is allocated
/// in the loop; one a thread. Detectors define what is inside.
class SMCL_API Workspace {
 public:
  virtual ~Workspace() = default;
};

/// Bytes of an image to a map of how much each pixel stands out. Stateless and thread-safe.
class SMCL_API Detector {
 public:
  virtual ~Detector() = default;
  virtual std::string_view name() const = 0;
  virtual std::unique_ptr<Workspace> workspace() const = 0;
  /// Writes the map (0..255, rows without gaps, image.height x image.width bytes). `image` is
  /// 8-bit RGB, any size from 1x1 on; 1 channel counts as grey.
  virtual void map(const ImageView& image, const Draws& draws, Workspace& workspace,
                   std::uint8_t* out) const = 0;
  /// Whether it needs the network's gradient and so the training thread.
  virtual bool needs_network() const { return false; }
};

/// "fine_grained", "joint", "random", "centre".
SMCL_API std::vector<std::string> detector_names();
/// Throws UsageError for an unknown name and lists the valid ones.
SMCL_API std::unique_ptr<Detector> make_detector(std::string_view name);

/// The first maximum in raster order of a height x width map.
SMCL_API Point peak(const std::uint8_t* map, int height, int width);

/// Share of the map's sum that lies in `box`; 0 where the map is all zero.
SMCL_API double share_in_box(const std::uint8_t* map, int height, int width, const Box& box);

}  // namespace smcl::saliency
