#pragma once

#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "format/safetensors.h"
#include "plan/treatment.h"

/// tests/fixtures/augment (tests/python/augment_reference.py): what Pillow and torchvision make.
namespace smcl::batch::testing {

inline format::SafetensorsFile reference() {
  return format::SafetensorsFile::read(SMCL_SOURCE_DIR
                                       "/tests/fixtures/augment/images.safetensors");
}

inline std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t end = text.find(by); end != std::string::npos; end = text.find(by, begin)) {
    out.push_back(text.substr(begin, end - begin));
    begin = end + by.size();
  }
  out.push_back(text.substr(begin));
  return out;
}

struct Bytes {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
  ImageView view() const { return {pixels.data(), height, width, 3, std::ptrdiff_t{3} * width}; }
};

inline Bytes bytes_of(const format::SafetensorsFile& file, const std::string& name) {
  const auto& entry = file.at(name);
  Bytes out{static_cast<int>(entry.shape.at(0)), static_cast<int>(entry.shape.at(1)), {}};
  const auto bytes = file.bytes(entry);
  out.pixels.resize(bytes.size());
  std::memcpy(out.pixels.data(), bytes.data(), bytes.size());
  return out;
}

inline plan::PolicyOp policy_op(const std::string& name) {
  using enum plan::PolicyOp;
  static const std::map<std::string, plan::PolicyOp> names{
      {"ShearX", shear_x},         {"ShearY", shear_y},    {"TranslateX", translate_x},
      {"TranslateY", translate_y}, {"Rotate", rotate},     {"Brightness", brightness},
      {"Color", colour},           {"Contrast", contrast}, {"Sharpness", sharpness},
      {"Posterize", posterize},    {"Solarize", solarize}, {"AutoContrast", autocontrast},
      {"Equalize", equalize},      {"Invert", invert}};
  return names.at(name);
}

inline void add_policy(const plan::PolicyDraw& draw, plan::StrongDraw& out) {
  out.policy[out.policy_count++] = draw;
}

/// Adds one operation of a case to the end of `out`.
inline void add_case(const std::string& text, int height, int width, plan::Treatment& out) {
  std::istringstream in(text);
  std::string name;
  in >> name;
  plan::StrongDraw draw;
  if (name == "crop") {
    int top = 0, left = 0, h = 0, w = 0;
    in >> top >> left >> h >> w;
    out.resized = true;
    out.part = {top, left, top + h, left + w};
    return;
  }
  if (name == "flip") {
    out.crop.flip = true;
    return;
  }
  const std::vector<std::string> jitters{"brightness", "contrast", "saturation", "hue"};
  const auto jitter = std::find(jitters.begin(), jitters.end(), name);
  if (jitter != jitters.end()) {
    draw.jitter_count = 1;
    draw.jitters[0] = static_cast<plan::Jitter>(jitter - jitters.begin());
    in >> draw.jitter[0];
  } else if (name == "grey") {
    draw.grey = true;
  } else if (name == "blur") {
    in >> draw.sigma;
  } else if (name == "sub") {
    std::size_t index = 0;
    std::string signs;
    in >> index >> signs;
    for (std::size_t i = 0; i < 2; ++i) {
      const plan::PolicyStep& step = plan::cifar10_policy().at(index).at(i);
      add_policy({step.op, step.level, plan::kAutoLevels, signs.at(i) == '-'}, draw);
    }
  } else {
    int level = 0, levels = 0;
    std::string sign;
    in >> level >> levels >> sign;
    add_policy({policy_op(name), static_cast<std::uint8_t>(level),
                static_cast<std::uint8_t>(levels), sign == "-"},
               draw);
  }
  const plan::Treatment one = plan::resolve({}, &draw, 0, height, width);
  for (int i = 0; i < one.op_count; ++i) {
    out.ops.at(static_cast<std::size_t>(out.op_count++)) = one.ops[static_cast<std::size_t>(i)];
  }
}

/// The treatment "OP; OP...".
inline plan::Treatment treatment_of(const std::string& cases, int height, int width) {
  plan::Treatment out;
  for (const std::string& one : split(cases, "; ")) add_case(one, height, width, out);
  return out;
}

}  // namespace smcl::batch::testing
