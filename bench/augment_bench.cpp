#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "batch/augmenter.h"
#include "bench.h"
#include "core/error.h"
#include "core/random.h"
#include "peer_process.h"
#include "plan/strong.h"

/// Augmentations beside torchvision on Pillow's images (bench/peers/augment_peer.py), one thread
/// each, in turns: every operation, the two policies, jitter and the stretched crop, from an
/// image's bytes to the augmented ones, with our draws and copies in our time. Images: smooth
/// random colours with noise, of 32 and 224 pixels a side. Without Python, torchvision or Pillow
/// the peer's column is missing.
namespace {

using namespace smcl;

constexpr int kImages = 64;
constexpr int kRounds = 15;

std::vector<std::vector<std::uint8_t>> test_images(int size) {
  std::vector<std::vector<std::uint8_t>> images;
  for (std::uint64_t i = 0; i < kImages; ++i) {
    RandomStream random(1, Purpose::test, 0, i);
    std::array<double, 12> wave{};
    for (double& w : wave) w = random.unit();
    std::vector<std::uint8_t>& image = images.emplace_back();
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        for (std::size_t c = 0; c < 3; ++c) {
          const double down = static_cast<double>(y) / size - wave[4 * c];
          const double right = static_cast<double>(x) / size - wave[4 * c + 1];
          const double light = 230.0 / (1.0 + 8.0 * (down * down + right * right));
          image.push_back(static_cast<std::uint8_t>(light + 24.0 * random.unit()));
        }
      }
    }
  }
  return images;
}

/// What is done to image `number`.
using Draw = std::function<plan::StrongDraw(std::uint64_t number)>;

Draw always(plan::PolicyOp op, int level) {
  plan::StrongDraw draw;
  draw.policy_count = 1;
  draw.policy[0] = {op, static_cast<std::uint8_t>(level), plan::kRandLevels, false};
  return [draw](std::uint64_t) { return draw; };
}

Draw by(const plan::AugmentSettings& settings) {
  return [settings](std::uint64_t number) { return plan::draw_strong(settings, 1, 0, 0, number); };
}

std::map<std::string, Draw> operations() {
  using enum plan::PolicyOp;
  std::map<std::string, Draw> all{
      {"rotate", always(rotate, 20)},         {"shear", always(shear_x, 20)},
      {"translate", always(translate_x, 15)}, {"brightness", always(brightness, 17)},
      {"contrast", always(contrast, 17)},     {"saturation", always(colour, 17)},
      {"sharpness", always(sharpness, 17)},   {"posterize", always(posterize, 22)},
      {"solarize", always(solarize, 15)},     {"autocontrast", always(autocontrast, 0)},
      {"equalize", always(equalize, 0)},      {"invert", always(invert, 0)}};
  plan::StrongDraw draw;
  draw.jitter_count = 1;
  draw.jitters[0] = plan::Jitter::hue;
  draw.jitter[0] = 0.1F;
  all["hue"] = [draw](std::uint64_t) { return draw; };
  draw = {};
  draw.grey = true;
  all["grey"] = [draw](std::uint64_t) { return draw; };
  draw = {};
  draw.sigma = 1.2F;
  all["blur"] = [draw](std::uint64_t) { return draw; };
  plan::AugmentSettings settings;
  settings.resized_crop = {"range", {0.2, 1.0}};
  all["resized_crop"] = by(settings);
  settings = {};
  settings.colour = 0.8;
  all["jitter"] = by(settings);
  settings = {};
  settings.policy = plan::Policy::autoaugment;
  all["autoaugment"] = by(settings);
  settings.policy = plan::Policy::randaugment;
  all["randaugment"] = by(settings);
  return all;
}

void print_row(const std::string& bench, double ours, double theirs) {
  std::printf(
      "{\"bench\":\"augment/%s\",\"peer\":\"torchvision on Pillow\",\"unit\":\"img/s\","
      "\"ours\":%.0f,",
      bench.c_str(), 1.0 / ours);
  if (theirs > 0.0) {
    std::printf("\"theirs\":%.0f,\"ratio\":%.2f,", 1.0 / theirs, theirs / ours);
  } else {
    std::printf("\"theirs\":null,\"ratio\":null,");
  }
  std::printf("\"threads\":1,\"cpu\":\"%s\"}\n", cpu_model().c_str());
  std::fflush(stdout);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0.0 : values[values.size() / 2];
}

void compare(int size, const std::vector<std::string>& wanted, bool& warned) {
  const auto images = test_images(size);
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / concat("smcl-augment-", getpid(), ".bin");
  {
    std::ofstream out(file, std::ios::binary);
    const std::array<std::int32_t, 2> head{kImages, size};
    out.write(reinterpret_cast<const char*>(head.data()), sizeof head);
    for (const auto& image : images) {
      out.write(reinterpret_cast<const char*>(image.data()),
                static_cast<std::streamsize>(image.size()));
    }
  }
  bench::PeerProcess peer(
      {"/usr/bin/python3", SMCL_SOURCE_DIR "/bench/peers/augment_peer.py", file.string()});
  batch::Augmenter augmenter(size, size, 0);
  std::vector<std::uint8_t> out;
  for (const auto& [name, draw] : operations()) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    std::uint64_t next = 0;
    const bench::Side side{[&] {
      const plan::StrongDraw strong = draw(next);
      const auto& image = images[next++ % images.size()];
      augmenter.make({image.data(), size, size, 3, std::ptrdiff_t{3} * size},
                     plan::resolve({}, &strong, 0, size, size), out);
    }};
    const int calls = bench::calls_for(side, 0.02);
    std::vector<double> ours;
    std::vector<double> theirs;
    int their_calls = 20;
    for (int round = 0; round < kRounds; ++round) {
      ours.push_back(bench::seconds_a_call(side.work, calls));
      const std::string answer = peer.ask(concat(name, ' ', their_calls));
      if (answer.empty()) continue;
      theirs.push_back(std::atof(answer.c_str()));
      their_calls = std::max(20, static_cast<int>(0.02 / std::max(theirs.back(), 1e-7)));
    }
    if (theirs.empty() && !warned) {
      std::fprintf(stderr, "bench_augment: no peer; bench/peers/install fetches its packages\n");
      warned = true;
    }
    print_row(concat(name, '/', size), median(ours), median(theirs));
  }
  std::filesystem::remove(file);
}

}  // namespace

/// Arguments: operations to measure; all without any.
int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that could not start
  bool warned = false;
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  compare(32, wanted, warned);
  compare(224, wanted, warned);
  return 0;
}
