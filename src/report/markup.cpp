#include "report/markup.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace smcl::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Text with U+FFFD for what is no UTF-8, by the library's own decoder.
std::string valid_utf8(std::string_view text) {
  const std::string quoted = nlohmann::json(std::string(text))
                                 .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (is_control(c) && c != '\n' && c != '\t') {
          result += kReplacement;
        } else {
          result += c;
        }
    }
  }
  return result;
}

std::string printable(std::string_view text) {
  return one_line(std::string(text));
}

std::string shortened(std::string_view text, std::size_t letters) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  const auto count = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
  if (count <= letters || letters < 3) return std::string(text);
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < text.size() && (!begins(text[end]) || kept + 3 < letters)) {
    if (begins(text[end])) ++kept;
    ++end;
  }
  return std::string(text.substr(0, end)) + "...";
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.*f", std::clamp(digits, 0, 20), value);
  const std::string result = text.data();
  const bool negative_zero =
      result.front() == '-' && result.find_first_not_of("-0.") == std::string::npos;
  return negative_zero ? result.substr(1) : result;
}

std::string signed_fixed(double value, int digits) {
  const std::string text = fixed(value, digits);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return text.front() == '-' || zero ? text : "+" + text;
}

std::string interval_text(double low, double high) {
  const auto text = [](double end) {
    int digits = 1;
    while (digits < 4 && end != 0.0 && std::abs(end) < 0.5 * std::pow(10.0, -digits)) ++digits;
    return signed_fixed(end, digits);
  };
  return concat(text(low), " to ", text(high));
}

std::string p_number(double p) {
  if (p < 0.001) return "< 0.001";
  constexpr double level = 0.05;
  int digits = 3;
  while (digits < 6 && (p <= level) != (std::stod(fixed(p, digits)) <= level)) ++digits;
  return fixed(p, digits);
}

std::string p_text(double p) {
  return (p < 0.001 ? "p " : "p = ") + p_number(p);
}

std::string base64(std::span<const std::uint8_t> bytes) {
  // EVP_EncodeBlock takes an int; pieces of a multiple of 3 bytes follow each other without
  // padding.
  constexpr std::size_t kPiece = 3U << 20U;
  std::string result((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a final zero
  std::size_t end = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    end += static_cast<std::size_t>(
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data() + end), piece.data(),
                        static_cast<int>(piece.size())));
  }
  result.resize(end);
  return result;
}

std::string markdown_escaped(std::string_view text) {
  constexpr std::string_view special = "\\`*_{}[]<>#|~$";
  std::string result;
  for (const char c : valid_utf8(text)) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += is_control(c) ? ' ' : c;
  }
  return result;
}

std::string latex_escaped(std::string_view text) {
  std::string result;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '\\':
        result += "\\textbackslash{}";
        break;
      case '~':
        result += "\\textasciitilde{}";
        break;
      case '^':
        result += "\\textasciicircum{}";
        break;
      case '<':
        result += "\\textless{}";
        break;
      case '>':
        result += "\\textgreater{}";
        break;
      case '"':
        result += "''";  // a straight one needs another font encoding
        break;
      case '#':
      case '$':
      case '%':
      case '&':
      case '_':
      case '{':
      case '}':
        result += '\\';
        result += c;
        break;
      default:
        result += is_control(c) ? ' ' : c;
    }
  }
  return result;
}

}  // namespace smcl::report
