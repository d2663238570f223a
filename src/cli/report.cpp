#include "report/report.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "cli/commands.h"
#include "cli/stored.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/data_cache.h"
#include "experiment/explain.h"
#include "experiment/explain_mixes.h"
#include "experiment/session.h"
#include "experiment/sweep.h"
#include "format/file.h"
#include "image/png.h"
#include "record/setting_kinds.h"

namespace smcl::cli {
namespace {

struct Options {
  std::vector<std::string> what;
  std::vector<std::string> outputs{"report.html"};
  std::string baseline;
  std::string title;
  bool best_on_test = false;
  bool pictures = true;
};

constexpr std::size_t kMostMaskPictures = 6;
constexpr std::size_t kMostPictureBytes = 2'700'000;  // of all pictures, a third more in the page

/// What makes a run the one that a sweep trains, on whatever machine.
std::string mark_of(const std::vector<config::Resolved>& settings) {
  std::string mark;
  for (const config::Resolved& setting : settings) {
    if (record::is_of_execution(setting.key) || setting.key == "run.precision") continue;
    mark += concat(setting.key, "=", setting.value, "\n");
  }
  return mark;
}

/// The marks of a sweep's runs; nothing where this program cannot plan it any more.
std::optional<std::set<std::string>> planned_by(const std::filesystem::path& sweep) {
  try {
    experiment::SweepOptions options;
    options.branch = false;
    std::set<std::string> marks;
    for (const auto& run : experiment::plan_sweep(sweep, options).runs) {
      marks.insert(mark_of(run.recipe.resolved));
    }
    return marks;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The sweeps among what was given, and which runs they train.
class Sweeps {
 public:
  explicit Sweeps(const std::vector<std::string>& what) {
    for (const std::string& path : what) {
      const auto sweep = std::filesystem::path(path) / "sweep.toml";
      if (!std::filesystem::exists(sweep)) continue;
      files_.push_back(sweep.string());
      planned_.emplace(std::filesystem::canonical(path), planned_by(sweep));
    }
  }
  const std::vector<std::string>& files() const { return files_; }
  /// Nothing of a run that lies in no sweep's folder.
  std::optional<bool> train(const report::RunData& run) const {
    const auto found = planned_.find(std::filesystem::canonical(run.run.path).parent_path());
    if (found == planned_.end()) return std::nullopt;
    return !found->second || found->second->contains(mark_of(run.run.settings));
  }

 private:
  std::vector<std::string> files_;
  std::map<std::filesystem::path, std::optional<std::set<std::string>>> planned_;
};

/// A sweep's file may have changed since some of its runs were trained.
void warn_of_former_runs(const report::Report& report, const Sweeps& sweeps) {
  std::vector<std::string> former;
  for (const report::RunData& run : report.runs) {
    if (!sweeps.train(run).value_or(true)) former.push_back(run.run.path);
  }
  if (former.empty()) return;
  log::warn(concat(former.size(), " of ", report.runs.size(), " runs are of an earlier form of ",
                   "their sweep.toml, such as ", former.front(),
                   ": they are rows of the report too; move them away where they should not be"));
}

/// What trains the runs again: their sweeps, and of others a command for each recipe.
std::vector<std::string> commands_of(const Options& options, const report::Report& report,
                                     const Sweeps& sweeps) {
  std::vector<std::string> commands;
  for (const std::string& file : sweeps.files()) commands.push_back("smcl sweep " + quoted(file));
  for (const report::Condition& condition : report.conditions) {
    for (const report::GroupResult& group : condition.groups) {
      std::vector<const report::RunData*> runs = report::runs_of(report, group.group);
      std::erase_if(runs, [&](const auto* run) { return sweeps.train(*run).value_or(false); });
      if (runs.empty()) continue;
      commands.push_back(concat(
          "smcl train ", quoted(runs.front()->run.path + "/config.toml"),
          runs.size() > 1 ? concat("   # and ", runs.size() - 1, " more, other seeds") : ""));
    }
  }
  std::string again = "smcl report";
  for (const std::string& path : options.what) again += " " + quoted(path);
  if (!options.baseline.empty()) again += " --baseline " + quoted(options.baseline);
  if (!options.title.empty()) again += " --title " + quoted(options.title);
  if (options.best_on_test) again += " --best-on-test";
  if (!options.pictures) again += " --no-pictures";
  for (const std::string& output : options.outputs) again += " -o " + quoted(output);
  commands.push_back(again);
  return commands;
}

/// Ten images as the run's method masks or mixes them.
report::Picture shown_images(const report::RunData& run, const experiment::Recipe& recipe,
                             const data::Opened& data) {
  if (experiment::mixes_images(recipe)) {
    const auto images = experiment::explain_mixes(recipe, data, 10);
    return {
        concat("Mixed images of ", run.run.row.run),
        "A row an image: itself, its partner (with the box that is pasted), what is mixed, and the "
        "weights of both labels.",
        encode_png(experiment::mixes_grid(images, data).view())};
  }
  const auto images = experiment::explain_images(recipe, data, 10);
  return {concat("Masks of ", run.run.row.run),
          "A row an image: original, augmented, saliency, peak and box, masked.",
          encode_png(experiment::explain_grid(images, data).view())};
}

/// What decides how images are masked or mixed.
std::string masking_of(const report::RunData& run) {
  std::string text;
  for (const char* key : {"method.name", "mask.kind", "mask.area", "mask.border", "mask.fill",
                          "saliency.detector", "saliency.on"}) {
    text += report::setting_of(run.run, key).value_or("") + " ";
  }
  return text;
}

/// The first run of each way of masking or mixing shows its images, where its data are there.
void add_masks(report::Report& report) {
  experiment::DataCache cache(2);
  std::set<std::string> seen;
  std::set<std::string> problems;
  for (const report::RunData& run : report.runs) {
    if (report.masks.size() == kMostMaskPictures) break;
    const std::string way = masking_of(run);
    if (seen.contains(way) || report::setting_of(run.run, "mask.prob") == "0.0") continue;
    try {
      const auto folder = record::RunFolder::open(run.run.path);
      const auto recipe = stored_recipe(folder);
      if (!method::needs_of(recipe.method).masks && !experiment::mixes_images(recipe)) continue;
      const auto data = cache.open(recipe);
      experiment::check_data_of(folder, *data);
      report.masks.push_back(shown_images(run, recipe, *data));
      seen.insert(way);
    } catch (const Error& problem) {
      problems.insert(concat("pictures of masks: ", problem.what()));
    }
  }
  report.left_out.insert(report.left_out.end(), problems.begin(), problems.end());
}

std::size_t picture_bytes(const report::Report& report) {
  std::size_t bytes = 0;
  for (const auto* pictures : {&report.masks, &report.backgrounds}) {
    for (const report::Picture& picture : *pictures) bytes += picture.png.size();
  }
  return bytes;
}

void add_pictures(report::Report& report, const report::RunData& run) {
  for (const record::AnalysisPicture& each : run.analysis->pictures) {
    const auto file = std::filesystem::path(run.run.path) / each.file;
    std::vector<std::uint8_t> png;
    try {
      const auto run_folder = std::filesystem::canonical(run.run.path).string() + "/";
      if (!std::filesystem::canonical(file).string().starts_with(run_folder)) {
        throw DataError(concat(file.string(), " lies outside the run folder"));
      }
      png = format::read_file(file);
      decode_png(png, file.string());  // nothing else gets into the page
    } catch (const std::filesystem::filesystem_error& problem) {
      report.left_out.push_back(concat(file.string(), ": ", problem.code().message()));
      continue;
    } catch (const Error& problem) {
      report.left_out.push_back(problem.what());
      continue;
    }
    if (picture_bytes(report) + png.size() > kMostPictureBytes) {
      report.left_out.push_back(concat(file.string(), ": the page would become too large"));
      continue;
    }
    report.backgrounds.push_back({concat(run.run.row.run, ": ", each.title), each.caption, png});
  }
}

/// Pictures of the first analysed run of each group.
void add_backgrounds(report::Report& report) {
  for (const report::Condition& condition : report.conditions) {
    for (const report::GroupResult& group : condition.groups) {
      for (const report::RunData* run : report::runs_of(report, group.group)) {
        if (!run->analysis) continue;
        add_pictures(report, *run);
        break;
      }
    }
  }
}

using Render = std::string (*)(const report::Report&);

std::string csv_page(const report::Report& report) {
  return report::whole_table(report).csv();
}
std::string json_page(const report::Report& report) {
  return report::whole_table(report).json();
}

/// By the ending of the file's name.
Render renderer(const std::string& output) {
  const std::string ending = std::filesystem::path(output).extension().string();
  if (ending == ".html") return report::html_page;
  if (ending == ".md") return report::markdown_page;
  if (ending == ".tex") return report::latex_page;
  if (ending == ".csv") return csv_page;
  if (ending == ".json") return json_page;
  throw UsageError(concat("-o ", output,
                          ": expected a name that ends in .html, .md, .tex, .csv or "
                          ".json"));
}

std::string title_of(const Options& options) {
  if (!options.title.empty()) return options.title;
  std::string names;
  for (const std::string& path : options.what) {
    std::filesystem::path folder = std::filesystem::path(path).lexically_normal();
    if (folder.filename().empty()) folder = folder.parent_path();
    names += (names.empty() ? "" : ", ") + folder.filename().string();
  }
  return options.what.size() <= 3 ? names : concat(options.what.size(), " runs");
}

void make(const Options& options) {
  for (const std::string& output : options.outputs) renderer(output);
  const report::Which which =
      options.best_on_test ? report::Which::best_on_test : report::Which::last;
  std::vector<report::RunData> runs;
  std::vector<std::string> left_out;
  for (const std::filesystem::path& path : run_folders(options.what)) {
    const auto folder = record::RunFolder::open(path);
    if (!folder.finished()) {
      left_out.push_back(concat(path.string(), ": not finished"));
      continue;
    }
    report::RunData data = report::read_run_data(folder, which);
    data.run.settings = stored_recipe(folder).resolved;
    runs.push_back(std::move(data));
  }
  if (runs.empty() && !left_out.empty()) {
    throw UsageError(
        concat("no finished run to report on; left out: ", left_out.front(),
               left_out.size() > 1 ? concat(" and ", left_out.size() - 1, " more") : ""));
  }
  report::Report report = report::make_report(std::move(runs), options.baseline, which);
  report.title = title_of(options);
  for (const report::RunData& run : report.runs) {
    for (const std::string& part : run.left_out) {
      left_out.push_back(concat(run.run.path, ": ", part));
    }
  }
  report.left_out = std::move(left_out);
  const Sweeps sweeps(options.what);
  warn_of_former_runs(report, sweeps);
  report.reproduce = commands_of(options, report, sweeps);
  const bool page = std::any_of(options.outputs.begin(), options.outputs.end(),
                                [](const std::string& o) { return o.ends_with(".html"); });
  if (options.pictures && page) {
    add_masks(report);
    add_backgrounds(report);
  }
  for (const std::string& output : options.outputs) {
    format::write_file_atomic(output, renderer(output)(report));
  }
  std::cout << report::text_of(report);
  for (const std::string& each : report.left_out) log::warn("left out: " + each);
  for (const std::string& output : options.outputs) log::info("report: " + output);
}

}  // namespace

void add_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "report", "a page of results: means over seeds, differences, curves, classes, backgrounds");
  command->add_option("runs", options->what, "run folders, or folders that hold them (a sweep's)")
      ->required();
  command
      ->add_option("-o,--output", options->outputs,
                   "file to write, by its ending: .html a page, .md, .tex, .csv or .json tables "
                   "(repeatable)")
      ->take_all()
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--baseline", options->baseline,
                      "recipe or row that the others are compared with, seed by seed; default: "
                      "plain cross-entropy, where there is one");
  command->add_option("--title", options->title, "of the page");
  command->add_flag("--best-on-test", options->best_on_test,
                    "results of the epoch that was best on the test set, which is no fair "
                    "estimate; default: the last epoch");
  command->add_flag("!--no-pictures", options->pictures,
                    "no pictures of masks and backgrounds; the data are then not opened");
  command->footer(
      "Runs that differ in their seeds alone are one row; runs on other data (data.*, scenes.*)\n"
      "get tables of their own. A difference is called better or worse only where a paired t-test\n"
      "says so at 0.05 after Holm's correction (docs/report.md).\n"
      "Examples:\n"
      "  smcl report runs/scenes-* -o report.html -o tables.tex\n"
      "  smcl report runs/scenes-masks --baseline scenes-smcl-random -o ablation.html");
  command->callback([options] { make(*options); });
}

}  // namespace smcl::cli
