#include <algorithm>

#include "kernels/trunk_state.h"

namespace smcl::kernels {

void Trunk::State::finish_backward(TrunkTape& tape, std::size_t l, const TrunkLayer& layer,
                                   const TrunkGradient& gradient) {
  const MapSize& size = plans[l].out;
  const auto channels = static_cast<std::size_t>(size.channels);
  const std::vector<double> total = add_sums(l, tape.count(), {});
  LayerNorm& norm = tape.norm(l);
  for (std::size_t c = 0; c < channels; ++c) {
    gradient.norm_bias[c] = static_cast<float>(total[c]);
    gradient.norm_weight[c] =
        static_cast<float>(total[channels + c] * static_cast<double>(norm.inverse[c]));
  }
  const NormShape rows{static_cast<std::size_t>(size.height) *
                           static_cast<std::size_t>(size.width) *
                           static_cast<std::size_t>(tape.count()),
                       channels, shape.element};
  norm_backward_factors(layer.norm_weight, norm.mean.data(), norm.inverse.data(),
                        gradient.norm_bias, gradient.norm_weight, rows, norm.a.data(),
                        norm.b.data(), norm.c.data());
}

void Trunk::State::weight_gradient(std::size_t l, const float* x, const float* dy,
                                   const Visit& visit, float* dw, TrunkScratch& scratch) const {
  if (passes.arithmetic == Arithmetic::bf16_tiles) {
    tile_weight_gradient(l, x, dy, visit.last, dw, scratch);
    return;
  }
  const LayerPlan& plan = plans[l];
  if (winograd(l)) {
    passes.winograd_weights({.x = x,
                             .dy = inside(dy, plan.out),
                             .row = row_cells(plan.in),
                             .height = plan.out.height,
                             .width = plan.out.width,
                             .channels = plan.in.channels,
                             .points = scratch.points.floats(),
                             .dw = dw,
                             .first = visit.first});
    return;
  }
  WeightTask task =
      passes.arithmetic == Arithmetic::fp32 ? float_sums(l, x, dy) : pair_sums(l, x, scratch);
  task.run_cells = 3 * plan.in.channels;
  task.rows = plan.out.height;
  task.channels = plan.out.channels;
  task.dw = dw;
  task.first = visit.first;
  passes.weights(task);
}

WeightTask Trunk::State::float_sums(std::size_t l, const float* x, const float* dy) const {
  const LayerPlan& plan = plans[l];
  WeightTask task;
  task.x = x;
  task.x_row = plan.stride * row_cells(plan.in);
  task.x_step = static_cast<std::ptrdiff_t>(plan.stride) * plan.in.channels;
  task.run_offset = row_cells(plan.in);
  task.dy = inside(dy, plan.out);
  task.dy_row = row_cells(plan.out);
  task.steps = plan.out.width;
  return task;
}

WeightTask Trunk::State::pair_sums(std::size_t l, const float* x, TrunkScratch& scratch) const {
  const LayerPlan& plan = plans[l];
  const std::ptrdiff_t in = plan.in.channels;
  const int pixels = plan.in.width + 2 - plan.stride;
  if (!activates_pairs(l)) {
    passes.pair({.map = x,
                 .cells = scratch.pairs_x.floats(),
                 .row = row_cells(plan.in),
                 .rows = plan.in.height + 2,
                 .pixels = pixels,
                 .distance = plan.stride,
                 .channels = plan.in.channels});
  }
  WeightTask task;
  task.x = scratch.pairs_x.floats();
  task.x_row = plan.stride * pixels * in;
  task.x_step = 2 * plan.stride * in;
  task.run_offset = pixels * in;
  task.dy = scratch.pairs_dy.floats();
  task.dy_row = static_cast<std::ptrdiff_t>(plan.out.width) / 2 * plan.out.channels;
  task.steps = plan.out.width / 2;
  return task;
}

void Trunk::State::tile_weight_gradient(std::size_t l, const float* x, const float* dy, bool last,
                                        float* dw, TrunkScratch& scratch) const {
  const LayerPlan& plan = plans[l];
  const int place = scratch.waiting++;
  const bool sum = last || scratch.waiting == tile_places(plan);
  passes.tile_weights({.x = x,
                       .dy = dy,
                       .in = plan.in,
                       .out = plan.out,
                       .stride = plan.stride,
                       .place = place,
                       .images = sum ? scratch.waiting : 0,
                       .x_pairs = scratch.pairs_x.floats(),
                       .dy_tiles = scratch.pairs_dy.floats(),
                       .dw = dw});
  if (sum) scratch.waiting = 0;
}

template <class End>
void Trunk::State::backward_layer(TrunkTape& tape, std::size_t l, const TrunkGradient& out,
                                  const Parallel& parallel, const End& end) {
  const LayerPlan& plan = plans[l];
  const std::size_t size = gradient_floats(l);
  const LayerNorm& norm = tape.norm(l);
  if (static_cast<std::size_t>(tape.count()) < parts) {  // some parts have no image
    std::fill_n(weight_sums.floats(), parts * size, 0.0F);
  }
  each_image(tape.count(), parallel, [&](const Visit& visit, TrunkScratch& scratch) {
    const int n = visit.image;
    float* sums = weight_sums.floats() + visit.part * size;
    const bool tiles = passes.arithmetic == Arithmetic::bf16_tiles;
    if (visit.first && tiles) std::fill_n(sums, size, 0.0F);
    // A first layer's gradient lies where the second's y was, a second's where the block's output
    // was, and so that of the stem.
    const bool first = l % 2 == 1;
    float* dy = map(scratch, 1, plan.out);
    passes.gradient({.gradient = first ? tape.y(l + 1, n) : tape.z(l / 2, n),
                     .y = tape.y(l, n),
                     .a = norm.a.data(),
                     .b = norm.b.data(),
                     .c = norm.c.data(),
                     .map = dy,
                     .pairs = scratch.pairs_dy.floats(),
                     .size = plan.out});
    const float* x = input_map(tape, l, n, false, scratch);
    weight_gradient(l, x, dy, visit, sums, scratch);
    end(visit, dy, scratch);
  });
  const int rows = plan.out.channels / 4;
  run_parts(parallel, static_cast<std::size_t>(rows), [&](std::size_t begin, std::size_t last) {
    const int from = static_cast<int>(begin) * 4;
    const int to = static_cast<int>(last) * 4;
    if (winograd(l)) {
      unpack_winograd_gradient(weight_sums.floats(), parts, plan.weight, from, to, out.weight);
    } else {
      unpack_gradient(weight_sums.floats(), parts, plan.weight, passes.arithmetic, from, to,
                      out.weight);
    }
  });
}

void Trunk::State::backward_second(TrunkTape& tape, std::size_t b, const Visit& visit,
                                   const float* dy, TrunkScratch& scratch) {
  const std::size_t l = 2 * b + 2;
  const int n = visit.image;
  const std::ptrdiff_t pixel = plans[l].out.channels;
  const LayerNorm& norm = tape.norm(l - 1);
  ConvTask task = convolution(l, dy, scratch);
  task.weights = backward_panels[l].floats();
  task.ahead = backward_ahead(tape, l, visit.next);
  BackwardEnd end;
  end.g = tape.y(l, n);
  end.y = tape.y(l - 1, n);
  end.place = {plans[l].out.width * pixel, pixel};
  end.scale = norm.scale.data();
  end.shift = norm.shift.data();
  end.mean = norm.mean.data();
  end.sums = cleared_sums(l - 1, n);
  passes.backward(task, end);
}

void Trunk::State::backward_first(TrunkTape& tape, std::size_t b, const Visit& visit,
                                  const float* dy, TrunkScratch& scratch) {
  const std::size_t l = 2 * b + 1;
  const int n = visit.image;
  const std::ptrdiff_t pixel = plans[l].in.channels;
  float* sums = cleared_sums(l - 1, n);
  if (plans[l].stride == 2) {
    backward_stride2(tape, b, visit, dy, scratch);
    return;
  }
  ConvTask task = convolution(l, dy, scratch);
  task.weights = backward_panels[l].floats();
  task.ahead = backward_ahead(tape, l, visit.next);
  BackwardEnd end;
  end.g = tape.z(b, n);
  end.y = tape.y(l - 1, n);
  end.place = {plans[l].in.width * pixel, pixel};
  end.positive = end.g;
  end.added = tape.z(b + 1, n);
  end.added_place = end.place;
  end.mean = tape.norm(l - 1).mean.data();
  end.sums = sums;
  passes.backward(task, end);
}

// An output pixel at an even row or column met one tap there, at an odd one two: four convolutions
// of one to four taps, over every second row and column.
void Trunk::State::backward_stride2(TrunkTape& tape, std::size_t b, const Visit& visit,
                                    const float* dy, TrunkScratch& scratch) {
  const std::size_t l = 2 * b + 1;
  const int n = visit.image;
  const LayerPlan& plan = plans[l];
  const std::ptrdiff_t pixel = plan.in.channels;
  const std::ptrdiff_t row = plan.in.width * pixel;
  const int cell = cells(plan.out.channels);
  const float* weights = backward_panels[l].floats();
  for (int parity = 0; parity < 4; ++parity) {
    const bool odd_row = parity / 2 != 0;
    const bool odd_column = parity % 2 != 0;
    ConvTask task;
    task.map = inside(dy, plan.out);
    task.row_step = row_cells(plan.out);
    task.pixel_step = cell;
    task.height = plan.out.height;
    task.width = plan.out.width;
    task.channels = plan.in.channels;
    task.run_count = odd_row ? 2 : 1;
    for (int i = 0; i < task.run_count; ++i) {
      task.runs[i] = {i * row_cells(plan.out), (odd_column ? 2 : 1) * cell};
    }
    task.weights = weights;
    if (parity == 0) task.ahead = backward_ahead(tape, l, visit.next);
    task.rows = scratch.rows.floats();
    weights += backward_floats(plan.weight, parity_taps(odd_row, odd_column), layout(l, true));

    const std::ptrdiff_t offset = (odd_row ? row : 0) + (odd_column ? pixel : 0);
    const auto moved = [&](std::byte* base, std::ptrdiff_t values) {
      return base + values * static_cast<std::ptrdiff_t>(element_size);
    };
    BackwardEnd end;
    end.g = moved(tape.z(b, n), offset);
    end.y = moved(tape.y(l - 1, n), offset);
    end.place = {2 * row, 2 * pixel};
    end.positive = end.g;
    if (parity == 0) {
      end.added = moved(tape.z(b + 1, n), pixel / 2);
      end.added_place = {plan.out.width * 2 * pixel, 2 * pixel};
    }
    end.mean = tape.norm(l - 1).mean.data();
    end.sums = image_sums(l - 1, n);
    passes.backward(task, end);
  }
}

void Trunk::backward(TrunkTape& tape, const float* features, const std::vector<TrunkLayer>& layers,
                     const std::vector<TrunkGradient>& gradients, const Parallel& parallel) {
  State& s = *state_;
  s.backwards = true;  // as a forward pass leaves it, whatever ran in between
  s.pack(layers, true, parallel);
  const std::size_t last = s.plans.size() - 1;
  const std::size_t blocks = s.shape.blocks.size();
  s.make_room(tape.count());
  if (s.weight_sums.size() == 0) s.weight_sums = AlignedBuffer(s.weight_sums_bytes);
  s.each_image(tape.count(), parallel, [&](const Visit& visit, TrunkScratch&) {
    const int n = visit.image;
    s.passes.unpool({.features = features + static_cast<std::ptrdiff_t>(n) * this->features(),
                     .z = tape.z(blocks, n),
                     .y = tape.y(last, n),
                     .mean = tape.norm(last).mean.data(),
                     .sums = s.cleared_sums(last, n),
                     .size = s.plans[last].out});
  });
  s.finish_backward(tape, last, layers[last], gradients[last]);
  for (std::size_t b = blocks; b-- > 0;) {
    s.backward_layer(tape, 2 * b + 2, gradients[2 * b + 2], parallel,
                     [&](const Visit& visit, const float* dy, TrunkScratch& scratch) {
                       s.backward_second(tape, b, visit, dy, scratch);
                     });
    s.finish_backward(tape, 2 * b + 1, layers[2 * b + 1], gradients[2 * b + 1]);
    s.backward_layer(tape, 2 * b + 1, gradients[2 * b + 1], parallel,
                     [&](const Visit& visit, const float* dy, TrunkScratch& scratch) {
                       s.backward_first(tape, b, visit, dy, scratch);
                     });
    s.finish_backward(tape, 2 * b, layers[2 * b], gradients[2 * b]);
  }
  s.backward_layer(tape, 0, gradients[0], parallel,
                   [](const Visit&, const float*, TrunkScratch&) {});
}

}  // namespace smcl::kernels
