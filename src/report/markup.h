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

/// For a terminal: control characters become '?' (one_line of core/error.h).
std::string printable(std::string_view text);
/// At most `letters` of it, the last "..." where it was longer; whole characters of UTF-8.
std::string shortened(std::string_view text, std::size_t letters);

/// With `digits` after the point, never "-0.0"; "-" for a value that is not finite.
std::string fixed(double value, int digits);
/// The same with a sign, "+0.4" or "-1.2"; "0.0" for what rounds to zero.
std::string signed_fixed(double value, int digits);
/// "-0.3 to -0.05", ends with a sign and with the least digits after the point, one to four, that
/// do not round an end to zero: which side of zero it lies on is what an interval is read for.
std::string interval_text(double low, double high);
/// "0.034" or "< 0.001": as many digits, from three on, as keep it on its side of 0.05.
std::string p_number(double p);
/// "p = 0.034" or "p < 0.001".
std::string p_text(double p);

/// RFC 4648, with padding.
std::string base64(std::span<const std::uint8_t> bytes);

/// A Markdown cell: | and markup characters get a backslash, control characters become blanks.
std::string markdown_escaped(std::string_view text);
/// A LaTeX cell: its special characters as commands.
std::string latex_escaped(std::string_view text);

}  // namespace smcl::report
