#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "own_step.h"
#include "synthetic.h"
#include "tensor/runtime.h"

/// A training step of each method beside that of cross-entropy in turn, ResNet-32, batch 128, fp32:
/// every step mixed or masked. `ratio` is the method's time over cross-entropy's, `ratio_an_image`
/// the same over how many times as many images go through the network. Arguments: names of methods;
/// all without any.
namespace {

using namespace smcl;

constexpr int kSteps = 25;

std::string settings_of(const std::string& method) {
  const std::string name = "method.name = '" + method + "'\n";
  if (method == "smcl") return name + "mask.prob = 1.0\nmask.start = 0.0\n";
  if (method == "bcl")
    return name + "loss.name = 'logit_adjusted'\nnetwork.classifier = 'cosine'\n";
  return name;
}

void compare(const std::string& method, const data::ResidentDataset& data) {
  const experiment::Recipe recipe = bench::recipe(settings_of(method));
  const int images = 1 + plan::target_blocks(recipe.planner_settings());
  bench::OwnStep ours(recipe, batch::Precision::fp32, data);
  bench::OwnStep plain(bench::recipe("method.name = 'ce'\n"), batch::Precision::fp32, data);
  std::vector<double> times;
  std::vector<double> of_plain;
  for (int i = 0; i < 3 + kSteps; ++i) {
    const double mine = ours.step(true);
    const double other = plain.step(true);
    if (i < 3) continue;  // warm-up
    times.push_back(mine);
    of_plain.push_back(other);
  }
  const double ratio = bench::median(times) / bench::median(of_plain);
  const nlohmann::ordered_json row{{"bench", "method/" + method},
                                   {"peer", "ce"},
                                   {"unit", "img/s"},
                                   {"ours", bench::kBatch / bench::median(times)},
                                   {"theirs", bench::kBatch / bench::median(of_plain)},
                                   {"ratio", ratio},
                                   {"images", images},
                                   {"ratio_an_image", ratio / images},
                                   {"threads", tensor::runtime_info().threads},
                                   {"cpu", cpu_model()}};
  std::printf("%s\n", row.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  tensor::prepare_runtime();
  const data::ResidentDataset data = bench::synthetic(1000);
  std::vector<std::string> wishes(argv + 1, argv + argc);
  if (wishes.empty()) {
    wishes = {"mixup", "remix", "cutmix", "saliencymix", "cmo", "supcon", "bcl", "smcl"};
  }
  for (const std::string& wish : wishes) compare(wish, data);
  return 0;
}
