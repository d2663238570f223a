#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "format/safetensors.h"
#include "nn/network.h"
#include "nn/reference.h"

/// The fixture is what PyTorch 2.11 computed with tests/python/resnet.py: `weights.*`, images,
/// labels, logits in evaluation and training, the loss, `gradients.*`, buffers `after.*`.
namespace smcl::nn {
namespace {

namespace fs = std::filesystem;
using batch::Precision;
using format::SafetensorsFile;

const fs::path kSource = SMCL_SOURCE_DIR;

at::Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const SafetensorsFile::Entry& entry = file.at(name);
  const auto type = entry.dtype == format::Dtype::i64 ? at::kLong : at::kFloat;
  at::Tensor out = at::empty(entry.shape, type);
  const auto bytes = file.bytes(entry);
  std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
  return out;
}

std::span<const std::byte> bytes_of(const at::Tensor& t) {
  return {static_cast<const std::byte*>(t.data_ptr()), t.nbytes()};
}

class Weights : public testing::Test {
 protected:
  Weights()
      : folder_(fs::path(testing::TempDir()) /
                concat("smcl_weights_", getpid(), "_",
                       testing::UnitTest::GetInstance()->current_test_info()->name())),
        fixture_(SafetensorsFile::read(kSource / "tests/fixtures/nn/resnet20.safetensors")),
        network_({"resnet20", 0.25, 8}, 10, 1, Precision::fp32, at::kCPU) {
    fs::create_directories(folder_);
    for (const auto& [name, entry] : fixture_.tensors()) {
      if (name.rfind("weights.", 0) == 0) weights_[name.substr(8)] = tensor_of(fixture_, name);
    }
  }
  ~Weights() override { fs::remove_all(folder_); }

  /// Writes weights_ to a file, as Python would.
  std::string written() const {
    std::vector<format::TensorView> views;
    for (const auto& [name, t] : weights_) {
      const bool whole = t.scalar_type() == at::kLong;
      views.push_back(
          {name, whole ? format::Dtype::i64 : format::Dtype::f32, t.sizes().vec(), bytes_of(t)});
    }
    const fs::path file = folder_ / "in.safetensors";
    format::write_safetensors(file, views, {});
    return file.string();
  }

  void expect_refused(const std::string& word) {
    const at::Tensor before = network_.store().parameters().clone();
    try {
      network_.load_weights(written());
      ADD_FAILURE() << "nothing was thrown for " << word;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
    EXPECT_TRUE(before.equal(network_.store().parameters())) << word;
  }

  fs::path folder_;
  SafetensorsFile fixture_;
  Network network_;
  std::map<std::string, at::Tensor> weights_;
};

TEST_F(Weights, GivePythonsLogitsInEvaluation) {
  network_.load_weights(written());
  EXPECT_EQ(network_.batches_tracked(), 7);
  const at::NoGradGuard no_grad;
  const Output out = network_.forward(tensor_of(fixture_, "images"), {});
  EXPECT_TRUE(at::allclose(out.logits, tensor_of(fixture_, "eval_logits"), 1e-5, 1e-5));
}

TEST_F(Weights, GivePythonsLossGradientsAndStatisticsInTraining) {
  for (const FusedBackend backend : {FusedBackend::torch, FusedBackend::automatic}) {
    network_.load_weights(written());
    network_.store().zero_gradients();
    ForwardOptions options;
    options.training = true;
    options.backend = backend;
    const Output out = network_.forward(tensor_of(fixture_, "images"), options);
    EXPECT_TRUE(at::allclose(out.logits, tensor_of(fixture_, "train_logits"), 1e-5, 1e-5));
    const at::Tensor loss = at::cross_entropy_loss(out.logits, tensor_of(fixture_, "labels"));
    EXPECT_NEAR(loss.item<double>(), tensor_of(fixture_, "loss").item<double>(), 1e-5);
    loss.backward();
    for (const auto& [name, entry] : fixture_.tensors()) {
      if (name.rfind("gradients.", 0) != 0) continue;
      const at::Tensor want = tensor_of(fixture_, name);
      const double off =
          (network_.store().gradient(name.substr(10)) - want).abs().max().item<double>();
      EXPECT_LT(off, 1e-4 * want.abs().max().item<double>() + 1e-6) << name;
    }
    for (const tensor::Slot& slot : network_.store().slots()) {
      if (!slot.statistic) continue;
      EXPECT_TRUE(at::allclose(network_.store().view(slot.name),
                               tensor_of(fixture_, "after." + slot.name), 1e-5, 1e-6))
          << slot.name;
    }
    EXPECT_EQ(network_.batches_tracked(),
              tensor_of(fixture_, "after.bn1.num_batches_tracked").item<std::int64_t>());
  }
}

TEST_F(Weights, AreWrittenAsTheyWereRead) {
  network_.load_weights(written());
  const std::string file = (folder_ / "out.safetensors").string();
  network_.save_weights(file);
  const SafetensorsFile out = SafetensorsFile::read(file);
  ASSERT_EQ(out.tensors().size(), weights_.size());  // and so no head
  for (const auto& [name, t] : weights_) {
    EXPECT_TRUE(tensor_of(out, name).equal(t)) << name;
    EXPECT_EQ(out.at(name).shape, t.sizes().vec()) << name;
  }
}

TEST_F(Weights, LeaveTheHeadAndRefreshTheShadow) {
  Network half({"resnet20", 0.25, 8}, 10, 1, Precision::bf16, at::kCPU);
  const at::Tensor head = half.store().view("head.0.weight").detach().clone();
  half.load_weights(written());
  EXPECT_TRUE(half.store().view("head.0.weight").equal(head));
  EXPECT_TRUE(
      half.store().compute("conv1.weight").equal(weights_.at("conv1.weight").to(at::kBFloat16)));
}

TEST_F(Weights, AreRefusedWhereANameIsMissing) {
  weights_.erase("layer2.1.bn2.bias");
  expect_refused("layer2.1.bn2.bias");
}

TEST_F(Weights, AreRefusedWhereACounterIsMissing) {
  weights_.erase("bn1.num_batches_tracked");
  expect_refused("bn1.num_batches_tracked");
}

TEST_F(Weights, AreRefusedWhereANameIsLeftOver) {
  weights_["layer1.3.conv1.weight"] = at::zeros({1});
  expect_refused("layer1.3.conv1.weight");
}

TEST_F(Weights, AreRefusedWhereAShapeDiffers) {
  weights_["fc.weight"] = at::zeros({10, 15});
  expect_refused("[10, 15]");
}

TEST_F(Weights, AreRefusedWhereATypeDiffers) {
  weights_["fc.bias"] = at::zeros({10}, at::kLong);
  expect_refused("I64");
}

TEST_F(Weights, AreRefusedWhereCountersDiffer) {
  weights_["layer3.0.bn1.num_batches_tracked"] = at::tensor(8, at::kLong);
  expect_refused("layer3.0.bn1.num_batches_tracked");
}

TEST_F(Weights, AreRefusedWhereTheFormatIsALaterOne) {
  const std::string file = (folder_ / "later.safetensors").string();
  network_.save_weights(file, {{"format_version", "2"}});
  try {
    network_.load_weights(file);
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("format_version is '2'"), std::string::npos)
        << error.what();
  }
}

TEST_F(Weights, AreRefusedWhereThereIsNoFile) {
  EXPECT_THROW(network_.load_weights((folder_ / "none.safetensors").string()), IoError);
}

class WeightsSlow : public Weights {};

// Runs where Python has torch and safetensors: the model loads our weights strictly.
TEST_F(WeightsSlow, LoadInPython) {
  if (std::system("python3 -c 'import torch, safetensors' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 with torch and safetensors is not installed";
  }
  Network network({"resnet32", 0.5, 8}, 10, 5, Precision::fp32, at::kCPU);
  const at::NoGradGuard no_grad;
  const at::Tensor images = reference::random({3, 3, 32, 32}, 1);
  const at::Tensor logits = network.forward(images, {}).logits.contiguous();
  const fs::path weights = folder_ / "weights.safetensors";
  const fs::path expected = folder_ / "logits.safetensors";
  network.save_weights(weights.string());
  format::write_safetensors(expected,
                            {{"images", format::Dtype::f32, {3, 3, 32, 32}, bytes_of(images)},
                             {"logits", format::Dtype::f32, {3, 10}, bytes_of(logits)}},
                            {});
  const std::string command = concat("python3 '", (kSource / "tests/python/resnet.py").string(),
                                     "' check '", weights.string(), "' '", expected.string(), "'");
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace smcl::nn
