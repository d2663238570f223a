#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Pieces of text for pages and tables.
namespace smcl::report {

/// For HTML and SVG, between tags and in quoted attributes: & < > " ' become entities, control
/// characters and bytes that are no UTF-8 become U+FFFD. A name out of a file can so neither end an
/// element nor start a script.
std::string escaped(std::string_view text);

/// For a terminal: control characters become '?'.
std::string printable(std::string_view text);
/// At most `letters` of it, the last "..." where it was longer; whole characters of UTF-8.
std::string shortened(std::string_view text, std::size_t letters);

/// With `digits` after the point, never "-0.0"; "-" for a value that is not finite.
std::string fixed(double value, int digits);
/// The same with a sign, "+0.4" or "-1.2".
std::string signed_fixed(double value, int digits);
/// "p = 0.034", or "p < 0.001".
std::string p_text(double p);

/// RFC 4648, with padding.
std::string base64(std::span<const std::uint8_t> bytes);

/// A Markdown cell: | and markup characters get a backslash, control characters become blanks.
std::string markdown_escaped(std::string_view text);
/// A LaTeX cell: its special characters as commands.
std::string latex_escaped(std::string_view text);

}  // namespace smcl::report
