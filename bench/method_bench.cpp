#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench.h"
#include "core/error.h"
#include "own_step.h"
#include "synthetic.h"
#include "tensor/runtime.h"

/// A training step of each method beside that of cross-entropy in turn, ResNet-32, batch 128: every
/// step mixed or masked, class weights on. `ratio` is the method's time over cross-entropy's,
/// `ratio_an_image` the same over how many times as many images go through the network. Arguments:
/// names, each with /fp32 or /bf16 where only that is wanted; all without any.
namespace {

using namespace smcl;

constexpr int kSteps = 25;

constexpr const char* kLdam =
    "loss.name = 'ldam'\nnetwork.classifier = 'cosine'\nrule.name = 'reweight'\n";
constexpr const char* kMasked = "mask.prob = 1.0\nmask.start = 0.0\n";

using Settings = std::vector<std::pair<std::string, std::string>>;

const Settings& compositions() {
  static const Settings all{
      {"reweight", "method.name = 'ce'\nrule.name = 'reweight'\n"},
      {"resample", "method.name = 'ce'\nrule.name = 'resample'\n"},
      {"focal", "method.name = 'ce'\nloss.name = 'focal'\n"},
      {"ldam-drw", concat("method.name = 'ce'\n", kLdam)},
      {"balanced-softmax", "method.name = 'ce'\nloss.name = 'logit_adjusted'\n"},
      {"mixup", "method.name = 'mixup'\n"},
      {"remix", "method.name = 'remix'\n"},
      {"cutmix", "method.name = 'cutmix'\n"},
      {"saliencymix", "method.name = 'saliencymix'\n"},
      {"cmo", "method.name = 'cmo'\n"},
      {"supcon", "method.name = 'supcon'\n"},
      {"bcl", "method.name = 'bcl'\nloss.name = 'logit_adjusted'\nnetwork.classifier = 'cosine'\n"},
      {"mask-only", concat("contrast.mu = 0.0\n", kMasked)},
      {"smcl", kMasked},
      {"smcl-balanced-softmax", concat(kMasked, "loss.name = 'logit_adjusted'\n")},
      {"smcl-ldam-drw", concat(kMasked, kLdam)},
      {"crt", "method.name = 'ce'\nstage.name = 'crt'\n"},
      {"lws", "method.name = 'ce'\nstage.name = 'lws'\n"},
  };
  return all;
}

void compare(const std::string& name, const std::string& settings, bool bf16,
             const data::ResidentDataset& data) {
  const auto precision = bf16 ? batch::Precision::bf16 : batch::Precision::fp32;
  const experiment::Recipe recipe = bench::recipe(settings);
  const int images = 1 + plan::target_blocks(recipe.planner_settings());
  bench::OwnStep ours(recipe, precision, data);
  bench::OwnStep plain(bench::recipe("method.name = 'ce'\n"), precision, data);
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
  const nlohmann::ordered_json row{{"bench", concat("method/", name, bf16 ? "/bf16" : "/fp32")},
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
    for (const auto& [name, settings] : compositions()) wishes.push_back(name);
  }
  for (const std::string& wish : wishes) {
    const std::string wanted = wish.substr(0, wish.find('/'));
    const auto found =
        std::ranges::find(compositions(), wanted, [](auto& one) { return one.first; });
    if (found == compositions().end()) {
      std::fprintf(stderr, "bench_method: no method '%s'; there are:", wanted.c_str());
      for (const auto& [name, settings] : compositions()) std::fprintf(stderr, " %s", name.c_str());
      std::fprintf(stderr, "\n");
      return 2;
    }
    for (const bool bf16 : {false, true}) {
      if (wish != wanted && wish != concat(wanted, bf16 ? "/bf16" : "/fp32")) continue;
      compare(found->first, found->second, bf16, data);
    }
  }
  return 0;
}
