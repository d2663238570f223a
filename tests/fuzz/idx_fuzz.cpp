#include "data/idx.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using smcl::data::IdxArray;
  namespace fuzz = smcl::fuzz;
  fuzz::takes([&] {
    const IdxArray array = smcl::data::parse_idx({data, size}, "file");
    std::size_t count = 1;
    for (const std::uint32_t dim : array.dims) count *= dim;
    fuzz::require(count == array.values.size(), "as many values as the dimensions say");
    // The same bytes as labels, so that some of them are too large.
    const std::size_t images = std::min<std::size_t>(array.dims[0], array.values.size());
    const IdxArray labels{
        {array.dims[0]},
        {array.values.begin(), array.values.begin() + static_cast<std::ptrdiff_t>(images)}};
    const auto set = smcl::data::grey_set(array, labels, 128, "file");
    std::vector<std::uint8_t> scratch;
    for (std::size_t i = 0; i < set.size(); ++i) {
      const auto view = set.image(i, 0, scratch);
      fuzz::require(view.height == 32 && view.width == 32, "images are 32 x 32");
      fuzz::touch(std::as_bytes(std::span(view.row(0), 3072)));
      fuzz::require(set.label(i) >= 0 && set.label(i) < 128, "labels are classes");
    }
  });
  return 0;
}
