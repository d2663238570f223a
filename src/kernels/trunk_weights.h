#pragma once

#include <cstddef>
#include <vector>

#include "kernels/trunk_passes.h"

/// 3x3 weights between their ordinary layout, [out][3][3][in], and that of trunk_passes.h.
namespace smcl::kernels {

struct WeightShape {
  int out = 0;
  int in = 0;  ///< 3 for the first layer, which computes with stem_channels
};

/// How panels are laid out: [channels / panel][runs][cells of a run][lanes], a run being a row of
/// taps. With bf16_tiles a run's cells are padded with zeros to a multiple of 16; and where 16
/// channels are summed at stride 1 (`pixel_pairs`) the lanes are the panel's channels for two
/// neighbouring outputs, the cells those of the four pixels that these see. With `winograd` they
/// are [channels / panel][points][summed channels][lanes] (trunk_winograd.h).
struct PanelLayout {
  Element element = Element::fp32;  ///< of the weights
  Arithmetic arithmetic = Arithmetic::fp32;
  int panel = 16;
  bool pixel_pairs = false;
  bool winograd = false;
};

/// Some of the nine taps, in the order of the runs that they are multiplied with.
struct Taps {
  std::vector<int> rows;
  std::vector<int> columns;
};

/// Floats of pack_forward's and pack_backward's panels.
std::size_t forward_floats(const WeightShape& shape, const PanelLayout& layout);
std::size_t backward_floats(const WeightShape& shape, const Taps& taps, const PanelLayout& layout);

/// For a convolution: outputs are shape.out, sums run over shape.in.
void pack_forward(const void* weights, const WeightShape& shape, const PanelLayout& layout,
                  float* panels);

/// For the gradient of a convolution's input: outputs are shape.in, sums run over shape.out.
void pack_backward(const void* weights, const WeightShape& shape, const Taps& taps,
                   const PanelLayout& layout, float* panels);

/// Adds `parts` gradients [3][3][in][out], with bf16_tiles [3][3][out][in], one behind another, in
/// their order, and writes rows [first, last) of the ordinary layout, multiples of 4.
void unpack_gradient(const float* gradients, std::size_t parts, const WeightShape& shape,
                     Arithmetic arithmetic, int first, int last, float* out);

/// The same for gradients [point][in][out].
void unpack_winograd_gradient(const float* gradients, std::size_t parts, const WeightShape& shape,
                              int first, int last, float* out);

/// The taps of the gradient at stride 1.
Taps flipped_taps();
/// The taps that the gradient at stride 2 has at output rows and columns of these parities.
Taps parity_taps(bool odd_row, bool odd_column);

}  // namespace smcl::kernels
