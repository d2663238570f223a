#include <opencv2/imgproc.hpp>
#include <opencv2/saliency.hpp>

#include "bench.h"
#include "core/random.h"
#include "saliency/detector.h"

/// The saliency detectors against OpenCV's, one thread, from colour bytes to the map; ours adds
/// the peak as training uses it. Test images: smooth random colours with noise.
namespace {

using namespace smcl;

cv::Mat test_image(int height, int width, std::uint64_t index) {
  RandomStream random(1, Purpose::test, 0, index);
  cv::Mat coarse(5, 5, CV_8UC3);
  for (int i = 0; i < 75; ++i) coarse.data[i] = static_cast<std::uint8_t>(random.below(256));
  cv::Mat image;
  cv::resize(coarse, image, {width, height}, 0, 0, cv::INTER_CUBIC);
  for (int i = 0; i < height * width * 3; ++i) {
    image.data[i] = static_cast<std::uint8_t>(image.data[i] / 2 + random.below(64));
  }
  return image;
}

/// `vary`: sizes of height - 4 to height, as the visible parts of crops have.
std::vector<cv::Mat> test_images(int size, bool vary) {
  std::vector<cv::Mat> images;
  for (std::uint64_t i = 0; i < 64; ++i) {
    RandomStream random(2, Purpose::test, 0, i);
    const int cut_y = vary ? static_cast<int>(random.below(5)) : 0;
    const int cut_x = vary ? static_cast<int>(random.below(5)) : 0;
    images.push_back(test_image(size - cut_y, size - cut_x, i));
  }
  return images;
}

void compare(const std::string& detector, int size, bool vary) {
  const std::vector<cv::Mat> images = test_images(size, vary);
  const auto ours = saliency::make_detector(detector);
  const auto workspace = ours->workspace();
  std::vector<std::uint8_t> map(static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  volatile int seen = 0;
  std::size_t next = 0;
  const auto our_work = [&] {
    const cv::Mat& m = images[next++ % images.size()];
    const auto stride = static_cast<std::ptrdiff_t>(m.step[0]);
    ours->map(ImageView{m.data, m.rows, m.cols, 3, stride}, {}, *workspace, map.data());
    const Point peak = saliency::peak(map.data(), m.rows, m.cols);
    seen = peak.x;
  };
  const auto peer = cv::saliency::StaticSaliencyFineGrained::create();
  cv::Mat peer_map;
  std::size_t peer_next = 0;
  const auto peer_work = [&] {
    peer->computeSaliency(images[peer_next++ % images.size()], peer_map);
  };
  const bench::Times times = bench::alternate({our_work, 1}, {peer_work, 1});
  bench::print("saliency/" + detector + "/" + std::to_string(size) + (vary ? "-varying" : ""),
               "OpenCV StaticSaliencyFineGrained", times, 1, std::string(name(best_isa())));
}

}  // namespace

int main() {
  cv::setNumThreads(1);
  compare("fine_grained", 32, false);
  compare("fine_grained", 32, true);
  compare("fine_grained", 224, false);
  compare("joint", 32, false);
  compare("joint", 224, false);
  return 0;
}
