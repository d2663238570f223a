#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "core/error.h"
#include "core/log.h"
#include "gpu_step_runs.h"
#include "gpu_trace.h"
#include "peer_process.h"
#include "tensor/runtime.h"

/// Training and evaluation on a GPU, by whole epochs of ResNet-32 at batch 128 on a set of the size
/// of CIFAR-10-LT at ratio 100, beside the same work in Python + PyTorch
/// (bench/peers/gpu_step_peer.py): CE; SMCL with every step masked, saliency and the contrastive
/// part in every step; evaluation. Beside our own captured steps of one run: steps launched one by
/// one, deterministic algorithms, four runs at once. Arguments: names of rows, such as
/// `smcl/bf16`; all without any. Environment: SMCL_BENCH_PYTHON, without which it is python3;
/// SMCL_BENCH_MODES, the peer's modes with commas; SMCL_BENCH_SECONDS, after which no further row
/// or mode of the peer is begun; SMCL_BENCH_TRACE, a folder: nothing is measured, but what the
/// device did in an epoch of each row is written to FOLDER/ROW.json (`/` becomes `-`), for
/// tools/kernel_table. Ends with 2 without a GPU, and with 1 where a row failed or steps were not
/// captured.
namespace {

using namespace smcl;
using namespace smcl::bench;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr double kRoundSeconds = 0.25;  // least time of one side in one round
constexpr int kAtOnce = 4;
constexpr double kSeconds = 200.0;        // of everything
constexpr double kCompileSeconds = 45.0;  // roughly what torch.compile takes for a new network

constexpr std::array kRows{
    "ce/bf16",       "smcl/bf16", "eval/bf16", "four/ce/bf16", "ce/bf16/deterministic",
    "ce/bf16/eager", "ce/fp32",   "smcl/fp32", "eval/fp32"};

/// The peer's modes. fp32 in both layouts: which of them cuDNN likes better is not the same on all
/// devices; torch.compile chooses for itself.
constexpr const char* kModes =
    "bf16-nhwc-eager,bf16-nhwc-graph,bf16-nhwc-compile,"
    "fp32-nchw-eager,fp32-nchw-graph,fp32-nhwc-graph,fp32-nchw-compile";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The peer, where it runs.
class Peer {
 public:
  Peer() {
    const nlohmann::json hello = ask("hello");
    if (hello.contains("torch")) {
      version_ = hello["torch"].get<std::string>();
      return;
    }
    log::warn(concat("no Python with PyTorch for this GPU: the peer is left out (",
                     hello.value("error", "bench/peers/install"), ")"));
  }
  bool alive() const { return !version_.empty(); }
  const std::string& version() const { return version_; }

  /// Seconds an image of the ordinary stream, in one epoch. Throws Error where it cannot.
  double epoch(const std::string& mode, const std::string& method) {
    const nlohmann::json row = ask(concat(mode, ' ', method, " 1"));
    if (!row.contains("seconds")) {
      throw Error(ExitCode::io, concat("the peer has no ", mode, " of ", method, ": ",
                                       row.value("error", "it has gone")));
    }
    if (const int skipped = row["skipped_graphs"].get<int>();
        skipped > 0 && told_ != mode + method) {
      told_ = mode + method;
      log::warn(concat("the peer's ", mode, " of ", method, " has ", skipped,
                       " parts without CUDA graph"));
    }
    return row["seconds"].get<double>() / row["images"].get<double>();
  }

 private:
  static std::string python() {
    const char* python = std::getenv("SMCL_BENCH_PYTHON");
    return python != nullptr ? python : "python3";
  }
  nlohmann::json ask(const std::string& line) {
    nlohmann::json row = nlohmann::json::parse(process_.ask(line), nullptr, false);
    return row.is_object() ? row : nlohmann::json::object();
  }

  static std::string script() {
    const char* peers = std::getenv("SMCL_BENCH_PEERS");
    return concat(peers != nullptr ? peers : SMCL_SOURCE_DIR "/bench/peers", "/gpu_step_peer.py");
  }

  PeerProcess process_{{python(), script()}};
  std::string version_;
  std::string told_;
};

/// A way to do the work, and how long its epochs took.
struct Way {
  std::string name;
  std::function<double()> epoch;  ///< seconds an image
  std::vector<double> times;      ///< sorted at the end
};

/// Measures the ways in turn, so that what else the machine does meets all of them.
void take_turns(std::vector<Way>& ways) {
  for (int round = 0; round < kRounds; ++round) {
    for (Way& way : ways) {
      const auto start = Clock::now();
      do {
        way.times.push_back(way.epoch());
      } while (seconds_since(start) < kRoundSeconds);
    }
  }
  for (Way& way : ways) std::sort(way.times.begin(), way.times.end());
}

template <class Runs>
Way our_way(const std::string& name, Runs& runs) {
  return {name,
          [&runs] {
            const auto start = Clock::now();
            const int images = runs.epoch();
            return seconds_since(start) / images;
          },
          {}};
}

class Bench {
 public:
  Bench(tensor::Gpu& gpu, const data::Dataset& data) : gpu_(gpu), data_(data) {
    if (const char* seconds = std::getenv("SMCL_BENCH_SECONDS")) limit_ = std::atof(seconds);
  }

  /// Measures and prints a row; false where it failed.
  bool row(const std::string& name) {
    if (left() < kRowSeconds) {
      log::warn(concat("no time for ", name, " (SMCL_BENCH_SECONDS)"));
      return true;
    }
    try {
      bool good = false;
      const char* folder = std::getenv("SMCL_BENCH_TRACE");
      gpu_.on_own_stream([&] {
        const Work work = Work::named(name);
        good = folder != nullptr ? trace(name, work, folder) : measure(name, work);
      });
      return good;
    } catch (const std::exception& problem) {
      const std::string text = problem.what();  // LibTorch's goes on with a backtrace
      log::error(concat(name, " failed: ", text.substr(0, text.find('\n'))));
      return false;
    }
  }

 private:
  static constexpr double kRowSeconds = 15.0;  // roughly, without torch.compile

  double left() const { return limit_ - seconds_since(start_); }

  std::unique_ptr<Run> warm_run(const Work& work) {
    gpu_.set_deterministic(work.deterministic);
    auto run = std::make_unique<Run>(gpu_, work, data_);
    run->warm_up();
    gpu_.set_deterministic(false);  // what is recorded stays as it is
    return run;
  }

  bool measure(const std::string& name, const Work& work) {
    const std::unique_ptr<Run> plain = warm_run(work.plain());
    std::unique_ptr<Run> other;
    std::unique_ptr<RunsAtOnce> at_once;
    std::vector<Way> ways;
    std::string graph = plain->graph();
    if (work.at_once) {
      at_once = std::make_unique<RunsAtOnce>(gpu_, work, data_, kAtOnce);
      graph = at_once->graph();
      ways.push_back(our_way(name, *at_once));
    } else if (!work.is_plain()) {
      other = warm_run(work);
      graph = other->graph();
      ways.push_back(our_way(name, *other));
    }
    ways.push_back(our_way("one captured run", *plain));
    add_peer(work, ways);
    take_turns(ways);
    if (ways.size() == 1) print(name, work, ways[0], nullptr, graph);
    for (std::size_t i = 1; i < ways.size(); ++i) print(name, work, ways[0], &ways[i], graph);
    return work.eager || is_captured(name, graph);
  }

  static bool is_captured(const std::string& name, const std::string& graph) {
    if (graph == "captured") return true;
    log::error(concat(name, ": not captured: ", graph));
    return false;
  }

  bool trace(const std::string& name, const Work& work, const std::string& folder) {
    if (!work.is_plain()) {
      log::warn(concat(name, ": only rows of one captured run are traced"));
      return true;
    }
    std::string file = name;
    std::replace(file.begin(), file.end(), '/', '-');
    const std::string path = concat(folder, '/', file, ".json");
    write_trace([] {}, path);  // recording before the profiler was ever on may hide kernels from it
    const std::unique_ptr<Run> run = warm_run(work);
    write_trace([&run] { run->epoch(); }, path);
    return is_captured(name, run->graph());
  }

  /// The peer's modes for this work, each warm.
  void add_peer(const Work& work, std::vector<Way>& ways) {
    if (work.deterministic || work.at_once || !peer_.alive()) return;
    const char* wish = std::getenv("SMCL_BENCH_MODES");
    for (const std::string& mode : split(wish != nullptr ? wish : kModes, ',')) {
      if (!mode.starts_with(work.precision + '-')) continue;
      if (work.eager && !mode.ends_with("-eager")) continue;
      if (left() < (mode.ends_with("-compile") ? kCompileSeconds : kRowSeconds)) {
        log::warn(
            concat("no time for the peer's ", mode, " of ", work.method, " (SMCL_BENCH_SECONDS)"));
        continue;
      }
      const auto epoch = [this, mode, method = work.method] { return peer_.epoch(mode, method); };
      try {
        epoch();
      } catch (const Error& problem) {
        log::warn(problem.what());
        continue;
      }
      ways.push_back({concat("PyTorch ", peer_.version(), ' ', mode), epoch, {}});
    }
  }

  static std::string note(const Work& work, const Way* theirs) {
    std::string text = work.method == "eval" ? "batches of 1000" : "batches of 128";
    if (work.precision == "fp32") text += "; without TF32";
    if (theirs == nullptr || !theirs->name.starts_with("PyTorch")) return text;
    if (work.method != "eval") text += "; the peer leaves out the short last batch";
    if (work.method == "smcl") {
      text += "; the peer masks a random box, since Python has no saliency on the GPU";
    }
    return text;
  }

  void print(const std::string& name, const Work& work, const Way& ours, const Way* theirs,
             const std::string& graph) const {
    const double mine = Times::median(ours.times);
    nlohmann::ordered_json row{{"bench", "gpu_step/" + name},
                               {"peer", theirs != nullptr ? theirs->name : "none"},
                               {"unit", "img/s"},
                               {"ours", 1 / mine},
                               {"theirs", nullptr},
                               {"ratio", nullptr},
                               {"ours_max", 1 / ours.times.front()},
                               {"epochs", ours.times.size()}};
    if (theirs != nullptr) {
      const double other = Times::median(theirs->times);
      row["theirs"] = 1 / other;
      row["ratio"] = other / mine;
      row["theirs_max"] = 1 / theirs->times.front();
      row["theirs_epochs"] = theirs->times.size();
    }
    row["graph"] = graph;
    row["note"] = note(work, theirs);
    row["device"] = gpu_.name();
    row["versions"] = gpu_.versions();
    row["cpu"] = cpu_model();
    std::printf("%s\n", row.dump().c_str());
    std::fflush(stdout);
  }

  tensor::Gpu& gpu_;
  const data::Dataset& data_;
  Clock::time_point start_ = Clock::now();
  double limit_ = kSeconds;
  Peer peer_;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> rows(argv + 1, argv + argc);
  if (rows.empty()) rows.assign(kRows.begin(), kRows.end());
  for (const std::string& row : rows) {
    if (std::find(kRows.begin(), kRows.end(), row) != kRows.end()) continue;
    std::fprintf(stderr, "bench_gpu_step: no row '%s'; there are:", row.c_str());
    for (const char* known : kRows) std::fprintf(stderr, " %s", known);
    std::fprintf(stderr, "\n");
    return 2;
  }
  const tensor::GpuAnswer& answer = tensor::find_gpu();
  if (answer.gpu == nullptr) {
    std::fprintf(stderr, "bench_gpu_step: %s\n", answer.why_not.c_str());
    return 2;
  }
  tensor::prepare_runtime();
  const data::ResidentDataset data = synthetic(5000);
  Bench bench(*answer.gpu, data);
  bool good = true;
  for (const std::string& row : rows) good = bench.row(row) && good;
  return good ? 0 : 1;
}
