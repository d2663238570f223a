#include "method/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "method/batches.h"
#include "nn/stage_fixture.h"

namespace smcl::method {
namespace {

using nn::testing::fixture;
using nn::testing::fixture_network;
using nn::testing::fixture_settings;
using nn::testing::tensor_of;
using ::testing::HasSubstr;

// What stage_reference.py was run with.
constexpr double kRate = 0.3;
constexpr double kMomentum = 0.9;
constexpr double kDecay = 2e-3;

tensor::TensorBatch fixture_batch() {
  const auto file = fixture("resnet20.safetensors");
  tensor::TensorBatch batch;
  batch.images = tensor_of(file, "images");
  batch.labels = tensor_of(file, "labels");
  batch.count = 4;
  return batch;
}

void expect_close(const at::Tensor& got, const format::SafetensorsFile& file,
                  const std::string& name) {
  const at::Tensor wanted = tensor_of(file, name).to(at::kFloat);
  EXPECT_TRUE(at::allclose(got, wanted, 1e-4, 1e-6))
      << name << ": off by " << (got - wanted).abs().max().item<float>();
}

/// Three steps, the first held against the fixture's loss and gradients `names`.
void take_steps(nn::Network& network, nn::StageClassifier& classifier,
                const format::SafetensorsFile& wanted, const std::string& prefix,
                const std::vector<std::pair<std::string, std::string>>& names) {
  SecondStage method(classifier);
  for (int step = 0; step < 3; ++step) {
    tensor::FlatStore& store = method.trained(network);
    store.zero_gradients();
    const StepLoss loss = method.loss(network, fixture_batch(), 0);
    loss.total.backward();
    if (step == 0) {
      EXPECT_NEAR(loss.total.item<double>(), tensor_of(wanted, prefix + "loss").item<double>(),
                  1e-5);
      for (const auto& [ours, theirs] : names) {
        expect_close(store.gradient(ours), wanted, concat(prefix, "gradient.", theirs));
      }
    }
    store.check_gradients();
    ASSERT_TRUE(tensor::sgd_step(store, kRate, kMomentum, kDecay));
  }
  method.install(network);
}

/// All of the network but its classifier.
std::vector<at::Tensor> backbone(const nn::Network& network) {
  std::vector<at::Tensor> out{network.store().statistics().clone(),
                              network.store().momentum().clone()};
  for (const tensor::Slot& slot : network.store().slots()) {
    if (slot.name.rfind("fc.", 0) != 0) out.push_back(network.store().view(slot.name).clone());
  }
  return out;
}

void expect_frozen(const nn::Network& network, const std::vector<at::Tensor>& before) {
  const std::vector<at::Tensor> after = backbone(network);
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(after[i].equal(before[i])) << i;
  EXPECT_EQ(network.batches_tracked(), 0);
}

// Expected values: tests/python/stage_reference.py, in float64.
TEST(StageReference, RetrainsAClassifierAsPyTorchDoes) {
  const auto wanted = fixture("stage.safetensors");
  nn::Network network = fixture_network();
  const auto before = backbone(network);
  nn::StageClassifier classifier(nn::StageKind::retrained, fixture_settings(), network);
  classifier.begin(network, 0);
  {
    const at::NoGradGuard no_gradient;
    const at::Tensor weight = classifier.store().view("fc.weight");
    weight.copy_(0.1 * at::cos(at::arange(weight.numel(), at::kDouble)).view_as(weight));
  }
  take_steps(network, classifier, wanted, "crt.", {{"fc.weight", "weight"}, {"fc.bias", "bias"}});
  expect_close(network.store().view("fc.weight"), wanted, "crt.weight");
  expect_close(network.store().view("fc.bias"), wanted, "crt.bias");
  expect_frozen(network, before);
}

TEST(StageReference, ScalesAClassifierAsPyTorchDoes) {
  const auto wanted = fixture("stage.safetensors");
  nn::Network network = fixture_network();
  const auto before = backbone(network);
  nn::StageClassifier classifier(nn::StageKind::scaled, fixture_settings(), network);
  classifier.begin(network, 0);
  take_steps(network, classifier, wanted, "lws.", {{"scale", "scale"}});
  expect_close(classifier.store().view("scale"), wanted, "lws.scale");
  expect_close(network.store().view("fc.weight"), wanted, "lws.weight");
  expect_close(network.store().view("fc.bias"), wanted, "lws.bias");
  expect_frozen(network, before);
}

// dL/ds_k = (1/N) sum_i (p_ik - [y_i = k]) z_ik, from the network's own logits z.
TEST(SecondStageTest, GradientOfFactorsByHand) {
  nn::Network network = fixture_network();
  nn::StageClassifier classifier(nn::StageKind::scaled, fixture_settings(), network);
  classifier.begin(network, 0);
  SecondStage method(classifier);
  classifier.store().zero_gradients();
  method.loss(network, fixture_batch(), 0).total.backward();
  const at::NoGradGuard no_gradient;
  const at::Tensor z = network.forward(fixture_batch().images, {}).logits.to(at::kDouble);
  const at::Tensor labels = fixture_batch().labels;
  for (std::int64_t k = 0; k < 10; ++k) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < 4; ++i) {
      double total = 0.0;
      for (std::int64_t j = 0; j < 10; ++j) total += std::exp(z[i][j].item<double>());
      const double p = std::exp(z[i][k].item<double>()) / total;
      const double wrong = p - (labels[i].item<std::int64_t>() == k ? 1.0 : 0.0);
      sum += wrong * z[i][k].item<double>() / 4;
    }
    EXPECT_NEAR(classifier.store().gradient("scale")[k].item<double>(), sum, 1e-6) << k;
  }
}

TEST(SecondStageTest, RefusesMaskedImages) {
  nn::Network network = fixture_network();
  nn::StageClassifier classifier(nn::StageKind::retrained, fixture_settings(), network);
  EXPECT_THROW(SecondStage(classifier).loss(network, test::two_images(true, false, false), 0),
               InternalError);
}

StageSettings read(const std::string& toml) {
  const auto document = config::Document::parse(toml, "test.toml");
  config::Binder binder(document);
  StageSettings settings;
  bind(binder, settings);
  binder.finish();
  return settings;
}

TEST(StageSettingsTest, TakeNumbersOrWords) {
  const StageSettings plain = read("");
  EXPECT_EQ(plain.name, StageName::none);
  EXPECT_EQ(stage_epochs(plain), 0);
  EXPECT_TRUE(plain.tau.args.empty());
  EXPECT_TRUE(plain.momentum.args.empty());
  const StageSettings set = read(
      "stage.name = 'tau_norm'\nstage.tau = 0.7\nstage.momentum = 0.5\nstage.weight_decay = 0\n");
  EXPECT_EQ(stage_epochs(set), 1);
  EXPECT_FALSE(stage_learns(set));
  EXPECT_EQ(set.tau.args, std::vector<double>{0.7});
  EXPECT_EQ(set.momentum.args, std::vector<double>{0.5});
  EXPECT_EQ(set.weight_decay.args, std::vector<double>{0.0});
  EXPECT_EQ(stage_epochs(read("stage.name = 'lws'\nstage.epochs = 3\n")), 3);
  EXPECT_THROW(read("stage.name = 'ctr'\n"), UsageError);
  EXPECT_THROW(read("stage.epochs = 0\n"), UsageError);
  EXPECT_THROW(read("stage.momentum = 1.5\n"), UsageError);
  EXPECT_THROW(read("stage.tau = -0.1\n"), UsageError);
  EXPECT_THROW(read("stage.tau = 'best'\n"), UsageError);
}

TEST(StageSettingsTest, RefuseWhatMeansNothingForCosines) {
  nn::NetworkSettings network;
  network.classifier = nn::Classifier::cosine;
  const auto refusal = [&](StageName name) {
    StageSettings settings;
    settings.name = name;
    try {
      check_stage(settings, network);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(StageName::lws), HasSubstr("stage.name = lws"));
  EXPECT_THAT(refusal(StageName::tau_norm), HasSubstr("stage.name = tau_norm"));
  EXPECT_EQ(refusal(StageName::crt), "");
  EXPECT_EQ(refusal(StageName::none), "");
}

}  // namespace
}  // namespace smcl::method
