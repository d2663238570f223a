#include "metrics/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>

namespace smcl::metrics {
namespace {

using Vector = std::vector<double>;

constexpr std::size_t kPairs = 10;
constexpr int kHalvings = 40;
constexpr double kEnough = 1e-4;

double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add(Vector& to, double factor, const Vector& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

double largest(const Vector& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

/// A step and what it did to the gradient.
struct Pair {
  Vector step;
  Vector change;
  double product = 0.0;
};

/// The gradient times minus the inverse Hessian that the pairs stand for (two loops).
Vector direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector result = gradient;
  Vector shares;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    shares.push_back(dot(pair->step, result) / pair->product);
    add(result, -shares.back(), pair->change);
  }
  double scale = 1.0;
  if (!pairs.empty()) {
    scale = pairs.back().product / dot(pairs.back().change, pairs.back().change);
  } else if (const double length = std::sqrt(dot(gradient, gradient)); length > 1.0) {
    scale = 1.0 / length;
  }
  for (double& value : result) value *= scale;
  for (const Pair& pair : pairs) {
    add(result, shares.back() - dot(pair.change, result) / pair.product, pair.step);
    shares.pop_back();
  }
  for (double& value : result) value = -value;
  return result;
}

}  // namespace

int minimise(const Objective& objective, std::vector<double>& x, double tolerance, int iterations) {
  Vector gradient(x.size());
  double value = objective(x, gradient);
  std::deque<Pair> pairs;
  Vector next_gradient(x.size());
  for (int done = 0; done < iterations; ++done) {
    if (largest(gradient) <= tolerance) return done;
    Pair pair{direction(pairs, gradient), {}, 0.0};
    const double slope = dot(pair.step, gradient);
    Vector next;
    double next_value = value;
    double length = 1.0;
    bool fell = false;
    for (int halving = 0; halving < kHalvings && !fell; ++halving) {
      next = x;
      add(next, length, pair.step);
      next_value = objective(next, next_gradient);
      fell = next_value <= value + kEnough * length * slope && next_value < value;
      if (!fell) length /= 2.0;
    }
    if (!fell) return done;
    for (double& entry : pair.step) entry *= length;
    pair.change = next_gradient;
    add(pair.change, -1.0, gradient);
    pair.product = dot(pair.step, pair.change);
    if (pair.product > 0.0) {  // else the function is flat there: no curvature to learn from
      pairs.push_back(std::move(pair));
      if (pairs.size() > kPairs) pairs.pop_front();
    }
    x = std::move(next);
    gradient = next_gradient;
    value = next_value;
  }
  return iterations;
}

}  // namespace smcl::metrics
