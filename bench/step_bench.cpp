#include <ATen/ATen.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "core/error.h"
#include "core/log.h"
#include "nn/network.h"
#include "own_step.h"
#include "peer_process.h"
#include "synthetic.h"
#include "tensor/runtime.h"

/// The whole training step of ResNet-32 at batch 128: CE, and SMCL with every step masked and the
/// contrastive part on, beside the same work in plain Python + PyTorch (bench/peers/step_peer.py),
/// all of its modes; and evaluation of as many images. Without Python the peer's columns are
/// missing and a line on standard error says so. Arguments: what to measure, such as `ce`,
/// `smcl/bf16` or `eval`; all without any. SMCL_BENCH_MODES limits the peer's modes to a list with
/// commas. A second kind of row compares our step with and without making batches. The peak of
/// memory is the process's: to compare with LibTorch's operations run `ce/fp32` once more with
/// SMCL_KERNELS=torch.
namespace {

using namespace smcl;
using bench::kBatch;

constexpr int kRounds = 5;
constexpr int kSteps = 5;

experiment::Recipe recipe_of(const std::string& method) {
  return bench::recipe(method == "smcl"
                           ? "method.name = 'smcl'\nmask.prob = 1.0\nmask.start = 0.0\n"
                           : "method.name = 'ce'\n");
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void print_row(const std::string& bench, const std::string& peer, double ours, double theirs,
               double ours_mb, double theirs_mb, int threads) {
  nlohmann::ordered_json row{
      {"bench", bench}, {"peer", peer}, {"unit", "img/s"}, {"ours", kBatch / ours}};
  row["theirs"] = theirs > 0 ? nlohmann::ordered_json(kBatch / theirs) : nlohmann::ordered_json();
  row["ratio"] = theirs > 0 ? nlohmann::ordered_json(theirs / ours) : nlohmann::ordered_json();
  row["ours_peak_mb"] = ours_mb;
  if (theirs_mb > 0) row["theirs_peak_mb"] = theirs_mb;
  row["threads"] = threads;
  row["cpu"] = cpu_model();
  row["isa"] = std::string(name(best_isa()));
  const bool bf16 = bench.find("bf16") != std::string::npos;
  row["kernels"] =
      nn::describe_kernels({}, 10, 32, 32, bf16 ? batch::Precision::bf16 : batch::Precision::fp32);
  std::printf("%s\n", row.dump().c_str());
  std::fflush(stdout);
}

/// One round of the peer in its modes; returns its peak memory. Modes that were far behind in the
/// first round (bf16 on a CPU without it) are not asked again.
double ask(bench::PeerProcess& peer, const std::string& method, bool first,
           std::map<std::string, std::vector<double>>& times) {
  double peak = 0.0;
  double best = 1e9;
  for (const auto& [mode, seconds] : times) best = std::min(best, seconds[0]);
  const char* wish = std::getenv("SMCL_BENCH_MODES");
  const std::string wished = wish == nullptr ? "" : concat(',', wish, ',');
  for (const char* mode : {"fp32-nchw", "fp32-nhwc", "bf16-nchw", "bf16-nhwc", "fp32-nhwc-compile",
                           "bf16-nhwc-compile"}) {
    if (!wished.empty() && wished.find(concat(',', mode, ',')) == std::string::npos) continue;
    if (!first && (times.count(mode) == 0 || times[mode][0] > 2.5 * best)) continue;
    const int steps = first ? 1 : kSteps;
    const std::string answer =
        peer.ask(std::string(mode) + ' ' + method + ' ' + std::to_string(steps));
    if (answer.empty()) continue;
    const auto row = nlohmann::json::parse(answer);
    times[mode].push_back(row.at("seconds").get<double>());
    if (first && method == "smcl" && !row.at("saliency").get<bool>()) {
      log::warn("the peer's OpenCV has no saliency: it masks without, which favours it");
    }
    peak = std::max(peak, row.at("peak_mb").get<double>());
  }
  return peak;
}

/// Medians of one method over alternating rounds: ours in the precisions asked for, the peer in its
/// modes.
void compare(const std::string& method, const std::vector<std::string>& precisions,
             const data::ResidentDataset& data, bench::PeerProcess* peer, int threads) {
  std::map<std::string, std::unique_ptr<bench::OwnStep>> steps;
  for (const std::string& name : precisions) {
    const auto precision = name == "fp32" ? batch::Precision::fp32 : batch::Precision::bf16;
    steps[name] = std::make_unique<bench::OwnStep>(recipe_of(method), precision, data);
    for (int i = 0; i < 3; ++i)
      method == "eval" ? steps[name]->evaluate() : steps[name]->step(true);
  }
  std::map<std::string, std::vector<double>> ours;
  std::map<std::string, std::vector<double>> one_batch;
  std::map<std::string, std::vector<double>> theirs;
  double theirs_mb = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kSteps; ++i) {
      for (const auto& [name, step] : steps) {
        ours[name].push_back(method == "eval" ? step->evaluate() : step->step(true));
        if (method != "eval") one_batch[name].push_back(step->step(false));
      }
    }
    if (peer != nullptr) theirs_mb = std::max(theirs_mb, ask(*peer, method, round == 0, theirs));
  }
  const double mb = peak_mb();
  for (const auto& [name, times] : ours) {
    const std::string bench = "step/" + method + "/" + name;
    const double mine = bench::median(times);
    if (theirs.empty()) print_row(bench, "none", mine, 0, mb, 0, threads);
    for (const auto& [mode, seconds] : theirs) {
      print_row(bench, "PyTorch " + mode, mine, bench::median(seconds), mb, theirs_mb, threads);
    }
    if (method == "eval") continue;
    print_row(bench + "/plan and batch hidden", "the same step on one batch", mine,
              bench::median(one_batch[name]), mb, 0, threads);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  tensor::prepare_runtime();
  const int threads = tensor::runtime_info().threads;
  const data::ResidentDataset data = bench::synthetic(1000);
  const char* python = std::getenv("SMCL_BENCH_PYTHON");
  bench::PeerProcess peer({python != nullptr ? python : "python3",
                           SMCL_SOURCE_DIR "/bench/peers/step_peer.py", std::to_string(threads)});
  const bool alive = !peer.ask("fp32-nchw ce 1").empty();
  if (!alive)
    log::warn("no Python with PyTorch and OpenCV: the peer is left out (bench/peers/install)");
  std::vector<std::string> wishes(argv + 1, argv + argc);
  if (wishes.empty()) wishes = {"ce", "smcl", "eval"};
  for (const std::string& wish : wishes) {
    const std::size_t slash = wish.find('/');
    std::vector<std::string> precisions{"fp32", "bf16"};
    if (slash != std::string::npos) precisions = {wish.substr(slash + 1)};
    compare(wish.substr(0, slash), precisions, data, alive ? &peer : nullptr, threads);
  }
  return 0;
}
