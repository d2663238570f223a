#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <functional>

namespace smcl::test {

/// Compares the gradient of the scalar `f` at `x` (double) with central differences.
inline void expect_gradient(const std::function<at::Tensor(const at::Tensor&)>& f,
                            const at::Tensor& x, double tolerance = 1e-6) {
  const at::Tensor leaf = x.detach().clone().requires_grad_();
  f(leaf).backward();
  ASSERT_TRUE(leaf.grad().defined());
  const at::Tensor gradient = leaf.grad().reshape(-1);
  at::NoGradGuard guard;
  const double h = 1e-5;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    at::Tensor up = x.detach().clone();
    at::Tensor down = x.detach().clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    const double expected = (f(up) - f(down)).item<double>() / (2 * h);
    EXPECT_NEAR(gradient[i].item<double>(), expected, tolerance) << "element " << i;
  }
}

inline at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
inline at::Tensor indices(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

}  // namespace smcl::test
