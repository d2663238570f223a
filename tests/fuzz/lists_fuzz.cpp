#include <set>

#include "data/lists.h"
#include "fuzz/fuzz.h"

// The first byte is the number of classes, and of images; the rest is the list.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = smcl::fuzz;
  if (size == 0) return 0;
  const std::size_t number = data[0];
  const std::string_view text = fuzz::as_text(data + 1, size - 1);
  fuzz::takes([&] {
    const auto counts = smcl::data::parse_counts(text, static_cast<int>(number), "counts");
    fuzz::require(counts.size() == number, "one count a class");
    for (const int count : counts) fuzz::require(count >= 0, "counts are not negative");
  });
  for (const std::size_t images : {number, SIZE_MAX}) {
    fuzz::takes([&] {
      const auto indices = smcl::data::parse_indices(text, images, "indices");
      const std::set<std::uint32_t> distinct(indices.begin(), indices.end());
      fuzz::require(
          !indices.empty() && distinct.size() == indices.size() && *distinct.rbegin() < images,
          "positions of images, none twice");
    });
  }
  return 0;
}
