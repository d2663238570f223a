#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/cpu.h"
#include "core/random.h"
#include "kernels/trunk.h"
#include "kernels/trunk_passes.h"

/// The convolutional trunk of ResNet-32 by itself at batch 128, in every kind of kernels that this
/// CPU has: forward and backward, and evaluation, with 1 thread and with all. GFLOP/s count the
/// multiplications and additions of the convolutions only, as nine taps need them: fp32 products
/// get by with fewer. The rows `products` are the inner product loop alone, on values in the first
/// cache: the floor. Arguments: batch size, default 128; a text that the names of the kernels to
/// measure contain, such as tiles; factor of the width, default 1.
namespace {

using namespace smcl;
using namespace smcl::kernels;
using Clock = std::chrono::steady_clock;

/// Threads that wait for work, spinning: nothing else runs here.
class Pool {
 public:
  explicit Pool(std::size_t threads) : count_(threads) {
    for (std::size_t t = 1; t < threads; ++t) {
      threads_.emplace_back([this, t] { serve(t); });
    }
  }
  ~Pool() {
    stop_ = true;
    ++round_;
    for (std::thread& thread : threads_) thread.join();
  }
  void operator()(std::size_t blocks,
                  const std::function<void(std::size_t begin, std::size_t end)>& work) {
    work_ = &work;
    blocks_ = blocks;
    done_ = 0;
    ++round_;
    part(0);
    while (done_ + 1 < count_) std::this_thread::yield();
  }

 private:
  void part(std::size_t t) {
    const std::size_t begin = blocks_ * t / count_;
    const std::size_t end = blocks_ * (t + 1) / count_;
    if (begin < end) (*work_)(begin, end);
  }
  void serve(std::size_t t) {
    for (std::size_t seen = 0;; ++seen) {
      while (round_ == seen) std::this_thread::yield();
      if (stop_) return;
      part(t);
      ++done_;
    }
  }

  std::size_t count_;
  std::vector<std::thread> threads_;
  const std::function<void(std::size_t, std::size_t)>* work_ = nullptr;
  std::size_t blocks_ = 0;
  std::atomic<std::size_t> round_ = 0, done_ = 0;
  std::atomic<bool> stop_ = false;
};

TrunkShape resnet32(Element element, int width) {
  TrunkShape shape{32, 32, 16 * width, {}, element};
  int in = 16 * width;
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < 5; ++block) {
      const int out = (16 * width) << stage;
      shape.blocks.push_back({in, out, in == out ? 1 : 2});
      in = out;
    }
  }
  return shape;
}

/// Multiplications and additions of an image's forward pass.
double flops(const TrunkShape& shape) {
  double pixels = shape.height * shape.width;
  double sum = 2.0 * 27 * shape.stem * pixels;
  for (const TrunkBlock& block : shape.blocks) {
    pixels /= block.stride * block.stride;
    sum += 18.0 * pixels * block.out * (block.in + block.out);
  }
  return sum;
}

class Network {
 public:
  Network(const TrunkShape& shape, int count) : shape_(shape), count_(count) {
    add(3, shape.stem);
    for (const TrunkBlock& block : shape.blocks) {
      add(block.in, block.out);
      add(block.out, block.out);
    }
    images_ = fill(static_cast<std::size_t>(count * shape.height * shape.width * 3), 1.0);
    features_.resize(static_cast<std::size_t>(count * shape.blocks.back().out), 0.01F);
    gradient_ = features_;
  }

  void step(Trunk& trunk, const Parallel& parallel) {
    const auto tape =
        trunk.forward(images_.data(), count_, layers_, {}, {}, features_.data(), parallel);
    trunk.backward(*tape, gradient_.data(), layers_, gradients_, parallel);
  }
  void infer(Trunk& trunk, const Parallel& parallel) {
    trunk.infer(images_.data(), count_, layers_, {}, features_.data(), parallel);
  }

 private:
  std::vector<std::byte> fill(std::size_t count, double scale) {
    RandomStream random(0, Purpose::test, 0, layers_.size());
    std::vector<std::byte> out(count * (shape_.element == Element::fp32 ? 4 : 2));
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(scale * random.normal());
      const auto bits = __builtin_bit_cast(std::uint32_t, value);
      const auto half = static_cast<std::uint16_t>(bits >> 16);
      if (shape_.element == Element::fp32) {
        std::memcpy(out.data() + 4 * i, &value, 4);
      } else {
        std::memcpy(out.data() + 2 * i, &half, 2);
      }
    }
    return out;
  }
  void add(int in, int out) {
    const auto channels = static_cast<std::size_t>(out);
    const std::size_t weights = 9 * channels * static_cast<std::size_t>(in);
    weights_.push_back(fill(weights, 0.1));
    for (const float value : {1.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F})
      vectors_.emplace_back(channels, value);
    vectors_.emplace_back(weights);
    auto* v = &vectors_[vectors_.size() - 7];
    layers_.push_back({weights_.back().data(), v[0].data(), v[1].data(), v[2].data(), v[3].data()});
    gradients_.push_back({v[6].data(), v[4].data(), v[5].data()});
  }

  TrunkShape shape_;
  int count_;
  std::vector<std::vector<std::byte>> weights_;
  std::vector<std::vector<float>> vectors_;
  std::vector<TrunkLayer> layers_;
  std::vector<TrunkGradient> gradients_;
  std::vector<std::byte> images_;
  std::vector<float> features_, gradient_;
};

template <class Work>
double median_seconds(Work work) {
  work();
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    const auto start = Clock::now();
    work();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void row(const std::string& what, const TrunkKernels& kernels, int count, int threads, double flop,
         double seconds) {
  std::printf(
      "{\"bench\":\"trunk/%s\",\"kernels\":\"%s\",\"unit\":\"img/s\",\"ours\":%.0f,"
      "\"gflops\":%.0f,\"threads\":%d,\"cpu\":\"%s\"}\n",
      what.c_str(), name(kernels).c_str(), count / seconds, flop * count / seconds / 1e9, threads,
      cpu_model().c_str());
  std::fflush(stdout);
}

struct Wish {
  int count = 128;
  std::string kernels;  ///< part of their name
  int width = 1;
};

void measure(Element element, const TrunkKernels& kernels, const Wish& wish, int threads) {
  if (name(kernels).find(wish.kernels) == std::string::npos) return;
  const int count = wish.count;
  const TrunkShape shape = resnet32(element, wish.width);
  Trunk trunk(shape, kernels, threads);
  Network network(shape, count);
  Pool pool(static_cast<std::size_t>(threads));
  const Parallel parallel = [&](std::size_t blocks, const auto& work) { pool(blocks, work); };
  const std::string type = element == Element::fp32 ? "fp32" : "bf16";
  row("training/" + type, kernels, count, threads, 3.0 * flops(shape),
      median_seconds([&] { network.step(trunk, parallel); }));
  row("evaluation/" + type, kernels, count, threads, flops(shape),
      median_seconds([&] { network.infer(trunk, parallel); }));
}

/// The products of WeightTask over one short row of pixels, again and again.
void measure_products(const TrunkPasses& passes, const TrunkKernels& kernels, const Wish& wish) {
  if (name(kernels).find(wish.kernels) == std::string::npos) return;
  constexpr int kCells = 48;
  constexpr int kChannels = 32;
  constexpr int kSteps = 64;
  constexpr int kRows = 4096;
  std::vector<float> x(kCells * kSteps);
  std::vector<float> dy(kChannels * kSteps);
  std::vector<float> dw(3 * kCells * kChannels);
  WeightTask task;
  task.x = x.data();
  task.x_step = kCells;
  task.run_cells = kCells;
  task.dy = dy.data();
  task.rows = kRows;
  task.steps = kSteps;
  task.channels = kChannels;
  task.dw = dw.data();
  const double flop =
      3.0 * 2.0 * kCells * kChannels * kSteps * kRows * cell_channels(kernels.arithmetic);
  const double seconds = median_seconds([&] { passes.weights(task); });
  std::printf(
      "{\"bench\":\"trunk/products\",\"kernels\":\"%s\",\"unit\":\"GFLOP/s\",\"ours\":%.0f,"
      "\"threads\":1,\"cpu\":\"%s\"}\n",
      name(kernels).c_str(), flop / seconds / 1e9, cpu_model().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Wish wish;
  if (argc > 1) wish.count = std::atoi(argv[1]);
  if (argc > 2) wish.kernels = argv[2];
  if (argc > 3) wish.width = std::atoi(argv[3]);
  const int all = usable_cpus();
  for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    if (!cpu_supports(isa)) continue;
    if (isa == Isa::avx512_bf16) {
      measure_products(trunk_passes_avx512bf16(), {isa, Arithmetic::bf16_pairs}, wish);
    } else {
      const bool avx2 = isa == Isa::avx2;
      measure_products(avx2 ? trunk_passes_avx2(Element::fp32) : trunk_passes_avx512(Element::fp32),
                       {isa, Arithmetic::fp32}, wish);
    }
    for (const int threads : {1, all}) {
      if (isa != Isa::avx512_bf16) {
        for (const Element element : {Element::fp32, Element::bf16}) {
          measure(element, {isa, Arithmetic::fp32}, wish, threads);
        }
        continue;
      }
      measure(Element::bf16, {isa, Arithmetic::bf16_pairs}, wish, threads);
      if (may_use_tiles()) measure(Element::bf16, {isa, Arithmetic::bf16_tiles}, wish, threads);
    }
  }
  return 0;
}
