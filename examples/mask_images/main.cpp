// Masks the most salient part of images inside a LibTorch loop of one's own, and trains on them
// with labels mixed by what is left: L = lambda * CE(own class) + (1 - lambda) * CE(target class).
#include <smcl/batch/batch.h>
#include <smcl/core/error.h>
#include <smcl/core/random.h>
#include <smcl/loss/loss.h>
#include <smcl/saliency/detector.h>
#include <smcl/sampling/class_distribution.h>
#include <torch/nn.h>
#include <torch/optim/sgd.h>

#include <iostream>
#include <vector>

struct Masked {
  torch::Tensor images;  ///< [N, H, W, 3] uint8, the salient box filled with the image's mean
  torch::Tensor lambda;  ///< [N] float32, share of the image that is left: weight of its own class
};

/// `images` [N, H, W, 3] uint8. The same step masks the same way again.
Masked mask_salient(const torch::Tensor& images, std::uint64_t seed, std::uint64_t step) {
  const auto detector = smcl::saliency::make_detector("fine_grained");
  const auto workspace = detector->workspace();
  const int height = static_cast<int>(images.size(1));
  const int width = static_cast<int>(images.size(2));
  std::vector<std::uint8_t> map(static_cast<std::size_t>(height * width));
  Masked result{images.clone(), torch::ones(images.size(0))};
  // One visible share a batch, uniform, as the paper draws it.
  const double keep = smcl::RandomStream(seed, smcl::Purpose::mask_area, 0, step).beta(1, 1);
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    torch::Tensor image = result.images[i];
    detector->map({image.data_ptr<std::uint8_t>(), height, width, 3, width * 3}, {}, *workspace,
                  map.data());
    const smcl::Point peak = smcl::saliency::peak(map.data(), height, width);
    const smcl::Box box =
        smcl::batch::mask_box(peak, keep, height, width, smcl::plan::Border::clip);
    if (box.area() == 0) continue;
    const torch::Tensor mean = image.to(torch::kFloat).flatten(0, 1).mean(0).to(torch::kByte);
    image.slice(0, box.y0, box.y1).slice(1, box.x0, box.x1).copy_(mean);
    result.lambda[i] = 1.0 - static_cast<double>(box.area()) / (height * width);
  }
  return result;
}

/// Grey noise with a bright spot: class 0 at the top, class 1 at the bottom.
torch::Tensor synthetic_images(const std::vector<std::int64_t>& labels) {
  const auto count = static_cast<std::int64_t>(labels.size());
  torch::Tensor images = torch::randint(100, 120, {count, 32, 32, 3}, torch::kByte);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t top = labels[static_cast<std::size_t>(i)] == 0 ? 4 : 20;
    images[i].slice(0, top, top + 8).slice(1, 12, 20).fill_(250);
  }
  return images;
}

int main() try {
  torch::manual_seed(1);
  const std::vector<std::int64_t> labels{0, 0, 0, 0, 0, 0, 1, 1};  // class 1 is rare
  const torch::Tensor images = synthetic_images(labels);
  const torch::Tensor own = torch::tensor(labels);

  // Target classes: rare ones more often.
  const std::vector<int> counts{6, 2};
  const smcl::sampling::AliasTable table(smcl::sampling::class_probabilities(
      counts, smcl::sampling::Kind::inverse, smcl::sampling::Unit::class_, 0.0));
  torch::Tensor target = torch::empty_like(own);
  smcl::RandomStream random(1, smcl::Purpose::target_class, 0, 0);
  for (std::int64_t i = 0; i < own.size(0); ++i) {
    const std::uint32_t place = random.next();
    target[i] = static_cast<std::int64_t>(table.draw(place, random.next()));
  }

  const Masked masked = mask_salient(images, /*seed=*/1, /*step=*/0);
  std::cout << "images " << masked.images.sizes() << ", lambda:";
  for (std::int64_t i = 0; i < own.size(0); ++i) {
    std::cout << ' ' << masked.lambda[i].item<float>();
  }

  // One step of your own network and optimiser.
  torch::nn::Sequential network(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).stride(2)),
                                torch::nn::ReLU(), torch::nn::AdaptiveAvgPool2d(1),
                                torch::nn::Flatten(), torch::nn::Linear(8, 2));
  torch::optim::SGD optimiser(network->parameters(), torch::optim::SGDOptions(0.1));
  const torch::Tensor input = masked.images.permute({0, 3, 1, 2}).to(torch::kFloat) / 255.0;
  for (int step = 0; step < 2; ++step) {
    const torch::Tensor logits = network->forward(input);
    const torch::Tensor loss =
        smcl::loss::cross_entropy(logits, own, masked.lambda, {}).mean() +
        smcl::loss::cross_entropy(logits, target, 1.0 - masked.lambda, {}).mean();
    std::cout << "\nloss " << loss.item<float>();
    optimiser.zero_grad();
    loss.backward();
    optimiser.step();
  }
  std::cout << '\n';
  return 0;
} catch (const smcl::Error& error) {
  std::cerr << "mask_images: " << error.what() << '\n';
  return static_cast<int>(error.code());
}
