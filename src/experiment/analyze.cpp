#include "experiment/analyze.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "core/config.h"
#include "core/error.h"
#include "core/log.h"
#include "experiment/analysis_measures.h"
#include "experiment/analysis_pictures.h"
#include "experiment/analysis_scenes.h"
#include "experiment/run.h"
#include "experiment/session.h"
#include "format/file.h"
#include "image/png.h"
#include "sampling/class_distribution.h"
#include "tensor/runtime.h"

namespace smcl::experiment {
namespace {

using nlohmann::json;

/// Of what is computed; another number makes every analysis anew.
constexpr int kMeasuresVersion = 2;

constexpr std::array kMaskKeys{"mask.kind",           "mask.area",         "mask.border",
                               "mask.fill",           "saliency.detector", "saliency.on",
                               "target.distribution", "target.unit",       "augment.crop_padding",
                               "augment.flip"};
constexpr std::array kOtherKeys{"run.threads", "run.precision", "data.dir", "scenes.fashion_dir"};

const char* spread_name(Spread spread) {
  if (spread == Spread::balanced) return "balanced";
  return spread == Spread::training ? "training" : "target";
}

/// Of the masks themselves, not of the steps that have some.
bool is_of_masks(const std::string& key) {
  return (key.starts_with("mask.") && key != "mask.plain" && key != "mask.draw" &&
          key != "mask.prob" && key != "mask.start") ||
         key.starts_with("saliency.") || key.starts_with("target.");
}

void check_overrides(const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    const std::string key = assignment.substr(0, assignment.find_first_of(" ="));
    const auto among = [&](const auto& keys) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    if (among(kMaskKeys) || among(kOtherKeys)) continue;
    std::string list;
    for (const char* each : kMaskKeys) list += concat(each, ", ");
    for (const char* each : kOtherKeys) list += concat(each, each == kOtherKeys.back() ? "" : ", ");
    throw UsageError(concat("--set ", assignment, ": analyze changes only ", list,
                            "; the run decides the rest"));
  }
}

json settings_of(const record::RunFolder& folder, const Recipe& recipe,
                 const AnalyzeSettings& settings) {
  json masks = json::object();
  std::string precision;
  for (const config::Resolved& each : recipe.resolved) {
    if (std::find(kMaskKeys.begin(), kMaskKeys.end(), each.key) != kMaskKeys.end()) {
      std::string value = each.value;
      std::erase(value, '"');
      masks[each.key] = value;
    }
    if (each.key == "run.precision") precision = each.value;
  }
  return {
      {"measures_version", kMeasuresVersion},
      {"weights", settings.weights},
      {"weights_sha256", format::sha256_of_file(folder.weights_file(settings.weights).string())},
      {"precision", precision},
      {"images", settings.images},
      {"spread", spread_name(settings.spread)},
      {"k", settings.k},
      {"gallery", settings.gallery},
      {"seed", settings.seed},
      {"resamples", settings.resamples},
      {"masks", masks}};
}

/// An analysis that is there and whole, of the same weights and settings.
std::optional<record::Analysis> stored(const record::RunFolder& folder, const json& settings,
                                       const std::string& settings_hash) {
  std::optional<record::Analysis> analysis;
  try {
    analysis = record::read_analysis(folder.path());
  } catch (const DataError& problem) {  // it can be computed again
    log::warn(concat(problem.what(), "; it is computed anew"));
    return std::nullopt;
  }
  if (!analysis || analysis->settings != settings || analysis->settings_hash != settings_hash) {
    return std::nullopt;
  }
  for (const record::AnalysisPicture& picture : analysis->pictures) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder.path() / picture.file, ignored)) return std::nullopt;
  }
  return analysis;
}

/// At most `most` training images, drawn by the seed, in the order of the set.
std::vector<std::uint32_t> gallery_samples(const data::Opened& data, int most, std::uint64_t seed) {
  const std::vector<std::uint32_t>& all = data.train_samples;
  if (all.size() <= static_cast<std::size_t>(most)) return all;
  auto order = sampling::shuffled(static_cast<std::uint32_t>(all.size()),
                                  RandomStream(seed, Purpose::resample_image, 1, 0));
  order.resize(static_cast<std::size_t>(most));
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> chosen;
  for (const std::uint32_t place : order) chosen.push_back(all[place]);
  return chosen;
}

/// Carries an analysis out.
class Analyst {
 public:
  Analyst(const Recipe& recipe, const AnalyzeSettings& settings, const data::Opened& data,
          nn::Network& network)
      : recipe_(recipe),
        settings_(settings),
        data_(data),
        network_(network),
        what_{data, recipe.groups},
        bootstrap_{settings.seed, settings.resamples, 0.95} {}

  void run() {
    gallery_.samples = gallery_samples(data_, settings_.gallery, settings_.seed);
    gallery_.unit = metrics::unit_rows(
        see(network_, *data_.train, gallery_.samples, data_.normalisation).features,
        "training images");
    for (const std::uint32_t sample : gallery_.samples) {
      gallery_.labels.push_back(data_.train->label(sample));
    }
    queries("train", "training images", *data_.train, data_.train_samples, true);
    queries("test", "test images", *data_.test, data_.test_samples, false);
    if (data_.scenes) scenes();
  }

  const std::vector<record::Measure>& measures() const { return list_.all(); }
  const std::vector<AnalysisGrid>& pictures() const { return pictures_; }

 private:
  void queries(const char* key, const char* title, const data::Dataset& set,
               const std::vector<std::uint32_t>& samples, bool is_train) {
    Queries queries;
    queries.key = key;
    queries.title = title;
    queries.images = draw_masked(recipe_, data_, set, samples, is_train,
                                 {settings_.images, settings_.spread, settings_.seed});
    queries.seen = see(network_, queries.images);
    std::map<std::uint32_t, std::int64_t> rows;
    for (std::size_t row = 0; is_train && row < gallery_.samples.size(); ++row) {
      rows[gallery_.samples[row]] = static_cast<std::int64_t>(row);
    }
    for (const plan::ImageDraw& image : queries.images.images) {
      const auto found = rows.find(image.index);
      queries.own.push_back(found == rows.end() ? -1 : found->second);
    }
    const metrics::RowBootstrap bootstrap = bootstrap_of(what_, queries, bootstrap_);
    const QueryNeighbours neighbours = find_neighbours(gallery_, queries, settings_.k);
    add_neighbours(what_, gallery_, queries, neighbours, bootstrap, list_);
    add_similarity(gallery_, queries, bootstrap, list_);
    add_mass(what_, queries, bootstrap, list_);
    for (AnalysisGrid& grid : neighbour_pictures(what_, gallery_, queries, neighbours)) {
      pictures_.push_back(std::move(grid));
    }
  }

  void scenes() {
    const SceneAnalysis what{recipe_,          data_,     network_, settings_.seed,
                             settings_.images, bootstrap_};
    const Seen test = see(network_, *data_.test, data_.test_samples, data_.normalisation);
    add_bias(what, test, list_);
    add_peaks(what, test, list_);
    add_probe(what, test, list_);
    add_places(what, list_);
  }

  const Recipe& recipe_;
  const AnalyzeSettings& settings_;
  const data::Opened& data_;
  nn::Network& network_;
  AnalysisData what_;
  metrics::Bootstrap bootstrap_;
  Gallery gallery_;
  MeasureList list_;
  std::vector<AnalysisGrid> pictures_;
};

void write(const record::RunFolder& folder, const Analyst& analyst, record::Analysis& analysis) {
  // No file may speak of pictures of another analysis.
  std::error_code ignored;
  std::filesystem::remove(record::analysis_file(folder.path()), ignored);
  for (const AnalysisGrid& grid : analyst.pictures()) {
    const std::filesystem::path file = folder.path() / grid.about.file;
    format::make_folder(file.parent_path());
    write_png(file, grid.image.view());
    analysis.pictures.push_back(grid.about);
  }
  record::write_analysis(folder.path(), analysis);
}

}  // namespace

Recipe analysis_recipe(const record::RunFolder& folder, const std::vector<std::string>& overrides) {
  check_overrides(overrides);
  const Recipe of_run = recipe_of(folder);
  const std::string file = (folder.path() / "config.toml").string();
  std::map<std::string, config::Entry> entries =
      config::Document::parse(folder.config(), file).entries();
  const bool masks =
      method::needs_of(of_run.method).masks && of_run.mask.kind != plan::MaskKind::none;
  if (!masks) std::erase_if(entries, [](const auto& entry) { return is_of_masks(entry.first); });
  config::Document document(std::move(entries));
  for (const std::string& assignment : overrides) document.set(assignment);
  return resolve_stored(document, "run");
}

AnalyzeResult analyze(const record::RunFolder& folder, const Recipe& recipe,
                      const AnalyzeSettings& settings, bool always_new) {
  record::Analysis analysis;
  analysis.settings_hash = folder.fingerprint().value("settings_hash", "");
  analysis.settings = settings_of(folder, recipe, settings);
  if (!always_new) {
    if (auto there = stored(folder, analysis.settings, analysis.settings_hash)) {
      return {*std::move(there), true};
    }
  }
  tensor::prepare_runtime(recipe.runtime.threads);
  const data::Opened data = data::open_data(recipe.data);
  check_data_of(folder, data);
  nn::Network network = load_network(folder, recipe, data.classes(), settings.weights);
  Analyst analyst(recipe, settings, data, network);
  analyst.run();
  analysis.measures = analyst.measures();
  write(folder, analyst, analysis);
  return {std::move(analysis), false};
}

std::string mask_text(const record::Analysis& analysis) {
  std::string text;
  if (const auto masks = analysis.settings.find("masks"); masks != analysis.settings.end()) {
    for (const auto& [key, value] : masks->items()) {
      text += concat(text.empty() ? "" : ", ", key, " = ",
                     value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return text;
}

}  // namespace smcl::experiment
