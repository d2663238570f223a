#include "nn/stage_classifier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "format/scratch.h"
#include "nn/stage_fixture.h"

namespace smcl::nn {
namespace {

using testing::fixture;
using testing::fixture_network;
using testing::fixture_settings;
using testing::tensor_of;

/// Changes a parameter of the stage behind autograd's back.
void set(StageClassifier& stage, const std::string& name, const at::Tensor& values) {
  const at::NoGradGuard no_gradient;
  stage.store().view(name).copy_(values);
}

NetworkSettings cosine() {
  NetworkSettings settings = fixture_settings();
  settings.classifier = Classifier::cosine;
  settings.scale = 16.0;
  return settings;
}

// Kaiming-normal with fan-in 16 of RandomStream(seed, stage_init, 0, 0); by hand from
// core/random.h.
TEST(StageClassifierTest, ANewClassifierIsAFunctionOfTheSeedAlone) {
  const Network network = fixture_network();
  StageClassifier stage(StageKind::retrained, fixture_settings(), network);
  stage.begin(network, 5);
  RandomStream random(5, Purpose::stage_init, 0, 0);
  const at::Tensor weight = stage.store().view("fc.weight").detach().clone();
  for (std::int64_t i = 0; i < weight.numel(); ++i) {
    EXPECT_EQ(weight.const_data_ptr<float>()[i],
              static_cast<float>(std::sqrt(2.0 / 16.0) * random.normal()));
  }
  EXPECT_EQ(stage.store().view("fc.bias").abs().sum().item<float>(), 0.0F);
  const Network first(fixture_settings(), 10, 5, batch::Precision::fp32, at::kCPU);
  EXPECT_FALSE(weight.equal(first.store().view("fc.weight")))
      << "not the run's first weights again";
  set(stage, "fc.weight", at::ones({10, 16}));
  stage.store().momentum().fill_(1.0);
  stage.begin(network, 5);
  EXPECT_TRUE(stage.store().view("fc.weight").equal(weight));
  EXPECT_EQ(stage.store().momentum().abs().sum().item<float>(), 0.0F);
  stage.begin(network, 6);
  EXPECT_FALSE(stage.store().view("fc.weight").equal(weight));
}

TEST(StageClassifierTest, FactorsOfOneAreTheNetworkAsItIs) {
  Network network = fixture_network();
  const at::Tensor before = network.store().parameters().clone();
  StageClassifier stage(StageKind::scaled, fixture_settings(), network);
  stage.begin(network, 5);
  const at::NoGradGuard no_gradient;
  const at::Tensor images = tensor_of(fixture("resnet20.safetensors"), "images");
  const Output out = network.forward(images, {});
  EXPECT_TRUE(stage.logits(out.features).equal(out.logits));
  stage.install(network);
  EXPECT_TRUE(network.store().parameters().equal(before));
}

// z_k = s_k (w_k x + b_k) = (s_k w_k) x + s_k b_k.
TEST(StageClassifierTest, FactorsAreFoldedIntoWeightsAndBias) {
  Network network = fixture_network();
  const at::Tensor weight = network.store().view("fc.weight").detach().clone();
  const at::Tensor bias = network.store().view("fc.bias").detach().clone();
  const at::Tensor body = network.store().view("layer3.2.conv2.weight").detach().clone();
  StageClassifier stage(StageKind::scaled, fixture_settings(), network);
  stage.begin(network, 0);
  const at::Tensor factors = at::arange(1, 11, at::kFloat) / 4;
  set(stage, "scale", factors);
  const at::NoGradGuard no_gradient;
  const at::Tensor images = tensor_of(fixture("resnet20.safetensors"), "images");
  const at::Tensor wanted = stage.logits(network.forward(images, {}).features);
  for (int turn = 0; turn < 2; ++turn) {  // installing twice does not scale twice
    stage.install(network);
    EXPECT_TRUE(network.store().view("fc.weight").equal(weight * factors.unsqueeze(1)));
    EXPECT_TRUE(network.store().view("fc.bias").equal(bias * factors));
    EXPECT_TRUE(at::allclose(network.forward(images, {}).logits, wanted, 1e-5, 1e-6));
  }
  EXPECT_TRUE(network.store().view("layer3.2.conv2.weight").equal(body));
}

TEST(StageClassifierTest, ANewCosineClassifierHasTheNetworksScaleAndNoBias) {
  Network network(cosine(), 10, 1, batch::Precision::fp32, at::kCPU);
  StageClassifier stage(StageKind::retrained, cosine(), network);
  stage.begin(network, 3);
  stage.install(network);
  const at::NoGradGuard no_gradient;
  const at::Tensor images = tensor_of(fixture("resnet20.safetensors"), "images");
  const Output out = network.forward(images, {});
  EXPECT_TRUE(stage.logits(out.features).equal(out.logits));
  EXPECT_LE(out.logits.abs().max().item<float>(), 16.001F);
  EXPECT_THROW(StageClassifier(StageKind::scaled, cosine(), network), InternalError);
  EXPECT_THROW(tau_normalise(network, 1.0), InternalError);
}

// tests/python/stage_reference.py; lengths are those of w_k / |w_k|^tau: |w_k|^(1 - tau).
TEST(TauNormalise, DividesByAPowerOfTheLengthAndDropsTheBias) {
  Network network = fixture_network();
  const at::Tensor before = class_norms(network);
  tau_normalise(network, 0.7);
  EXPECT_TRUE(at::allclose(network.store().view("fc.weight").to(at::kDouble),
                           tensor_of(fixture("stage.safetensors"), "tau.weight"), 1e-6, 1e-8));
  EXPECT_TRUE(at::allclose(class_norms(network), before.pow(0.3), 1e-6, 0));
  EXPECT_EQ(network.store().view("fc.bias").abs().sum().item<float>(), 0.0F);
}

TEST(TauNormalise, OfZeroKeepsTheWeightsAndOfOneMakesThemUnits) {
  Network network = fixture_network();
  const at::Tensor weight = network.store().view("fc.weight").detach().clone();
  tau_normalise(network, 0.0);
  EXPECT_TRUE(network.store().view("fc.weight").equal(weight));
  {
    const at::NoGradGuard no_gradient;
    network.store().view("fc.weight")[3].zero_();
  }
  tau_normalise(network, 1.0);
  const at::Tensor norms = class_norms(network);
  for (std::int64_t k = 0; k < 10; ++k) {
    EXPECT_NEAR(norms[k].item<double>(), k == 3 ? 0.0 : 1.0, 1e-6) << k;
  }
}

class StageState : public ScratchFolder {};

TEST_F(StageState, IsStoredBesideTheNetworkAndReadStrictly) {
  Network network = fixture_network();
  StageClassifier stage(StageKind::scaled, fixture_settings(), network);
  stage.begin(network, 0);
  set(stage, "scale", at::arange(1, 11, at::kFloat));
  stage.store().momentum().fill_(0.5);
  const std::string with = (folder() / "with.safetensors").string();
  const std::string without = (folder() / "without.safetensors").string();
  network.save_state(with, {}, &stage.store());
  network.save_state(without, {});

  Network other(fixture_settings(), 10, 2, batch::Precision::fp32, at::kCPU);
  StageClassifier read(StageKind::scaled, fixture_settings(), other);
  read.begin(other, 0);
  other.load_state(format::SafetensorsFile::read(with), &read.store());
  for (const char* name : {"scale", "fc.weight", "fc.bias"}) {
    EXPECT_TRUE(read.store().view(name).equal(stage.store().view(name))) << name;
  }
  EXPECT_TRUE(read.store().velocity("scale").equal(stage.store().velocity("scale")));
  EXPECT_TRUE(other.store().parameters().equal(network.store().parameters()));

  StageClassifier retrained(StageKind::retrained, fixture_settings(), other);
  const at::Tensor before = other.store().parameters().clone();
  const auto file = format::SafetensorsFile::read(with);
  EXPECT_THROW(other.load_state(file), DataError);
  EXPECT_THROW(other.load_state(file, &retrained.store()), DataError);
  EXPECT_THROW(other.load_state(format::SafetensorsFile::read(without), &read.store()), DataError);
  EXPECT_TRUE(other.store().parameters().equal(before));
}

TEST(StageClassifierTest, SeesWhatIsNotFinite) {
  const Network network = fixture_network();
  StageClassifier stage(StageKind::retrained, fixture_settings(), network);
  stage.begin(network, 0);
  EXPECT_TRUE(stage.is_finite());
  stage.store().velocity("fc.bias")[1] = std::nan("");
  EXPECT_FALSE(stage.is_finite());
}

}  // namespace
}  // namespace smcl::nn
