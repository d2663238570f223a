#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/trunk.h"

/// The trunk from its definition, in double, value by value: convolution, batch norm (Ioffe &
/// Szegedy 2015, algorithm 1 and the gradients behind it), ReLU, option-A shortcut, pooling.
namespace smcl::kernels::reference {

using Values = std::vector<double>;

/// [images][height][width][channels].
struct Tensor {
  int images = 0, height = 0, width = 0, channels = 0;
  Values at;

  Tensor(int n, int h, int w, int c)
      : images(n), height(h), width(w), channels(c), at(static_cast<std::size_t>(n * h * w * c)) {}
  double& operator()(int n, int h, int w, int c) { return at[place(n, h, w, c)]; }
  double operator()(int n, int h, int w, int c) const { return at[place(n, h, w, c)]; }
  bool inside(int h, int w) const { return h >= 0 && h < height && w >= 0 && w < width; }
  Tensor like() const { return {images, height, width, channels}; }

 private:
  std::size_t place(int n, int h, int w, int c) const {
    return static_cast<std::size_t>(((n * height + h) * width + w) * channels + c);
  }
};

struct Layer {
  int in = 0, out = 0, stride = 1;
  Values weight;  ///< [out][3][3][in]
  Values gamma, beta, running_mean, running_var;
  Values d_weight, d_gamma, d_beta;

  double& w(Values& from, int o, int r, int c, int i) const {
    return from[static_cast<std::size_t>(((o * 3 + r) * 3 + c) * in + i)];
  }
};

template <class Visit>
void each_product(const Tensor& x, const Tensor& y, int stride, Visit visit) {
  for (int n = 0; n < y.images; ++n) {
    for (int h = 0; h < y.height; ++h) {
      for (int w = 0; w < y.width; ++w) {
        for (int r = 0; r < 3; ++r) {
          for (int c = 0; c < 3; ++c) {
            const int row = h * stride + r - 1;
            const int column = w * stride + c - 1;
            if (x.inside(row, column)) visit(n, h, w, r, c, row, column);
          }
        }
      }
    }
  }
}

inline Tensor convolve(const Tensor& x, Layer& layer) {
  Tensor y(x.images, x.height / layer.stride, x.width / layer.stride, layer.out);
  each_product(x, y, layer.stride, [&](int n, int h, int w, int r, int c, int row, int column) {
    for (int o = 0; o < layer.out; ++o) {
      for (int i = 0; i < layer.in; ++i) {
        y(n, h, w, o) += x(n, row, column, i) * layer.w(layer.weight, o, r, c, i);
      }
    }
  });
  return y;
}

/// Fills the layer's gradient and returns that of x.
inline Tensor convolve_backward(const Tensor& x, const Tensor& dy, Layer& layer) {
  Tensor dx = x.like();
  layer.d_weight.assign(layer.weight.size(), 0.0);
  each_product(x, dy, layer.stride, [&](int n, int h, int w, int r, int c, int row, int column) {
    for (int o = 0; o < layer.out; ++o) {
      const double g = dy(n, h, w, o);
      for (int i = 0; i < layer.in; ++i) {
        layer.w(layer.d_weight, o, r, c, i) += g * x(n, row, column, i);
        dx(n, row, column, i) += g * layer.w(layer.weight, o, r, c, i);
      }
    }
  });
  return dx;
}

struct Moments {
  Values mean, variance;
};

/// Over the images with a 1 in `rows`, over all where it is empty.
inline Moments moments(const Tensor& y, const std::vector<std::uint8_t>& rows) {
  const auto channels = static_cast<std::size_t>(y.channels);
  Moments out{Values(channels), Values(channels)};
  double count = 0;
  const auto chosen = [&](std::size_t i) {
    const std::size_t image = i / (y.at.size() / static_cast<std::size_t>(y.images));
    return rows.empty() || rows[image] != 0;
  };
  for (std::size_t i = 0; i < y.at.size(); ++i) {
    if (!chosen(i)) continue;
    out.mean[i % channels] += y.at[i];
    count += 1.0 / static_cast<double>(channels);
  }
  for (double& value : out.mean) value /= count;
  for (std::size_t i = 0; i < y.at.size(); ++i) {
    const double centred = y.at[i] - out.mean[i % channels];
    if (chosen(i)) out.variance[i % channels] += centred * centred / count;
  }
  return out;
}

inline void move_running(Layer& layer, const Moments& seen, double count) {
  for (std::size_t c = 0; c < seen.mean.size(); ++c) {
    layer.running_mean[c] = 0.9 * layer.running_mean[c] + 0.1 * seen.mean[c];
    layer.running_var[c] =
        0.9 * layer.running_var[c] + 0.1 * seen.variance[c] * count / (count - 1.0);
  }
}

inline Tensor normalise(const Tensor& y, const Moments& by, const Layer& layer) {
  Tensor out = y.like();
  const auto channels = static_cast<std::size_t>(y.channels);
  for (std::size_t i = 0; i < y.at.size(); ++i) {
    const std::size_t c = i % channels;
    out.at[i] =
        (y.at[i] - by.mean[c]) / std::sqrt(by.variance[c] + 1e-5) * layer.gamma[c] + layer.beta[c];
  }
  return out;
}

/// The gradient of normalise by the batch's own moments; fills the layer's.
inline Tensor normalise_backward(const Tensor& dz, const Tensor& y, const Moments& by,
                                 Layer& layer) {
  const auto channels = static_cast<std::size_t>(y.channels);
  layer.d_gamma.assign(channels, 0.0);
  layer.d_beta.assign(channels, 0.0);
  const auto hat = [&](std::size_t i) {
    return (y.at[i] - by.mean[i % channels]) / std::sqrt(by.variance[i % channels] + 1e-5);
  };
  for (std::size_t i = 0; i < y.at.size(); ++i) {
    layer.d_beta[i % channels] += dz.at[i];
    layer.d_gamma[i % channels] += dz.at[i] * hat(i);
  }
  const double count = static_cast<double>(y.at.size()) / static_cast<double>(channels);
  Tensor dy = y.like();
  for (std::size_t i = 0; i < y.at.size(); ++i) {
    const std::size_t c = i % channels;
    dy.at[i] = layer.gamma[c] / std::sqrt(by.variance[c] + 1e-5) *
               (dz.at[i] - layer.d_beta[c] / count - hat(i) * layer.d_gamma[c] / count);
  }
  return dy;
}

inline Tensor shortcut(const Tensor& x, int stride) {
  if (stride == 1) return x;
  Tensor out(x.images, x.height / 2, x.width / 2, 2 * x.channels);
  for (int n = 0; n < out.images; ++n) {
    for (int h = 0; h < out.height; ++h) {
      for (int w = 0; w < out.width; ++w) {
        for (int c = 0; c < x.channels; ++c) {
          out(n, h, w, c + x.channels / 2) = x(n, 2 * h, 2 * w, c);
        }
      }
    }
  }
  return out;
}

inline void add_shortcut_backward(const Tensor& dz, int stride, Tensor& dx) {
  for (int n = 0; n < dz.images; ++n) {
    for (int h = 0; h < dz.height; ++h) {
      for (int w = 0; w < dz.width; ++w) {
        for (int c = 0; c < dx.channels; ++c) {
          dx(n, stride * h, stride * w, c) += dz(n, h, w, stride == 1 ? c : c + dx.channels / 2);
        }
      }
    }
  }
}

/// A trunk with all that its backward pass needs. What the kernels store in the type of activations
/// is rounded by `round`.
class Model {
 public:
  explicit Model(std::vector<Layer> layers_of, double (*round)(double) = nullptr)
      : layers(std::move(layers_of)), round_(round) {}

  Values forward(const Tensor& images, bool training, const std::vector<std::uint8_t>& rows = {}) {
    inputs_.clear();
    outputs_.clear();
    z_.clear();
    Tensor x = layer(0, images, nullptr, training, rows);
    for (std::size_t l = 1; l + 1 < layers.size(); l += 2) {
      const Tensor residual = shortcut(x, layers[l].stride);
      x = layer(l + 1, layer(l, x, nullptr, training, rows), &residual, training, rows);
    }
    Values features(static_cast<std::size_t>(x.images * x.channels));
    const double pixels = x.height * x.width;
    for (std::size_t i = 0; i < x.at.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(x.channels);
      const std::size_t n = i / (x.at.size() / static_cast<std::size_t>(x.images));
      features[n * static_cast<std::size_t>(x.channels) + c] += x.at[i] / pixels;
    }
    return features;
  }

  /// From the gradient of the features of the last forward pass in training.
  void backward(const Values& features) {
    Tensor dz = z_.back().like();
    const double pixels = dz.height * dz.width;
    for (std::size_t i = 0; i < dz.at.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(dz.channels);
      const std::size_t n = i / (dz.at.size() / static_cast<std::size_t>(dz.images));
      dz.at[i] = features[n * static_cast<std::size_t>(dz.channels) + c] / pixels;
    }
    rounded(dz);
    for (std::size_t l = layers.size() - 1; l > 0; l -= 2) {
      positive(dz, l);
      Tensor dx = layer_backward(dz, l);
      positive(rounded(dx), l - 1);
      dx = layer_backward(dx, l - 1);
      add_shortcut_backward(dz, layers[l - 1].stride, dx);
      dz = rounded(dx);
    }
    positive(dz, 0);
    layer_backward(dz, 0);
  }

  std::vector<Layer> layers;

 private:
  Tensor layer(std::size_t l, const Tensor& x, const Tensor* residual, bool training,
               const std::vector<std::uint8_t>& rows) {
    Tensor y = convolve(x, layers[l]);
    rounded(y);
    Moments by{layers[l].running_mean, layers[l].running_var};
    if (training) {
      by = moments(y, {});
      const double pixels = y.height * y.width;
      const double all = y.images;
      const double some =
          rows.empty() ? all : static_cast<double>(std::count(rows.begin(), rows.end(), 1));
      if (some > 0) move_running(layers[l], moments(y, rows), pixels * some);
    }
    Tensor z = normalise(y, by, layers[l]);
    for (std::size_t i = 0; i < z.at.size(); ++i) {
      if (residual != nullptr) z.at[i] += residual->at[i];
      z.at[i] = std::max(0.0, z.at[i]);
    }
    rounded(z);
    inputs_.push_back(x);
    outputs_.push_back(y);
    moments_.resize(layers.size());
    moments_[l] = by;
    z_.push_back(z);
    return z;
  }
  void positive(Tensor& dz, std::size_t l) const {
    for (std::size_t i = 0; i < dz.at.size(); ++i) {
      if (!(z_[l].at[i] > 0.0)) dz.at[i] = 0.0;
    }
  }
  Tensor layer_backward(const Tensor& dz, std::size_t l) {
    Tensor dy = normalise_backward(dz, outputs_[l], moments_[l], layers[l]);
    return convolve_backward(inputs_[l], rounded(dy), layers[l]);
  }
  Tensor& rounded(Tensor& values) const {
    if (round_ != nullptr) {
      for (double& value : values.at) value = round_(value);
    }
    return values;
  }

  double (*round_)(double);

  std::vector<Tensor> inputs_, outputs_, z_;
  std::vector<Moments> moments_;
};

}  // namespace smcl::kernels::reference
