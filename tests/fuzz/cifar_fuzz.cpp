#include "data/cifar.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using smcl::data::CifarKind;
  namespace fuzz = smcl::fuzz;
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    const auto& layout = smcl::data::cifar_layout(kind);
    // A mutation hardly ever leaves a whole number of records: the rest is cut off as well.
    for (const std::size_t bytes : {size, size - size % layout.record_bytes()}) {
      fuzz::takes([&] {
        const auto records = smcl::data::parse_cifar({data, bytes}, kind, "file");
        fuzz::require(records.labels.size() == bytes / layout.record_bytes() &&
                          records.pixels.size() == records.labels.size() * 3072,
                      "every record is read");
        for (const std::int32_t label : records.labels) {
          fuzz::require(label >= 0 && label < layout.classes, "labels are classes");
        }
      });
    }
    fuzz::takes([&] {
      const auto names = smcl::data::parse_cifar_names(fuzz::as_text(data, size), kind, "names");
      fuzz::require(names.size() == static_cast<std::size_t>(layout.classes), "one name a class");
    });
  }
  return 0;
}
