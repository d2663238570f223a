#pragma once

#include <memory>

#include "saliency/detector.h"

/// One maker a detector, each in the file of its name. Use make_detector.
namespace smcl::saliency {

/// Fine-grained saliency (Montabone & Soto, "Human detection using a mobile platform and novel
/// features derived from a visual saliency mechanism", Image and Vision Computing 28, 2010),
/// bit for bit as OpenCV's StaticSaliencyFineGrained gives it up to 256x256, and in whole numbers
/// beyond, where OpenCV's float32 integral image rounds. The map is
/// (On' + Off') mod 256 with On' = trunc(255 * On / max On) and Off' alike, so both the most
/// prominent bright and the most prominent dark spot reach at least 255 before the wrap, and
/// raster order decides between them.
std::unique_ptr<Detector> make_fine_grained();

/// The same sums On and Off of centre-surround differences, added before the scaling: the map is
/// trunc(255 * (On + Off) / max(On + Off)), the quotient rounded once to float32, 0 where the
/// image is flat. Bright and dark spots compete in one unit, so ties are rare.
std::unique_ptr<Detector> make_joint();

/// Control: 255 at the planned pixel (scale_draw(draws.y, height), scale_draw(draws.x, width)), 0
/// elsewhere. Uniform up to height / 2^32.
std::unique_ptr<Detector> make_random();

/// Control: an image-centre prior. 255 at (height / 2, width / 2); elsewhere
/// 254 - floor(254 * d) with d = (dy^2 / cy^2 + dx^2 / cx^2) / 2, where dy, dx are the distances
/// from that pixel and cy = max(height / 2, 1), cx = max(width / 2, 1): 0 in the first corner.
std::unique_ptr<Detector> make_centre();

}  // namespace smcl::saliency
