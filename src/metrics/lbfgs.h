#pragma once

#include <functional>
#include <vector>

namespace smcl::metrics {

/// The value of a smooth function at `x`; writes its gradient to `gradient`, which has the size of
/// x.
using Objective =
    std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

/// Brings `x` to a minimum of a smooth convex function by L-BFGS (Liu and Nocedal 1989) with ten
/// pairs and halved steps until the value falls enough (Armijo, 1e-4). Ends where no entry of the
/// gradient is above `tolerance`, where no step makes the value fall any more, or after
/// `iterations` steps; returns their number.
int minimise(const Objective& objective, std::vector<double>& x, double tolerance, int iterations);

}  // namespace smcl::metrics
