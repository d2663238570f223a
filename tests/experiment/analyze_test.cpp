#include "experiment/analyze.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/random.h"
#include "data/files.h"
#include "experiment/analysis_scenes.h"
#include "experiment/tiny.h"
#include "image/png.h"
#include "saliency/detector.h"

namespace smcl::experiment {
namespace {

using ::testing::HasSubstr;

class AnalyzeSlow : public TinyRuns {
 protected:
  record::RunFolder trained(const std::string& extra = "") {
    return train_recipe(tiny(extra), options_).folder;
  }
  static AnalyzeSettings few() {
    AnalyzeSettings settings;
    settings.images = 60;
    settings.resamples = 50;
    return settings;
  }
  static AnalyzeResult analysed(const record::RunFolder& run,
                                const std::vector<std::string>& overrides = {},
                                const AnalyzeSettings& settings = few(), bool always_new = false) {
    return analyze(run, analysis_recipe(run, overrides), settings, always_new);
  }
  static std::map<std::string, record::Measure> by_key(const AnalyzeResult& result) {
    std::map<std::string, record::Measure> measures;
    for (const record::Measure& measure : result.analysis.measures) {
      EXPECT_TRUE(measures.emplace(measure.key, measure).second) << measure.key << " twice";
    }
    return measures;
  }
};

TEST_F(AnalyzeSlow, WritesMeasuresAndPicturesOnce) {
  const record::RunFolder run = trained();
  const AnalyzeResult first = analysed(run);
  EXPECT_FALSE(first.was_there);
  const auto file = record::analysis_file(run.path());
  const std::string text = format::read_text(file);
  EXPECT_EQ(record::to_json(record::parse_analysis(text, "file")), record::to_json(first.analysis));
  ASSERT_FALSE(first.analysis.pictures.empty());
  std::map<std::string, std::string> hashes;
  for (const auto& picture : first.analysis.pictures) {
    EXPECT_GT(read_png(run.path() / picture.file).width(), 7 * 128);
    hashes[picture.file] = format::sha256_of_file(run.path() / picture.file);
  }
  EXPECT_EQ(first.analysis.settings_hash, run.fingerprint().at("settings_hash"));

  EXPECT_TRUE(analysed(run).was_there);
  EXPECT_FALSE(analysed(run, {}, few(), true).was_there) << "--new";
  EXPECT_EQ(format::read_text(file), text) << "the same bits";
  for (const auto& [name, hash] : hashes) {
    EXPECT_EQ(format::sha256_of_file(run.path() / name), hash) << name;
  }

  AnalyzeSettings other = few();
  other.k = 3;
  EXPECT_FALSE(analysed(run, {}, other).was_there);
  std::filesystem::remove(run.path() / first.analysis.pictures[0].file);
  EXPECT_FALSE(analysed(run, {}, other).was_there) << "a picture is gone";
  std::ofstream(file) << "{";
  EXPECT_FALSE(analysed(run, {}, other).was_there) << "a torn file is computed anew";
}

TEST_F(AnalyzeSlow, SharesAddUpAndBiasIsThatOfTheSummary) {
  const record::RunFolder run = trained();
  const auto measures = by_key(analysed(run));
  for (const std::string set : {"train", "test"}) {
    for (const std::string kind : {"masked", "unmasked"}) {
      for (const std::string what : {"neighbours.", "mass."}) {
        double sum = 0.0;
        double chance = 0.0;
        for (const std::string group : {"many", "medium", "few"}) {
          const auto found = measures.find(what + set + "." + group + "." + kind);
          if (found == measures.end()) continue;  // counts of 20 to 2: no many-shot class
          sum += found->second.value;
          chance += *found->second.chance;
        }
        EXPECT_NEAR(sum, 1.0, 1e-6) << what << set << kind;
        EXPECT_NEAR(chance, 1.0, 1e-9) << what << set << kind;
      }
    }
  }
  const auto bias = run.summary().at("bias");
  EXPECT_EQ(measures.at("bias.gap.medium_few").value, bias.at("gap").at("medium_few"));
  EXPECT_EQ(measures.at("bias.flips.few").value, bias.at("flips").at("few"));
  EXPECT_EQ(measures.at("bias.background_only.few_unseen_minus_seen").value,
            bias.at("background_only").at("few_unseen_minus_seen"));
  EXPECT_EQ(measures.at("probe.kind.features").chance, 1.0 / 24);
  EXPECT_EQ(measures.at("places.oracle.object_covered").value, 1.0);
  EXPECT_EQ(measures.count("neighbours.train.many.masked"), 0U);
}

// Places by the detector alone, hits that are chosen, and their shares counted here.
TEST_F(AnalyzeSlow, AccuracyByPeaksIsThatOfTheirImages) {
  const Recipe recipe = tiny("");
  const data::Opened data = data::open_data(recipe.data);
  nn::Network network(recipe.network, data.classes(), 0, batch::Precision::fp32, at::kCPU);
  const auto detector = saliency::make_detector("fine_grained");
  const auto workspace = detector->workspace();
  Seen test;
  test.predictions.classes = data.classes();
  std::vector<std::uint8_t> map(32 * 32);
  std::vector<std::uint8_t> scratch;
  struct Count {
    double images = 0, hits = 0;
    double share() const { return hits / images; }
  };
  std::map<bool, Count> all;
  std::map<std::int32_t, std::map<bool, Count>> by_class;
  for (std::size_t i = 0; i < data.test_samples.size(); ++i) {
    const std::uint32_t sample = data.test_samples[i];
    detector->map(data.test->image(sample, 0, scratch), {}, *workspace, map.data());
    const Point peak = saliency::peak(map.data(), 32, 32);
    const auto at = static_cast<std::size_t>(peak.y * 32 + peak.x);
    const bool on = data.test->object_mask(sample, 0)[at] != 0;
    const std::int32_t label = data.test->label(sample);
    const bool hit = on ? i % 3 != 0 : i % 4 == static_cast<std::size_t>(label) % 4;
    for (std::int32_t c = 0; c < data.classes(); ++c) {
      test.predictions.logits.push_back(c == (label + (hit ? 0 : 1)) % data.classes() ? 1.F : 0.F);
    }
    test.predictions.labels.push_back(label);
    for (Count* count : {&all[on], &by_class[label][on]}) {
      count->images += 1;
      count->hits += hit ? 1 : 0;
    }
  }
  double sum = 0.0;
  int both = 0;
  for (auto& [label, sides] : by_class) {
    if (sides.size() < 2) continue;
    sum += sides[true].share() - sides[false].share();
    ++both;
  }
  ASSERT_GT(both, 5) << "classes with peaks on the object and beside it";

  MeasureList list;
  add_peaks({recipe, data, network, 0, 60, {0, 50, 0.95}}, test, list);
  std::map<std::string, double> found;
  for (const record::Measure& measure : list.all()) found[measure.key] = measure.value;
  EXPECT_NEAR(found.at("peak.test.on_object"),
              all[true].images / (all[true].images + all[false].images), 1e-12);
  EXPECT_NEAR(found.at("peak.accuracy.on"), all[true].share(), 1e-12);
  EXPECT_NEAR(found.at("peak.accuracy.off"), all[false].share(), 1e-12);
  EXPECT_NEAR(found.at("peak.difference.all"), sum / both, 1e-12);
}

TEST_F(AnalyzeSlow, OfARunWithASecondStageIsItsNetwork) {
  const record::RunFolder run = trained("stage.name = 'crt'\nstage.epochs = 2\n");
  const auto measures = by_key(analysed(run));
  const auto bias = run.summary().at("bias");
  EXPECT_EQ(measures.at("bias.gap.medium_few").value, bias.at("gap").at("medium_few"));
  EXPECT_EQ(measures.at("bias.flips.few").value, bias.at("flips").at("few"));
}

// A mask of no area changes nothing, and one of the whole image makes all images one: then the own
// class, of ten that are drawn alike often, is a tenth of the neighbours.
TEST_F(AnalyzeSlow, KnownMasksGiveKnownMeasures) {
  const record::RunFolder run = trained();
  int changes = 0;
  for (const auto& [key, measure] : by_key(analysed(run, {"mask.area=0"}))) {
    if (!key.ends_with(".change")) continue;
    EXPECT_EQ(measure.value, 0.0) << key;
    ++changes;
  }
  EXPECT_GT(changes, 0);
  const auto all = by_key(analysed(run, {"mask.area=1", "mask.border=shift"}));
  EXPECT_NEAR(all.at("neighbours.test.own_class.masked").value, 0.1, 1e-12);
  EXPECT_NE(all.at("neighbours.test.own_class.unmasked").value, 0.1);
  EXPECT_NEAR(all.at("similarity.test.own.masked").value,
              *all.at("similarity.test.own.masked").chance, 1e-12);
}

TEST_F(AnalyzeSlow, RunsWithoutMasksAreMaskedByDefaultsOthersByTheirRecipe) {
  const auto masks = [](const record::RunFolder& run, const std::vector<std::string>& overrides) {
    return analysis_recipe(run, overrides).mask;
  };
  const record::RunFolder ce = trained("method.name = \"ce\"\nmask.prob = 0.2");
  const record::RunFolder random = trained("mask.kind = \"random\"\nmask.area = [0.2, 0.5]");
  const record::RunFolder none = trained("mask.kind = \"none\"");
  EXPECT_EQ(masks(ce, {}).kind, plan::MaskKind::saliency);
  EXPECT_EQ(masks(random, {}).kind, plan::MaskKind::random);
  EXPECT_EQ(masks(random, {}).area.name, "range");
  EXPECT_EQ(masks(none, {}).kind, plan::MaskKind::saliency) << "it hides nothing";
  EXPECT_EQ(masks(ce, {"mask.kind=centre"}).kind, plan::MaskKind::centre);
  EXPECT_THROW(masks(ce, {"mask.prob=0.5"}), UsageError);
  EXPECT_THROW(masks(ce, {"train.seed=3"}), UsageError);
  EXPECT_THROW(masks(ce, {"mask.kind=middle"}), UsageError);
  EXPECT_THROW(analysed(ce, {"mask.kind=none"}), UsageError);

  // The masked images are the same, and so is all that no network decides.
  const auto of_ce = by_key(analysed(ce));
  const auto of_none = by_key(analysed(none));
  for (const auto& [key, measure] : of_ce) {
    if (key.starts_with("places.") || key == "peak.test.on_object" || key == "probe.kind.colours") {
      EXPECT_EQ(measure.value, of_none.at(key).value) << key;
    }
    EXPECT_EQ(of_none.count(key), 1U) << key;
  }
}

TEST_F(AnalyzeSlow, RefusesWhatCannotBe) {
  const record::RunFolder run = trained();
  AnalyzeSettings settings = few();
  settings.k = 100000;
  EXPECT_THAT(error_of<UsageError>([&] { analysed(run, {}, settings); }), HasSubstr("k = 100000"));
  settings = few();
  settings.weights = "best_on_test";
  EXPECT_THROW(analysed(run, {}, settings), IoError);
  EXPECT_THROW(analysed(run, {"scenes.fashion_dir=\"no-such\""}), DataError);
  EXPECT_FALSE(std::filesystem::exists(record::analysis_file(run.path())));

  nlohmann::json fingerprint = run.fingerprint();
  fingerprint["data_hash"] = "another";
  record::RunFolder(run).write_fingerprint(fingerprint);
  EXPECT_THAT(error_of<DataError>([&] { analysed(run); }), HasSubstr("the data are not those of"));
}

TEST_F(AnalyzeSlow, NamesAnImageWhoseFeaturesAreNotFinite) {
  const record::RunFolder run = trained();
  const Recipe recipe = analysis_recipe(run, {});
  nn::Network network = load_network(run, recipe, 10, "last");
  const at::NoGradGuard no_gradient;
  network.store().view("fc.bias").fill_(std::numeric_limits<float>::quiet_NaN());
  network.save_weights(run.weights_file("last").string());
  EXPECT_THAT(error_of<DivergedError>([&] { analysed(run); }), HasSubstr("not finite"));
}

TEST_F(AnalyzeSlow, OfAnUnfinishedRunAreItsLastWeights) {
  const record::RunFolder run = trained();
  const auto whole = by_key(analysed(run));
  std::filesystem::remove(run.path() / "summary.json");
  std::filesystem::remove_all(run.path() / "predictions");
  const auto again = by_key(analysed(run, {}, few(), true));
  EXPECT_EQ(again.at("bias.gap.few").value, whole.at("bias.gap.few").value);
}

/// Grey pictures of three classes: a set that knows nothing of backgrounds.
void write_idx(const data::Folder& folder) {
  for (const auto& [name, count] : {std::pair{"train", 45U}, {"t10k", 12U}}) {
    std::vector<std::uint8_t> pixels;
    std::vector<std::uint8_t> labels;
    RandomStream random(1, Purpose::test, 0, count);
    for (std::uint32_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<std::uint8_t>(i % 3));
      for (int p = 0; p < 28 * 28; ++p) {
        pixels.push_back(static_cast<std::uint8_t>(random.below(100) + 70 * (i % 3)));
      }
    }
    folder.write(concat(name, "-images-idx3-ubyte"), data::idx_bytes({count, 28, 28}, pixels));
    folder.write(concat(name, "-labels-idx1-ubyte"), data::idx_bytes({count}, labels));
  }
}

TEST_F(AnalyzeSlow, WithoutTruthMeasuresThatNeedItAreLeftOut) {
  const data::Folder folder;
  write_idx(folder);
  const std::string base = concat(R"(
    [data]
    name = "idx"
    dir = ")",
                                  folder.path().string(), R"("
    ratio = 3
)",
                                  kTinyTraining);
  const Recipe recipe = resolve_recipe(config::Document::parse(base, "idx"), "idx");
  const record::RunFolder run = train_recipe(recipe, options_).folder;
  AnalyzeSettings settings = few();
  settings.k = 4;
  const AnalyzeResult result = analysed(run, {}, settings);
  const auto measures = by_key(result);
  EXPECT_EQ(measures.count("neighbours.test.own_class.masked"), 1U);
  EXPECT_EQ(measures.count("similarity.train.target.change"), 1U);
  for (const auto& [key, measure] : measures) {
    const std::string start = key.substr(0, key.find('.'));
    EXPECT_TRUE(start == "neighbours" || start == "similarity" || start == "mass") << key;
    EXPECT_EQ(key.find("kind"), std::string::npos) << key;
  }
  ASSERT_EQ(result.analysis.pictures.size(), 2U);
  EXPECT_EQ(result.analysis.pictures[0].file, "analysis/train-neighbours.png");

  // A gallery smaller than the training set.
  settings.gallery = 10;
  const auto part = by_key(analysed(run, {}, settings));
  EXPECT_EQ(part.count("neighbours.test.own_class.masked"), 1U);
}

// By hand: two pixels of 10 and two of 30 have mean 20 and deviation 10.
TEST(ColourFeatures, AreMeansAndDeviations) {
  std::vector<std::uint8_t> pixels;
  for (const std::uint8_t grey : {10, 30, 30, 10}) {
    pixels.insert(pixels.end(), {grey, 7, static_cast<std::uint8_t>(grey * 2)});
  }
  const data::ResidentDataset set(2, 2, pixels, {0}, {"a"});
  EXPECT_EQ(colour_features(set, {0}).values, (std::vector<float>{20, 10, 7, 0, 40, 20}));
}

}  // namespace
}  // namespace smcl::experiment
