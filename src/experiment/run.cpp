#include "experiment/run.h"

#include <c10/util/Exception.h>

#include <atomic>
#include <chrono>
#include <exception>

#include "batch/loader.h"
#include "core/cpu.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/log.h"
#include "experiment/check.h"
#include "experiment/checkpoints.h"
#include "experiment/device.h"
#include "experiment/evaluations.h"
#include "experiment/recorder.h"
#include "experiment/same_run.h"
#include "experiment/scene_measures.h"
#include "experiment/session.h"
#include "experiment/stage.h"
#include "experiment/summary.h"
#include "format/safetensors.h"
#include "plan/planner.h"
#include "record/checkpoint_files.h"
#include "tensor/runtime.h"

namespace smcl::experiment {
namespace {

/// A run without its folder.
struct Setup {
  const Recipe& recipe;
  const RunOptions& options;
  const data::Opened& data;
  const plan::Planner& planner;
  nn::Network& network;
  std::unique_ptr<train::Steps>& steps;  ///< of the first stage, until the second begins
  std::unique_ptr<Stage>& stage;         ///< null: there is no second stage
  tensor::Gpu* gpu;                      ///< null: on the CPU

  Learned learned() const { return {network, stage == nullptr ? nullptr : stage->classifier()}; }
};

/// The run folder to show or to go on with, if there is one.
std::optional<record::RunFolder> run_there(const Recipe& recipe, const RunOptions& options,
                                           const data::Opened& data) {
  if (options.resume) return record::RunFolder::open(*options.resume);
  if (options.always_new) return std::nullopt;
  const auto find = [&](const Recipe& wanted) {
    return record::RunFolder::find(options.root, wanted.name, run_hash(wanted, data));
  };
  auto found = find(recipe);
  if (const auto other = recipe.with_other_precision(); other && !found) {
    if (const auto elsewhere = find(*other)) {
      log::warn(
          concat(elsewhere->path().string(), " is of another machine: run.precision = auto is ",
                 recipe.runtime.precision, " here and was ", other->runtime.precision,
                 " there, so this is another run; --set run.precision=", other->runtime.precision,
                 " goes on with that one"));
    }
  }
  return found;
}

/// The results of a run that has nothing left to do.
std::optional<RunResult> finished_run(const record::RunFolder& folder, const Recipe& recipe,
                                      const data::Opened& data) {
  if (!folder.finished()) return std::nullopt;
  if (folder.fingerprint().value("settings_hash", "") != run_hash(recipe, data)) {
    return std::nullopt;
  }
  const std::string changes = fingerprint_changes(folder.fingerprint(), fingerprint(recipe, data));
  if (!changes.empty()) {
    log::warn(concat(folder.path().string(), " is from another program or machine (", changes,
                     "): to train with this one put the folder away, or take 'smcl train --new'"));
  }
  return RunResult{folder, folder.summary(), true};
}

void check_stop(const RunOptions& options) {
  if (options.stop && options.stop()) {
    throw StoppedError("stopped before the first step; run the same command again");
  }
}

bool has_checkpoint(const record::RunFolder& folder) {
  return !record::checkpoint_files(folder.path()).empty();
}

/// Against a checkpoint of another run under this one's name.
void check_step(const record::RunFolder& folder, const train::RunPoint& point, const Setup& setup) {
  const bool staged = point.epoch >= setup.recipe.train.epochs;
  const int steps = staged ? setup.stage->steps_per_epoch() : setup.planner.steps_per_epoch();
  if (point.step <= steps) return;
  throw DataError(concat(folder.path().string(), ": its newest checkpoint is behind step ",
                         point.step, " of an epoch of ", steps, " steps"));
}

/// What the run folder says of how the run came about.
void add_history(nlohmann::json& summary, const nlohmann::json& marks, const Recipe& recipe) {
  bool exact = recipe.runtime.device != "cuda" || recipe.runtime.deterministic;
  if (const auto found = marks.find("resumes"); found != marks.end()) {
    summary["resumes"] = found->size();
    for (const auto& resume : *found) {
      exact = exact && resume.value("changes", "").empty() && resume.value("settings", "").empty();
    }
  }
  if (const auto found = marks.find("branched_from"); found != marks.end()) {
    summary["branched_from"] = *found;
    exact = exact && found->value("changes", "").empty();
  }
  summary["bit_exact"] = exact;
}

void add_bias(nlohmann::json& summary, const Setup& setup, const Recorder& recorder) {
  if (!setup.data.scenes) return;
  const data::SceneSets& scenes = *setup.data.scenes;
  const auto bias_of = [&](const data::Scenes& set, const metrics::Predictions& predictions) {
    return scene_bias(set, scenes.truth, predictions, setup.data.train_counts, setup.recipe.groups);
  };
  summary["bias"] = bias_of(*scenes.test, recorder.test_predictions());
  const auto plain = [&] {
    summary["bias"]["background_only"] =
        background_only(scenes, setup.network, setup.data, setup.recipe.groups);
  };
  if (setup.gpu != nullptr) {
    setup.gpu->eager(plain);
  } else {
    plain();
  }
  if (recorder.validation_predictions().size() > 0) {
    summary["validation"]["bias"] = bias_of(*scenes.validation, recorder.validation_predictions());
  }
}

/// Where training begins: at the branch, at the newest checkpoint, or at the beginning.
train::RunPoint first_point(Session& session, const std::optional<record::RunFolder>& parent,
                            bool was_there, const Setup& setup, Recorder& recorder,
                            Checkpoints& checkpoints) {
  const record::RunFolder& folder = session.folder();
  if (parent && !has_checkpoint(folder)) {
    const train::RunPoint point = session.branch(*parent, setup.options.branch->epoch, setup.recipe,
                                                 setup.data, setup.learned(), recorder);
    check_step(*parent, point, setup);
    checkpoints.note(point);
    checkpoints.save();  // from now on the branch needs its parent no more
    return point;
  }
  if (!was_there) return {};
  const train::RunPoint point = session.resume(setup.recipe, setup.data, setup.learned(), recorder);
  check_step(folder, point, setup);
  return point;
}

/// `graph` becomes that of the first stage, which is given up when the second begins.
train::SecondStage second_stage(const Setup& setup, const train::Parts& parts, Recorder& recorder,
                                std::string& graph) {
  const auto leave_first = [&setup, &graph] {
    graph = setup.steps->graph();
    setup.steps.reset();
  };
  // The sets are copied: they share what they hold.
  const auto validation = [sets = parts.evaluations,
                           &network = setup.network]() -> std::optional<metrics::Predictions> {
    for (const train::EvaluationSet& set : sets) {
      if (set.name == "val") return set.predict(network);
    }
    throw InternalError("a second stage asked for validation images, of which there are none");
  };
  return setup.stage->plan(leave_first, recorder, validation);
}

/// `begun` becomes true once training begins: whoever is refused leaves the folder as it is.
nlohmann::json train_in(Session& session, const std::optional<record::RunFolder>& parent,
                        bool was_there, const Setup& setup, bool& begun) {
  const auto& [recipe, options, data, planner, network, steps, stage, gpu] = setup;
  record::RunFolder& folder = session.folder();
  if (const std::string text = short_run_warning(recipe); !text.empty()) log::warn(text);
  Recorder recorder(recipe, folder, network, data.train_counts, data.validation != nullptr);
  Checkpoints checkpoints(recipe, folder, network, recorder, setup.learned().stage);
  const train::RunPoint begin =
      first_point(session, parent, was_there, setup, recorder, checkpoints);
  begun = true;
  folder.clear_failure();
  const Evaluations evaluations = make_evaluations(recipe, data, network, gpu, options.stop);
  train::Parts parts{
      network,      planner,     steps.get(), evaluations.sets, {&recorder, &checkpoints},
      &checkpoints, options.stop};
  std::string graph = steps->graph();
  if (stage != nullptr) parts.second_stage = second_stage(setup, parts, recorder, graph);
  parts.observers.insert(parts.observers.end(), options.observers.begin(), options.observers.end());
  if (!train::run(recipe.train, parts, begin)) {
    throw StoppedError(concat("stopped; ", folder.path().string(),
                              " is stored: run the same command again",
                              options.always_new ? ", without --new," : "", " to go on"));
  }

  nlohmann::json summary = recorder.summary();
  summary["recipe"] = recipe.name;
  summary["settings_hash"] = run_hash(recipe, data);
  summary["data_hash"] = data.hash;
  summary["class_names"] = data.train->class_names();
  summary["device"] = recipe.runtime.device;
  if (steps != nullptr) graph = steps->graph();
  if (!graph.empty()) summary["graph"] = graph;
  if (!evaluations.on_gpu.empty()) summary["evaluation_graph"] = evaluations.graph();
  if (stage != nullptr && !stage->graph().empty()) summary["stage"]["graph"] = stage->graph();
  add_history(summary, folder.fingerprint(), recipe);
  add_bias(summary, setup, recorder);
  folder.check_there();  // a folder that was put away must not be half made anew
  store_predictions(folder.predictions_file("test"), recorder.test_predictions());
  folder.sync_metrics();  // on the disk before summary.json, which says that the run is whole
  log::check_file();
  return summary;
}

/// For whoever looks at the folder later. A disk that ended the run may keep this from being
/// written too: nothing is said of that twice.
void note_failure(record::RunFolder& folder, const std::exception& problem) {
  const ExitCode code = exit_code_of(problem);
  try {
    folder.write_failure({static_cast<int>(code), problem.what()});
  } catch (const std::exception& second) {
    if (code == ExitCode::io) return;
    log::warn(concat("the reason could not be noted: ", second.what()));
  }
}

void check_not_diverged(const record::RunFolder& folder) {
  const auto failure = folder.failure();
  if (!failure || failure->code != static_cast<int>(ExitCode::diverged)) return;
  throw DivergedError(concat(folder.path().string(), " diverged before, and would again: ",
                             failure->reason, "; --retry trains it all the same"));
}

/// Training proper, on the CPU or, on a stream of its own, on a GPU.
RunResult train_on(tensor::Gpu* gpu, const Recipe& recipe, const RunOptions& options,
                   const data::Opened& data, const std::optional<record::RunFolder>& parent,
                   const std::optional<record::RunFolder>& there) {
  const auto start = std::chrono::steady_clock::now();
  const auto planner = std::make_shared<const plan::Planner>(
      recipe.planner_settings(), data.train_samples, data.train_labels(), data.classes());
  nn::Network network = gpu == nullptr
                            ? nn::Network(recipe.network, data.classes(), recipe.train.seed,
                                          recipe.precision(), at::kCPU)
                            : nn::Network(recipe.network, data.classes(), recipe.train.seed,
                                          recipe.precision(), *gpu);
  const auto method =
      method::make_method(recipe.method, recipe.train.epochs, data.train_counts,
                          planner->target_probabilities(), nn::logit_scale(recipe.network));
  const batch::ExecutorSettings executor = recipe.executor_settings(data.normalisation);
  std::unique_ptr<batch::Loader> loader;
  std::unique_ptr<train::Steps> steps;
  if (gpu == nullptr) {
    loader = std::make_unique<batch::Loader>(planner, executor, *data.train,
                                             recipe.runtime.loader_threads, 3);
    steps = train::make_steps(recipe.train.optimiser, network, *method, *loader);
  } else {
    steps = train::make_gpu_steps(
        recipe.train.optimiser,
        {*gpu, network, *method, planner, executor, *data.train, !recipe.runtime.graph});
  }

  std::unique_ptr<Stage> stage;
  if (recipe.stage.name != method::StageName::none) {
    stage = std::make_unique<Stage>(recipe, data, network, gpu);
  }

  Session session = there ? Session::open(*there)
                          : Session::start(options.root, recipe, data, options.always_new);
  record::RunFolder& folder = session.folder();
  if (there && folder.finished()) {  // by the process that held the lock before us
    if (auto done = finished_run(folder, recipe, data)) return *std::move(done);
  }
  bool begun = !there;
  const auto failed = [&](const std::exception& problem) {
    log::error_to_file(problem.what());
    if (begun) note_failure(folder, problem);
  };
  try {
    nlohmann::json summary =
        train_in(session, parent, there.has_value(),
                 {recipe, options, data, *planner, network, steps, stage, gpu}, begun);
    summary["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    folder.write_summary(summary);
    return {folder, summary, false};
  } catch (const StoppedError& problem) {
    log::error_to_file(problem.what());
    throw;
  } catch (const c10::Error& problem) {
    const Error ours = error_of_device(problem, gpu != nullptr);
    failed(ours);
    throw ours;
  } catch (const std::exception& problem) {
    failed(problem);
    throw;
  }
}

/// Once for so many.
void warn_of_threads(int threads) {
  static std::atomic<int> told = 0;
  if (threads <= usable_cpus() || told.exchange(threads) == threads) return;
  log::warn(concat("run.threads = ", threads, " on ", usable_cpus(),
                   " usable CPUs: threads that wait for each other are slow"));
}

/// Leaves `parent` empty where the run is to be trained from the start instead.
void check_parent(std::optional<record::RunFolder>& parent, const Branch& branch,
                  const Recipe& recipe, const data::Opened& data) {
  try {
    check_branch(*parent, branch.epoch, recipe, data);
    if (!branch.required) format::SafetensorsFile::read(branch_state(*parent, branch.epoch).path);
  } catch (const Error& problem) {
    if (branch.required) throw;
    log::warn(concat("trained from the start: ", problem.what()));
    parent.reset();
  }
}

}  // namespace

RunResult train_recipe(const Recipe& recipe, const RunOptions& options) {
  std::optional<record::RunFolder> parent;
  std::exception_ptr no_parent;
  if (options.branch) {
    try {
      parent = record::RunFolder::open(options.branch->run);
      branch_state(*parent, options.branch->epoch);
    } catch (const Error&) {
      no_parent = std::current_exception();
    }
  }
  tensor::Gpu* const gpu = options.gpu != nullptr ? options.gpu : gpu_of(recipe);
  const auto opened = options.open ? options.open(recipe)
                                   : std::make_shared<const data::Opened>(open_data(recipe.data));
  const data::Opened& data = *opened;
  warn_of_threads(recipe.runtime.threads);
  tensor::prepare_runtime(recipe.runtime.threads);
  check_stop(options);
  const std::optional<record::RunFolder> there = run_there(recipe, options, data);
  if (there) {
    if (auto done = finished_run(*there, recipe, data)) return *std::move(done);
    if (options.skip_diverged) check_not_diverged(*there);
  }
  // Before anything is made: the same command again must be refused again. A run that has a
  // checkpoint of its own needs no parent.
  if (there && has_checkpoint(*there)) {
    parent.reset();
  } else if (no_parent) {
    std::rethrow_exception(no_parent);
  } else if (parent) {
    check_parent(parent, *options.branch, recipe, data);
  }
  try {
    if (gpu == nullptr) {
      tell_device(recipe);
      return train_on(nullptr, recipe, options, data, parent, there);
    }
    std::optional<RunResult> result;
    gpu->set_deterministic(recipe.runtime.deterministic);
    gpu->on_own_stream([&] { result = train_on(gpu, recipe, options, data, parent, there); });
    return *std::move(result);
  } catch (const c10::Error& problem) {
    throw error_of_device(problem, gpu != nullptr);
  }
}

nn::Network load_network(const record::RunFolder& folder, const Recipe& recipe, int classes,
                         const std::string& which) {
  nn::Network network(recipe.network, classes, recipe.train.seed, recipe.precision(), at::kCPU);
  network.load_weights(folder.weights_file(which).string());
  return network;
}

}  // namespace smcl::experiment
