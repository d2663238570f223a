#include "core/error.h"

namespace smcl {

std::string one_line(std::string text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    // U+0080 to U+009F, which terminals take as commands too, are C2 80 to C2 9F.
    const bool wide = byte(i) == 0xC2 && i + 1 < text.size() && (byte(i + 1) & 0xE0U) == 0x80U;
    if (wide) text[i + 1] = '?';
    if (wide || byte(i) < 0x20 || byte(i) == 0x7f) text[i] = '?';
  }
  return text;
}

}  // namespace smcl
