#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/config_text.h"
#include "core/error.h"
#include "format/safetensors.h"
#include "method/step_dump.h"

// Whole steps against tests/python/step_reference.py, which computes them on its own in float64.
namespace smcl::test {
namespace {

struct Case {
  std::string name;
  std::string toml;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const std::vector<Case>& cases() {
  static const std::string masked = "mask.prob = 1.0\n";
  static const std::string some = "mask.prob = 0.5\nmask.draw = \"image\"\n";
  static const std::string alone = "method.name = \"ce\"\nmask.prob = 0.0\n";
  static const std::string drw = "rule.name = \"drw\"\nrule.b = 0.9\n";
  static const std::string mixed = "step.epoch = 8\n";  // partners of other classes
  static const std::string cosine = "network.classifier = \"cosine\"\nnetwork.scale = 10.0\n";
  static const std::vector<Case> all{
      {"ce", alone},
      {"literal", masked},
      {"unmasked", "mask.prob = 0.0\n"},
      {"add_plain", masked + "mask.plain = \"add\"\ncontrast.set = \"target+plain\"\n"},
      {"add_all_by_image", some + "mask.plain = \"add\"\ncontrast.set = \"all\"\n"},
      {"no_own_term", masked + "contrast.own_term = false\nmask.border = \"shift\"\n"},
      {"detached", some + "contrast.detach_target = true\ncontrast.set = \"all\"\n"},
      {"constant_lambda", masked + "mce.lambda = \"constant(0.3)\"\nmask.fill = \"other\"\n"},
      {"expected_target", masked + "mce.target = \"expected\"\ncontrast.mu = 0.0\n"},
      {"target_label", some + "mce.label = \"target\"\nbn.stats = \"plain_only\"\n"},
      {"drw", masked + "rule.name = \"drw\"\nrule.b = 0.9\ncontrast.tau = 0.5\n"},
      {"mixup", mixed + "method.name = \"mixup\"\n"},
      {"remix", mixed + "method.name = \"remix\"\nmix.draw = \"image\"\nmix.kappa = 2.0\n"},
      {"cutmix", mixed + "method.name = \"cutmix\"\nmix.draw = \"image\"\nmix.prob = 0.7\n"},
      {"saliencymix", mixed + "method.name = \"saliencymix\"\nmask.border = \"shift\"\n"},
      {"cmo_drw",
       "method.name = \"cmo\"\ntarget.distribution = \"inverse\"\nrule.name = \"drw\"\n"
       "target.unit = \"sample\"\nrule.b = 0.9\nmix.alpha = 2.0\n"},
      {"supcon", "method.name = \"supcon\"\n"},
      {"ce_focal_inside", alone + drw + "loss.name = \"focal\"\nloss.weight_inside = true\n"},
      {"focal", masked + drw + "loss.name = \"focal\"\nloss.gamma = 1.5\n"},
      {"ce_ldam", alone + drw + cosine + "loss.name = \"ldam\"\n"},
      {"ldam", some + drw + cosine + "loss.name = \"ldam\"\nloss.max_margin = 0.3\n"},
      {"ce_logit_adjusted", alone + "loss.name = \"logit_adjusted\"\nloss.tau = 1.5\n"},
      {"logit_adjusted", some + cosine + "loss.name = \"logit_adjusted\"\n"},
      {"logit_adjusted_expected",
       masked + "loss.name = \"logit_adjusted\"\nmce.target = \"expected\"\n"},
      {"bcl", "method.name = \"bcl\"\ncontrast.tau = 0.3\ncontrast.mu = 0.35\n"},
      {"bcl_cosine",
       cosine + "method.name = \"bcl\"\nloss.name = \"logit_adjusted\"\ncontrast.tau = 0.3\n"},
      {"reweight", alone + "rule.name = \"reweight\"\nrule.b = 0.9\n"},
      {"mixup_focal", mixed + drw + "method.name = \"mixup\"\nloss.name = \"focal\"\n"},
      {"cutmix_ldam", mixed + drw + cosine +
                          "method.name = \"cutmix\"\nmix.draw = \"image\"\nloss.name = \"ldam\"\n"},
      {"remix_logit_adjusted",
       mixed + "method.name = \"remix\"\nmix.draw = \"image\"\nmix.kappa = 2.0\nloss.name = "
               "\"logit_adjusted\"\n"}};
  return all;
}

/// No test: it writes what step_reference.py compares anew. How to run it: tests/README.md.
TEST(StepDump, DISABLED_WritesEveryCase) {
  const char* folder = std::getenv("SMCL_STEP_DUMP");
  ASSERT_NE(folder, nullptr) << "SMCL_STEP_DUMP is not set, expected a folder to write to";
  for (const auto& [name, toml] : cases()) {
    Step step = Step::draw(toml);
    step.run();
    step.write(std::filesystem::path(folder) / (name + ".safetensors"));
  }
}

class StepReference : public testing::TestWithParam<Case> {
 protected:
  template <class T>
  std::vector<T> stored(const std::string& name) const {
    const auto bytes = file_.bytes(file_.at("expected." + name));
    std::vector<T> out(bytes.size() / sizeof(T));
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
  void expect_near(const std::vector<float>& got, const std::string& name) const {
    const auto expected = stored<double>(name);
    ASSERT_EQ(got.size(), expected.size()) << name;
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << name;
  }
  void expect_loss(const at::Tensor& got, const std::string& name) const {
    const bool there = file_.tensors().count("expected.loss." + name) != 0;
    ASSERT_EQ(got.defined(), there) << name;
    if (!there) return;
    const double expected = stored<double>("loss." + name)[0];
    EXPECT_NEAR(got.item<double>(), expected, 2e-5 * std::max(1.0, std::abs(expected))) << name;
  }
  /// Length and product with a fixed pattern, as step_reference.py has them.
  static std::array<double, 2> projections(const float* values, std::int64_t count) {
    double square = 0, pattern = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      square += static_cast<double>(values[i]) * values[i];
      pattern += values[i] * std::cos(static_cast<double>(i));
    }
    return {std::sqrt(square), pattern};
  }
  static void expect_projections(const std::array<double, 2>& got, const double* expected,
                                 double tolerance, const std::string& name) {
    const double slack = tolerance * std::max(expected[0], 1e-4);
    EXPECT_NEAR(got[0], expected[0], slack) << name;
    EXPECT_NEAR(got[1], expected[1], slack) << name;
  }
  void expect_tensor(const at::Tensor& got, const std::string& name) const {
    const at::Tensor values = got.detach().contiguous();
    expect_projections(projections(values.data_ptr<float>(), values.numel()),
                       stored<double>("projected." + name).data(), 1e-3, name);
  }

  /// What failure signs look at: the first block where images are masked, and the anchors; no graph
  /// is kept alive.
  static void expect_signs(Step& step) {
    const method::StepLoss& loss = step.loss();
    const int count = step.batch().count;
    const auto& marks = step.batch().is_masked;
    const auto masked = step.plan().masks.empty() ? 0 : std::count(marks.begin(), marks.end(), 1);
    ASSERT_EQ(loss.features.defined(), masked > 0);
    if (masked > 0) {
      EXPECT_EQ(loss.features.sizes(), at::IntArrayRef({count, step.network().feature_dim()}));
    }
    ASSERT_EQ(loss.embeddings.defined(), loss.contrast.defined());
    if (loss.embeddings.defined()) {
      EXPECT_EQ(loss.embeddings.size(0), step.batch().has_plain ? 2 * count : count);
    }
    for (const at::Tensor& part :
         {loss.classification, loss.contrast, loss.embeddings, loss.features}) {
      EXPECT_FALSE(part.defined() && part.requires_grad());
    }
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(SMCL_SOURCE_DIR) / "tests/fixtures/step";
  const format::SafetensorsFile file_ =
      format::SafetensorsFile::read(folder_ / (GetParam().name + ".safetensors"));
};

// A case that was changed while its fixture was not would be tested as it was.
TEST_P(StepReference, IsOfTheCasesSettings) {
  const auto wanted = config::Document::parse(GetParam().toml, "case");
  const auto used = config::Document::parse(file_.metadata().at("recipe"), "fixture");
  ASSERT_FALSE(wanted.entries().empty());
  for (const auto& [key, entry] : wanted.entries()) {
    ASSERT_TRUE(used.entries().contains(key)) << key;
    EXPECT_EQ(config::to_text(used.entries().at(key).value), config::to_text(entry.value)) << key;
  }
}

TEST_P(StepReference, AgreesFromBytesToGradients) {
  Step step =
      Step::load(folder_ / "shared.safetensors", folder_ / (GetParam().name + ".safetensors"));
  step.run();

  const batch::Batch& batch = step.batch();
  if (!step.plan().mixes.empty()) {
    EXPECT_NE(batch.labels, batch.target_labels) << "all partners are of the image's own class";
  }
  if (GetParam().name.starts_with("remix")) {
    const auto moves = [](const plan::MixDraw& mix) { return mix.own != mix.keep; };
    EXPECT_TRUE(std::ranges::any_of(step.plan().mixes, moves)) << "no label goes to the rarer";
  }
  expect_near(batch.lambda, "batch.lambda");
  expect_near(batch.contrast_lambda, "batch.contrast_lambda");
  std::vector<std::int32_t> boxes, peaks;
  for (const Box& box : batch.boxes) boxes.insert(boxes.end(), {box.y0, box.x0, box.y1, box.x1});
  for (const Point& peak : batch.peaks) peaks.insert(peaks.end(), {peak.y, peak.x});
  EXPECT_EQ(boxes, stored<std::int32_t>("batch.boxes"));
  EXPECT_EQ(peaks, stored<std::int32_t>("batch.peaks"));
  const auto images = stored<double>("pixels");
  const auto blocks = static_cast<std::size_t>(batch.blocks() * batch.count);
  ASSERT_EQ(images.size(), 2 * blocks);
  const std::int64_t values = std::int64_t{batch.height} * batch.width * 3;
  const auto* pixels = reinterpret_cast<const float*>(batch.pixels.data());
  for (std::size_t i = 0; i < blocks; ++i) {
    expect_projections(projections(pixels + static_cast<std::int64_t>(i) * values, values),
                       &images[2 * i], 1e-6, concat("image ", i));
  }

  expect_loss(step.loss().total, "total");
  expect_loss(step.loss().classification, "classification");
  expect_loss(step.loss().contrast, "contrast");
  expect_signs(step);
  const tensor::FlatStore& store = step.network().store();
  for (const tensor::Slot& slot : store.slots()) {
    if (slot.statistic) {
      expect_tensor(store.view(slot.name), "after." + slot.name);
    } else {
      expect_tensor(store.gradient(slot.name), "gradient." + slot.name);
    }
  }
  for (const std::string name : {"conv1.weight", "fc.weight", "fc.bias", "head.0.weight"}) {
    if (file_.tensors().count("expected.gradient." + name) == 0) continue;  // fc.bias of cosines
    const at::Tensor got = store.gradient(name);
    const at::Tensor expected = at::tensor(stored<float>("gradient." + name)).view(got.sizes());
    const double scale = std::max(1e-4, expected.abs().max().item<double>());
    EXPECT_LT((got - expected).abs().max().item<double>() / scale, 1e-3) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, StepReference, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace smcl::test
