// The report of 200 runs, as a process: seconds from command to page, and the page's size. The runs
// are made up: 20 recipes of 10 seeds, 10 classes, 9,600 test images and 40 epochs each, as scenes
// has them. Wanted: under 5 s, under 5 MB. The folder goes away unless one is named.
//
//   bench_report [FOLDER]

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "core/error.h"
#include "core/random.h"
#include "format/file.h"
#include "metrics/metrics.h"
#include "record/predictions.h"
#include "record/run_folder.h"

namespace {

namespace fs = std::filesystem;
using smcl::concat;

constexpr int kRecipes = 20;
constexpr int kSeeds = 10;
constexpr int kClasses = 10;
constexpr int kImages = 9600;
constexpr int kEpochs = 40;
const std::vector<int> kCounts{1000, 599, 359, 215, 129, 77, 46, 27, 16, 10};

/// Logits that are right more often for classes with more images.
smcl::record::Predictions predictions(smcl::RandomStream& random) {
  smcl::record::Predictions made;
  made.classes = kClasses;
  for (int i = 0; i < kImages; ++i) {
    const int label = i % kClasses;
    made.labels.push_back(label);
    for (int c = 0; c < kClasses; ++c) {
      const double own = c == label ? 3.0 - 0.3 * label : 0.0;
      made.logits.push_back(static_cast<float>(own + 2.0 * random.unit()));
    }
  }
  return made;
}

nlohmann::json accuracy_json(const smcl::metrics::Accuracy& accuracy) {
  nlohmann::json out{{"all", accuracy.all},        {"balanced", accuracy.balanced},
                     {"many", *accuracy.many},     {"medium", *accuracy.medium},
                     {"few", *accuracy.few},       {"head", *accuracy.head},
                     {"middle", *accuracy.middle}, {"tail", *accuracy.tail}};
  for (const auto& value : accuracy.per_class) out["per_class"].push_back(*value);
  return out;
}

void make_run(const fs::path& root, int recipe, int seed) {
  smcl::RandomStream random(1, smcl::Purpose::init, static_cast<std::uint32_t>(recipe),
                            static_cast<std::uint64_t>(seed));
  const std::string name = recipe == 0 ? "scenes-ce" : concat("scenes-m", recipe);
  auto folder = smcl::record::RunFolder::create(root, name);
  folder.write_fingerprint(smcl::record::base_fingerprint());
  folder.write_config(
      concat("[run]\nprecision = \"fp32\"\n[train]\nseed = ", seed, "\n[method]\nname = \"",
             recipe == 0 ? "ce" : "smcl", "\"\n[mask]\nprob = ", 0.01 * (recipe + 1), "\n"),
      name);
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    folder.append_metrics({{"format_version", 1},
                           {"type", "epoch"},
                           {"epoch", epoch},
                           {"loss", 2.0 / (epoch + 1) + random.unit()}});
    folder.append_metrics({{"format_version", 1},
                           {"type", "evaluation"},
                           {"epoch", epoch},
                           {"set", "test"},
                           {"accuracy", {{"balanced", 0.01 * epoch + 0.1 * random.unit()}}}});
  }
  const auto made = predictions(random);
  smcl::record::write_predictions(folder.predictions_file(), made);
  const smcl::metrics::Predictions judged{kClasses, made.labels, made.logits};
  const auto accuracy = accuracy_json(smcl::metrics::accuracy(judged, kCounts, {}));
  folder.write_summary(
      {{"format_version", 1},
       {"run", folder.name()},
       {"recipe", name},
       {"finished_at", "2026-01-31T12:00:00Z"},
       {"seconds", 100.0},
       {"settings_hash", name},
       {"train_counts", kCounts},
       {"class_names", {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
       {"groups", {{"many_above", 100}, {"few_below", 20}}},
       {"warnings", nlohmann::json::array()},
       {"last", {{"accuracy", accuracy}, {"prior_corrected", accuracy}, {"ece", 0.1}}}});
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path root =
      argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path() / concat("smcl-report-", getpid());
  for (int recipe = 0; recipe < kRecipes; ++recipe) {
    for (int seed = 0; seed < kSeeds; ++seed) make_run(root, recipe, seed);
  }
  const fs::path page = root / "report.html";
  const std::string command = concat("'", SMCL_PROGRAM, "' report '", root.string(), "' -o '",
                                     page.string(), "' >/dev/null 2>&1");
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    int status = 0;
    const auto report = [&] { status = std::system(command.c_str()); };
    seconds.push_back(smcl::bench::seconds_a_call(report, 1));
    if (status != 0) {
      std::fprintf(stderr, "bench_report: '%s' ended with %d\n", command.c_str(), status);
      return 1;
    }
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("{\"name\":\"report_200_runs\",\"seconds\":%.3f,\"megabytes\":%.3f,\"cpu\":\"%s\"}\n",
              seconds[seconds.size() / 2], static_cast<double>(fs::file_size(page)) / 1e6,
              smcl::cpu_model().c_str());
  if (argc < 2) fs::remove_all(root);
  return 0;
}
