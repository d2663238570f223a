#pragma once

#include <atomic>
#include <barrier>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "data/dataset.h"
#include "experiment/recipe.h"
#include "synthetic.h"
#include "tensor/gpu.h"
#include "train/evaluate.h"
#include "train/steps.h"

/// Our side of bench_gpu_step: runs on a GPU that train, or judge, an epoch at a time.
namespace smcl::bench {

// Epochs. Each has one short batch, and steps of a shape are recorded when they come for the third
// time.
constexpr int kWarmUp = 3;
constexpr int kEvaluated = 12000;  // images: whole batches on both sides

inline std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

/// What a row measures, by its name: [four/]METHOD/PRECISION[/eager|/deterministic].
struct Work {
  std::string method;
  std::string precision;
  bool eager = false;
  bool deterministic = false;
  bool at_once = false;

  static Work named(const std::string& name) {
    Work work;
    std::vector<std::string> words = split(name, '/');
    work.at_once = words.front() == "four";
    if (work.at_once) words.erase(words.begin());
    work.method = words.at(0);
    work.precision = words.at(1);
    work.eager = words.back() == "eager";
    work.deterministic = words.back() == "deterministic";
    return work;
  }
  /// Without what sets it apart from plain captured steps.
  Work plain() const { return {.method = method, .precision = precision}; }
  bool is_plain() const { return !eager && !deterministic && !at_once; }
};

inline experiment::Recipe recipe_of(const Work& work) {
  const std::string method =
      work.method == "smcl"
          ? "method.name = 'smcl'\ncontrast.when = 'always'\nmask.prob = 1.0\nmask.start = 0.0\n"
          : "method.name = 'ce'\n";
  const std::string text = concat(method, "train.epochs = 10000\nrun.device = 'cuda'\n",
                                  "run.precision = '", work.precision, "'");
  return experiment::resolve_recipe(config::Document::parse(text, "bench"), "bench");
}

/// One of our runs. Lives and is used on the thread that made it, on a stream of that thread.
class Run {
 public:
  Run(tensor::Gpu& gpu, const Work& work, const data::Dataset& data)
      : recipe_(recipe_of(work)),
        network_({}, data.classes(), 0, recipe_.precision(), gpu),
        data_(data) {
    std::vector<std::uint32_t> samples(data.size());
    std::iota(samples.begin(), samples.end(), 0U);
    if (work.method == "eval") {
      samples.resize(kEvaluated);
      evaluation_.emplace(gpu, network_, data, std::move(samples), data::Normalisation{});
      return;
    }
    std::vector<std::int32_t> labels;
    std::vector<int> counts(static_cast<std::size_t>(data.classes()));
    for (const std::uint32_t sample : samples) {
      labels.push_back(data.label(sample));
      ++counts[static_cast<std::size_t>(labels.back())];
    }
    const auto planner = std::make_shared<const plan::Planner>(recipe_.planner_settings(), samples,
                                                               labels, data.classes());
    method_ = method::make_method(recipe_.method, recipe_.train.epochs, counts,
                                  planner->target_probabilities());
    steps_ = train::make_gpu_steps(
        recipe_.train.optimiser,
        {gpu, network_, *method_, planner, recipe_.executor_settings({}), data, work.eager});
  }

  void warm_up() {
    for (int i = 0; i < kWarmUp; ++i) epoch();
  }
  /// Images of the ordinary stream in an epoch, which is trained on or judged to its end.
  int epoch() {
    if (evaluation_) return static_cast<int>((*evaluation_)().labels.size());
    train::RunPoint begin;
    begin.epoch = epoch_++;
    steps_->start(begin, 0.01);
    int images = 0;
    while (const std::optional<train::StepTaken> step = steps_->next()) images += step->images;
    steps_->point();  // waits for the steps
    return images;
  }
  std::string graph() const { return evaluation_ ? evaluation_->graph() : steps_->graph(); }

 private:
  experiment::Recipe recipe_;
  nn::Network network_;
  const data::Dataset& data_;
  std::unique_ptr<method::Method> method_;
  std::unique_ptr<train::Steps> steps_;
  std::optional<train::GpuEvaluation> evaluation_;
  int epoch_ = 0;
};

/// Several runs, each in a thread of its own.
class RunsAtOnce {
 public:
  RunsAtOnce(tensor::Gpu& gpu, const Work& work, const data::Dataset& data, int count)
      : turn_(count + 1), graphs_(static_cast<std::size_t>(count)) {
    for (std::string& graph : graphs_) {
      threads_.emplace_back([this, &gpu, work, &data, &graph] { train(gpu, work, data, graph); });
    }
    turn_.arrive_and_wait();  // all are warm
  }
  ~RunsAtOnce() {
    stop_ = true;
    turn_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }
  RunsAtOnce(const RunsAtOnce&) = delete;
  RunsAtOnce& operator=(const RunsAtOnce&) = delete;

  /// An epoch of each; images of all. Throws what a run threw.
  int epoch() {
    check();
    images_ = 0;
    turn_.arrive_and_wait();  // all begin
    turn_.arrive_and_wait();  // all have ended
    check();
    return images_;
  }
  /// The first that is not as it should be, else "captured".
  std::string graph() {
    check();
    for (const std::string& graph : graphs_) {
      if (graph != "captured") return graph;
    }
    return "captured";
  }

 private:
  void train(tensor::Gpu& gpu, const Work& work, const data::Dataset& data, std::string& graph) {
    try {
      gpu.on_own_stream([&] {
        Run run(gpu, work, data);
        run.warm_up();
        graph = run.graph();
        turn_.arrive_and_wait();
        for (;;) {
          turn_.arrive_and_wait();
          if (stop_) return;
          images_ += run.epoch();
          turn_.arrive_and_wait();
        }
      });
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      failure_ = std::current_exception();
      turn_.arrive_and_drop();  // the others need not wait
    }
  }
  void check() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

  std::barrier<> turn_;
  std::vector<std::string> graphs_;
  std::vector<std::thread> threads_;
  std::atomic<int> images_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace smcl::bench
