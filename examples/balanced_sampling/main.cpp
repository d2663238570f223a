// Draws training images of one's own long-tailed data so that rare classes come up more often:
// class probabilities by effective numbers (Cui et al. 2019), then an image of the class drawn.
#include <smcl/core/error.h>
#include <smcl/core/random.h>
#include <smcl/sampling/class_distribution.h>

#include <cstdio>
#include <vector>

using smcl::Purpose;
using smcl::RandomStream;
namespace sampling = smcl::sampling;

int main() try {
  // Your labels, one an image; here 1000 of class 0, 100 of class 1, 10 of class 2.
  const std::vector<int> counts{1000, 100, 10};
  std::vector<std::vector<int>> images_of(counts.size());
  int image = 0;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    for (int i = 0; i < counts[label]; ++i) images_of[label].push_back(image++);
  }

  // The weight of a class is 1 / E_k, E_k = (1 - b^n_k) / (1 - b).
  const std::vector<double> probabilities = sampling::class_probabilities(
      counts, sampling::Kind::effective, sampling::Unit::class_, 0.999);
  const sampling::AliasTable table(probabilities);

  // Any draw can be made again: it depends on seed, purpose, epoch and position alone.
  constexpr int draws = 100000;
  std::vector<int> drawn(counts.size());
  int last = 0;
  for (int i = 0; i < draws; ++i) {
    RandomStream random(/*seed=*/1, Purpose::target_class, /*epoch=*/0, static_cast<unsigned>(i));
    const std::uint32_t place = random.next();
    const std::uint32_t label = table.draw(place, random.next());
    const std::vector<int>& images = images_of[label];
    last = images[random.below(static_cast<std::uint32_t>(images.size()))];
    ++drawn[label];
  }

  std::printf("class  images  probability  share drawn\n");
  for (std::size_t label = 0; label < counts.size(); ++label) {
    std::printf("%5zu  %6d  %11.4f  %11.4f\n", label, counts[label], probabilities[label],
                static_cast<double>(drawn[label]) / draws);
  }
  std::printf("last image drawn: %d\n", last);
  return 0;
} catch (const smcl::Error& error) {
  std::fprintf(stderr, "balanced_sampling: %s\n", error.what());
  return static_cast<int>(error.code());
}
