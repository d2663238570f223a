#include "fuzz/fuzz.h"
#include "fuzz/safetensors.h"
#include "record/predictions.h"

// No mutation keeps a checksum: the tensors of the input are packed anew, as predictions.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using smcl::format::SafetensorsFile;
  namespace fuzz = smcl::fuzz;
  fuzz::takes([&] {
    const auto file = SafetensorsFile::parse(fuzz::as_bytes(data, size), "file");
    std::map<std::string, std::string> metadata = file.metadata();
    metadata.emplace("content", "predictions");
    const auto again =
        SafetensorsFile::parse(fuzz::packed(fuzz::views_of(file), metadata), "again");
    const smcl::record::Predictions read = smcl::record::predictions_of(again);
    const std::size_t images = read.labels.size();
    fuzz::require(read.logits.size() == images * static_cast<std::size_t>(read.classes),
                  "one row of logits an image");
    for (const std::int32_t label : read.labels) {
      fuzz::require(label >= 0 && label < read.classes, "labels are classes");
    }
    for (const auto& [name, values] : read.extra) {
      fuzz::require(values.size() == images, "one extra value an image");
    }
  });
  return 0;
}
