// What a sweep costs beside its runs, and how fast run folders are listed.
//
//   sweep_40_runs       `smcl sweep` of 40 short runs beside `smcl train` of the same, process by
//                       process and all by one (--seeds): seconds of all. Wanted: at most 1.02
//                       times the runs one by one.
//   index_10000_runs    `smcl index list` of a setting and a result among 10,000 run folders, with
//                       the look at which folders changed: seconds, and of these the start of the
//                       program. Wanted: under 0.2.
//
//   bench_sweep [index | sweep]     one of the two alone

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench.h"
#include "core/error.h"
#include "record/run_folder.h"
#include "record/run_index.h"

namespace {

namespace fs = std::filesystem;
using smcl::concat;

const std::string kProgram = concat("'", SMCL_PROGRAM, "'");

/// Seconds of a command; the bench ends where it fails.
double seconds(const std::string& command) {
  int status = 0;
  const double spent = smcl::bench::seconds_a_call(
      [&] { status = std::system((command + " >/dev/null 2>&1").c_str()); }, 1);
  if (status == 0) return spent;
  std::fprintf(stderr, "bench_sweep: '%s' ended with %d\n", command.c_str(), status);
  std::exit(1);
}

double median(const std::string& command) {
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) times.push_back(seconds(command));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void sweep_of_40(const fs::path& root) {
  std::ofstream(root / "short.toml") << R"(
    data = { n_max = 100, ratio = 10 }
    scenes = { test_objects = 2, val_objects = 2 }
    network = { arch = "resnet20", width = 0.5 }
    method.name = "ce"
    train = { epochs = 2, batch_size = 32 }
    run = { precision = "fp32" }
  )";
  std::ofstream(root / "sweep.toml") << "name = 's'\nrecipes = ['short.toml']\nseeds = 40\n";
  const std::string recipe =
      concat(" '", (root / "short.toml").string(), "' --quiet --runs '", root.string(), "/");
  const std::string train = concat(kProgram, " train", recipe);
  std::string seeds = "1";
  for (int seed = 2; seed <= 40; ++seed) seeds += concat(",", seed);
  double single = 0.0;
  for (int seed = 1; seed <= 40; ++seed) {
    single += seconds(concat(train, "single' --set train.seed=", seed));
  }
  const double sweep = seconds(concat(kProgram, " sweep '", (root / "sweep.toml").string(),
                                      "' --quiet --runs '", root.string(), "'"));
  const double together = seconds(concat(train, "together' --seeds ", seeds));
  std::printf(
      "{\"name\":\"sweep_40_runs\",\"seconds\":%.2f,\"single\":%.2f,\"one_process\":%.2f,"
      "\"ratio\":%.4f,\"cpu\":\"%s\"}\n",
      sweep, single, together, sweep / single, smcl::cpu_model().c_str());
}

/// As many settings and results as a run on scenes has.
void make_runs(const fs::path& root, int count) {
  for (int i = 0; i < count; ++i) {
    const fs::path folder = root / concat("run-", i + 1);
    fs::create_directories(folder);
    std::ofstream config(folder / "config.toml");
    config << "[run]\nname = \"run\"\n[train]\nseed = " << i
           << "\n[mask]\nprob = " << 0.01 * (i % 50) << "\n[other]\n";
    for (int s = 0; s < 100; ++s)
      config << "setting" << s << " = " << (s % 5 == 0 ? i % 7 : s) << '\n';
    std::ofstream summary(folder / "summary.json");
    summary << "{\"format_version\": 1, \"last\": {\"accuracy\": {\"few\": " << 0.0001 * (i % 3000);
    for (int r = 0; r < 60; ++r) summary << ", \"r" << r << "\": " << 0.5 + 0.001 * r;
    summary << "}}}";
  }
}

void index_of_10000(const fs::path& root) {
  make_runs(root, 10'000);
  const double rebuild = seconds(concat(kProgram, " index rebuild '", root.string(), "'"));
  const double list = median(concat(kProgram, " index list '", root.string(),
                                    "' --where mask.prob=0.2 --where 'last.accuracy.few>0.1'"));
  std::printf(
      "{\"name\":\"index_10000_runs\",\"seconds\":%.3f,\"start\":%.3f,\"rebuild\":%.2f,"
      "\"megabytes\":%.1f,"
      "\"cpu\":\"%s\"}\n",
      list, median(kProgram + " index --help"), rebuild,
      static_cast<double>(fs::file_size(root / smcl::record::RunIndex::kFile)) / 1e6,
      smcl::cpu_model().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  const fs::path root = fs::temp_directory_path() / concat("smcl-sweep-", getpid());
  fs::create_directories(root / "index");
  if (part != "sweep") index_of_10000(root / "index");
  if (part != "index") sweep_of_40(root);
  fs::remove_all(root);
  return 0;
}
