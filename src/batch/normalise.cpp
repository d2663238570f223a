#include "batch/normalise.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace smcl::batch {
namespace {

template <class Value>
void write_values(const std::array<std::array<Value, 256>, 3>& table, const std::uint8_t* bytes,
                  std::size_t pixels, Value* out) {
  for (std::size_t p = 0; p < pixels; ++p) {
    out[0] = table[0][bytes[0]];
    out[1] = table[1][bytes[1]];
    out[2] = table[2][bytes[2]];
    bytes += 3;
    out += 3;
  }
}

}  // namespace

std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

Normaliser::Normaliser(const data::Normalisation& norm, Precision precision)
    : precision_(precision) {
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(norm.std[c] > 0.0) || !std::isfinite(norm.std[c]) || !std::isfinite(norm.mean[c])) {
      throw UsageError(concat("normalisation of channel ", c, ": mean ", norm.mean[c], ", std ",
                              norm.std[c], "; expected finite numbers and std above 0"));
    }
    for (std::size_t v = 0; v < 256; ++v) {
      fp32_[c][v] =
          static_cast<float>((static_cast<double>(v) / 255.0 - norm.mean[c]) / norm.std[c]);
      bf16_[c][v] = to_bf16(fp32_[c][v]);
    }
  }
}

void Normaliser::write(const std::uint8_t* bytes, std::size_t pixels, std::byte* out) const {
  if (precision_ == Precision::fp32) {
    write_values(fp32_, bytes, pixels, reinterpret_cast<float*>(out));
  } else {
    write_values(bf16_, bytes, pixels, reinterpret_cast<std::uint16_t*>(out));
  }
}

void Normaliser::blend(const std::uint8_t* bytes, const std::uint8_t* others, std::size_t pixels,
                       float keep, std::byte* out) const {
  const float rest = 1.0F - keep;
  const auto values = [&](auto* to, auto rounded) {
    for (std::size_t p = 0; p < pixels; ++p) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t i = 3 * p + c;
        to[i] = rounded(keep * fp32_[c][bytes[i]] + rest * fp32_[c][others[i]]);
      }
    }
  };
  if (precision_ == Precision::fp32) {
    values(reinterpret_cast<float*>(out), [](float value) { return value; });
  } else {
    values(reinterpret_cast<std::uint16_t*>(out), to_bf16);
  }
}

void Normaliser::zero(const Box& box, int width, std::byte* out) const {
  const std::size_t pixel_bytes = 3 * value_bytes();
  for (int y = box.y0; y < box.y1; ++y) {
    const std::size_t first = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                              static_cast<std::size_t>(box.x0);
    std::memset(out + first * pixel_bytes, 0, static_cast<std::size_t>(box.width()) * pixel_bytes);
  }
}

void evaluation_pixels(const data::Dataset& dataset, const std::vector<std::uint32_t>& samples,
                       std::size_t first, std::size_t count, const data::Normalisation& norm,
                       Precision precision, std::byte* out) {
  if (first > samples.size() || count > samples.size() - first) {
    throw InternalError(concat("evaluation images ", first, " to ", first + count, " of ",
                               samples.size(), " were asked for"));
  }
  const Normaliser normaliser(norm, precision);
  std::vector<std::uint8_t> scratch;
  if (count == 0) return;
  const ImageView one = dataset.image(samples.front(), 0, scratch);  // callers have its size
  const std::pair size(one.height, one.width);
  for (std::size_t i = first; i < first + count; ++i) {
    const ImageView image = dataset.image(samples[i], 0, scratch);
    if (image.channels != 3) {
      throw DataError(
          concat("image ", samples[i], " has ", image.channels, " channels; expected RGB"));
    }
    if (std::pair(image.height, image.width) != size) {
      throw DataError(concat("image ", samples[i], " has ", image.height, "x", image.width,
                             " pixels, but image ", samples.front(), " has ", size.first, "x",
                             size.second, "; expected images of one size"));
    }
    const auto width = static_cast<std::size_t>(image.width);
    for (int y = 0; y < image.height; ++y) {
      normaliser.write(image.row(y), width, out);
      out += width * 3 * normaliser.value_bytes();
    }
  }
}

}  // namespace smcl::batch
