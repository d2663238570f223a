#include "experiment/session.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "experiment/checkpoints.h"
#include "experiment/device.h"
#include "experiment/same_run.h"
#include "experiment/summary.h"
#include "format/file.h"
#include "record/checkpoint_files.h"
#include "tensor/runtime.h"

namespace smcl::experiment {
namespace {

std::string hash_of(const Recipe& recipe, const std::string& data_hash) {
  return format::sha256(recipe.settings_hash() + data_hash);
}

/// The newest checkpoint that can be read, loaded; nothing where there is no file of one. Those
/// before it, which cannot be used, go to `damaged`.
std::optional<StoredPoint> newest_point(const record::RunFolder& folder, const Restored& restored,
                                        std::vector<record::CheckpointFile>& damaged) {
  const auto files = record::checkpoint_files(folder.path());
  const std::size_t rows = folder.metrics().size();
  std::size_t unread = 0;
  for (const record::CheckpointFile& file : files) {
    try {
      StoredPoint stored = read_checkpoint(file.path, restored);
      if (stored.metrics_rows <= rows) return stored;
      log::warn(concat(file.path.string(), ": passed over: it belongs to ", stored.metrics_rows,
                       " rows of metrics.jsonl, which has ", rows));
      damaged.push_back(file);
    } catch (const DataError& problem) {
      log::warn(concat("passed over: ", problem.what()));
      damaged.push_back(file);
    } catch (const IoError& problem) {
      log::warn(concat("passed over: ", problem.what()));
      damaged.push_back(file);
      ++unread;
    }
  }
  if (files.empty()) return std::nullopt;
  const std::string none = concat("none of the ", files.size(), " checkpoints in ",
                                  (folder.path() / "checkpoints").string());
  if (unread == files.size()) {
    throw IoError(none + " can be read (see above): run the same command again when they can");
  }
  throw DataError(none + " can be used (see above): put the folder away, or train with --new");
}

/// What changed, settings and all else, for whoever reads the results.
void write_down_resume(record::RunFolder& folder, const Recipe& before, const Recipe& recipe,
                       const data::Opened& data, const train::RunPoint& point) {
  nlohmann::json marks = folder.fingerprint();
  const std::string changes = fingerprint_changes(marks, fingerprint(recipe, data));
  if (!changes.empty()) {
    log::warn(concat("going on is not bit-exact: ", changes));
  }
  const std::string settings = text_of(of_results(differences(before, recipe)));
  marks["resumes"].push_back({{"at", utc_now()},
                              {"epoch", point.epoch},
                              {"step", point.step},
                              {"changes", changes},
                              {"settings", settings}});
  if (!settings.empty()) log::warn(concat("going on with other settings: ", settings));
  folder.write_fingerprint(marks);
}

/// What a fingerprint tells of changes before `epoch`: a branch has them in its past.
std::string changes_before(const nlohmann::json& marks, int epoch) {
  std::string text;
  const auto add = [&](const nlohmann::json& from, const char* key) {
    const auto& change = from.at(key).get_ref<const std::string&>();
    if (!change.empty()) text += concat(text.empty() ? "" : ", ", change);
  };
  if (marks.contains("branched_from")) add(marks.at("branched_from"), "changes");
  for (const auto& resume : marks.value("resumes", nlohmann::json::array())) {
    if (resume.at("epoch").get<int>() >= epoch) continue;
    add(resume, "changes");
    add(resume, "settings");
  }
  return text;
}

void warn_of_lost_rows(const record::RunFolder& folder) {
  const std::size_t rows = folder.metrics().size();
  if (rows == 0) return;
  log::warn(concat(folder.path().string(), ": it has no checkpoint that can be read; it begins ",
                   "anew, without its ", rows, " rows of metrics"));
}

}  // namespace

record::CheckpointFile branch_state(const record::RunFolder& run, int epoch) {
  const int end = recipe_of(run).all_epochs();
  const auto files = record::checkpoint_files(run.path());
  std::string kept;
  for (const record::CheckpointFile& file : files) {
    const bool at_end =
        run.finished() && file.step > 0 && file.epoch + 1 == end && file.path == files.front().path;
    if (file.step != 0 && !at_end) continue;
    const int begins = at_end ? end : file.epoch;
    if (begins == epoch) return file;
    kept = concat(begins, kept.empty() ? "" : ", ", kept);
  }
  throw UsageError(concat("--branch-from ", run.path().string(), "@", epoch,
                          ": no checkpoint at the beginning of that epoch; there are: ",
                          kept.empty() ? "none" : kept, " (checkpoint.keep says which are kept)"));
}

void check_data_of(const record::RunFolder& folder, const data::Opened& data) {
  const std::string stored = folder.fingerprint().value("data_hash", data.hash);
  if (stored == data.hash) return;
  throw DataError(concat("the data are not those of ", folder.path().string(), ": got SHA-256 ",
                         data.hash, ", expected ", stored,
                         "; bring its files back, or give their folder with --set data.dir=DIR"));
}

std::string run_hash(const Recipe& recipe, const data::Opened& data) {
  return hash_of(recipe, data.hash);
}

bool was_edited(const record::RunFolder& folder, const Recipe& stored) {
  if (!std::filesystem::exists(folder.path() / "fingerprint.json")) return false;
  const nlohmann::json marks = folder.fingerprint();
  const std::string hash = marks.value("settings_hash", "");
  const std::string data = marks.value("data_hash", "");
  if (hash.empty() || data.empty()) return false;
  return hash != hash_of(stored, data);
}

nlohmann::json fingerprint(const Recipe& recipe, const data::Opened& data) {
  nlohmann::json out = record::base_fingerprint();
  const tensor::RuntimeInfo info = tensor::runtime_info();
  out["libtorch"] = info.torch_version;
  out["libtorch_isa"] = info.isa;
  out["threads"] = info.threads;
  out["precision"] = recipe.runtime.precision;
  if (tensor::Gpu* gpu = gpu_of(recipe)) {
    out["device"] = gpu->name();
    out["gpu_versions"] = gpu->versions();
    out["kernels"] = concat("cuDNN", recipe.runtime.deterministic ? ", deterministic" : "");
  } else {
    out["device"] = "cpu";
    out["kernels"] = nn::describe_kernels(recipe.network, data.classes(), data.height, data.width,
                                          recipe.precision());
  }
  out["data_hash"] = data.hash;
  out["started_at"] = utc_now();
  return out;
}

Recipe recipe_of(const record::RunFolder& folder) {
  const std::string file = (folder.path() / "config.toml").string();
  try {
    return resolve_stored(config::Document::parse(folder.config(), file), "run");
  } catch (const UsageError& problem) {
    const std::string text = problem.what();
    throw DataError(text.find(file) != std::string::npos ? text : concat(file, ": ", text));
  }
}

void check_branch(const record::RunFolder& parent, int epoch, const Recipe& recipe,
                  const data::Opened& data) {
  if (epoch >= recipe.all_epochs()) {
    throw UsageError(concat("--branch-from ", parent.path().string(), "@", epoch, ": the run has ",
                            recipe.all_epochs(),
                            " epochs, so nothing is left to train: set stage.name, or branch "
                            "earlier"));
  }
  const Recipe before = recipe_of(parent);
  const auto different = early_differences(before, recipe, epoch);
  if (different.empty()) return check_data_of(parent, data);
  const bool from_the_start = !early_differences(before, recipe, 0).empty();
  throw UsageError(concat(
      "--branch-from ", parent.path().string(), "@", epoch,
      ": the two runs are not the same before epoch ", epoch, ": ", text_of(different),
      from_the_start ? "; put these back" : "; branch earlier", ", or train from the start"));
}

Session::Session(record::RunFolder folder, record::RunLock lock)
    : folder_(std::move(folder)), lock_(std::move(lock)) {
  log::set_file(folder_.log_file());
}

Session::Session(Session&& other) noexcept
    : folder_(std::move(other.folder_)),
      lock_(std::move(other.lock_)),
      logs_(std::exchange(other.logs_, false)) {}

Session::~Session() {
  if (logs_) log::set_file({});
}

Session Session::start(const std::filesystem::path& root, const Recipe& recipe,
                       const data::Opened& data, bool always_new) {
  const std::string hash = run_hash(recipe, data);
  const record::RootLock alone(root);
  const auto other = always_new ? std::nullopt : record::RunFolder::find(root, recipe.name, hash);
  if (other) {
    throw IoError(concat(other->path().string(),
                         " was begun by another process at the same time: run the same command "
                         "again when that has ended"));
  }
  record::RunFolder folder = record::RunFolder::create(root, recipe.name);
  record::RunLock lock(folder.path());
  nlohmann::json marks = fingerprint(recipe, data);
  marks["settings_hash"] = hash;
  folder.write_fingerprint(marks);
  folder.write_config(config::to_toml(recipe.resolved, true), hash);
  Session session(std::move(folder), std::move(lock));
  log::info(concat("run folder ", session.folder_.path().string()));
  return session;
}

Session Session::open(const record::RunFolder& folder) {
  return {folder, record::RunLock(folder.path())};
}

train::RunPoint Session::resume(const Recipe& recipe, const data::Opened& data,
                                const Learned& learned, Recorder& recorder) {
  const std::string run = folder_.path().string();
  const Recipe before = recipe_of(folder_);
  check_may_go_on(before, recipe, {});  // states of another second stage would look damaged
  check_data_of(folder_, data);
  std::vector<record::CheckpointFile> damaged;
  const std::optional<StoredPoint> stored =
      newest_point(folder_, {learned.network, learned.stage, before.train.epochs}, damaged);
  if (!stored && folder_.finished()) {
    throw DataError(concat(run,
                           ": it is finished and its checkpoints are gone, so it cannot go on ",
                           "with other settings: put the folder away, or train with --new"));
  }
  const train::RunPoint point = stored ? stored->point : train::RunPoint{};
  if (point.epoch >= before.all_epochs()) {
    throw DataError(concat(run, ": its newest checkpoint is of epoch ", point.epoch,
                           ", expected less than the ", before.all_epochs(), " of its settings"));
  }
  check_may_go_on(before, recipe, point);
  // They would count as the newest, and so push out those that are written from now on.
  for (const record::CheckpointFile& each : damaged) record::set_aside(each);
  if (stored) recorder.restore(stored->recorder, stored->metrics_rows, run);
  std::filesystem::remove(folder_.path() / "summary.json");  // of fewer epochs
  if (!stored) warn_of_lost_rows(folder_);
  folder_.cut_metrics(stored ? stored->metrics_rows : 0);
  if (stored) {
    write_down_resume(folder_, before, recipe, data, point);
  } else {  // it has nothing of the process before
    folder_.write_fingerprint(fingerprint(recipe, data));
  }
  // After that: who is killed in between writes the change down twice, not never.
  if (!differences(before, recipe).empty()) {
    folder_.write_config(config::to_toml(recipe.resolved, true), run_hash(recipe, data));
  }
  if (stored) {
    recorder.restore_best_weights(record::checkpoint_file(run, point.epoch, point.step));
  }
  log::info(concat("going on with ", run, " at epoch ", point.epoch + 1, ", step ", point.step + 1,
                   stored ? "" : " (it has no checkpoint)"));
  return point;
}

train::RunPoint Session::branch(const record::RunFolder& parent, int epoch, const Recipe& recipe,
                                const data::Opened& data, const Learned& learned,
                                Recorder& recorder) {
  const std::string run = parent.path().string();
  const record::CheckpointFile file = branch_state(parent, epoch);
  const StoredPoint stored =
      read_checkpoint(file.path, {learned.network, learned.stage, recipe.train.epochs});
  recorder.restore(stored.recorder, stored.metrics_rows, run);
  const auto rows = parent.metrics();
  if (rows.size() < stored.metrics_rows) {
    throw DataError(concat(run, "/metrics.jsonl: ", rows.size(), " rows, expected ",
                           stored.metrics_rows, " before epoch ", epoch));
  }
  folder_.cut_metrics(0);  // of a process that ended before the first checkpoint
  for (std::size_t i = 0; i < stored.metrics_rows; ++i) folder_.append_metrics(rows[i]);
  recorder.restore_best_weights(file.path);
  nlohmann::json marks = fingerprint(recipe, data);  // that process may have been another program
  const nlohmann::json old = parent.fingerprint();
  std::string changes = fingerprint_changes(old, marks);
  if (const std::string past = changes_before(old, epoch); !past.empty()) {
    changes += concat(changes.empty() ? "" : ", ", "before the branch: ", past);
  }
  if (!changes.empty()) log::warn(concat("the branch is not bit-exact: ", changes));
  marks["branched_from"] = {{"run", parent.name()},
                            {"epoch", epoch},
                            {"settings_hash", old.value("settings_hash", "")},
                            {"changes", changes}};
  folder_.write_fingerprint(marks);
  folder_.write_config(config::to_toml(recipe.resolved, true), run_hash(recipe, data));
  log::info(concat("branching from ", run, " at epoch ", epoch + 1));
  return stored.point;
}

}  // namespace smcl::experiment
