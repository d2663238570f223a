#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

/// Values as TOML text and back: what the parts of core/config share.
namespace smcl::config {

/// A TOML basic string with its quotes; control characters are escaped.
std::string quote(std::string_view text);
/// The shortest text that reads back to the same bits: "0.5", "1", "1e-05".
std::string shortest(double value);
/// The same with '.' or 'e' in any case, so that it stays a float in TOML: "1.0".
std::string to_text(double value);
std::string to_text(const Scalar& value);
std::string to_text(const Value& value);
std::string to_text(const Moment& value);
/// name, or name(a,b): without quotes.
std::string to_text(const Call& value);
/// "range(lo, hi = 0.5)" for messages.
std::string to_text(const Signature& signature);

/// Reads "name" or "name(1, b=2)" against the allowed signatures and fills in what is left out.
/// Throws UsageError with a text that does not name the key: the caller puts that in front.
Call parse_call(std::string_view text, const std::vector<Signature>& allowed);
/// Fills in missing arguments and checks ranges. `call.name` must be allowed. Throws as above.
Call complete(Call call, const std::vector<Signature>& allowed);

/// "expected a number in [0, 1]", or "... of at least 0" where the range is open on one side: its
/// other bound is infinite or the largest double. `what` is "a number", `text` prints a bound.
std::string expectation(std::string_view what, Range range, std::string (*text)(double));

/// Nothing for a list.
std::optional<Scalar> as_scalar(const Value& value);

inline constexpr std::size_t kMaxLine = 8192;  ///< bytes of a line of a recipe
/// The TOML text of a value for a file: a long list with a line an element, since check_toml_text
/// refuses long lines.
std::string in_lines(const std::string& value);
/// Throws UsageError where a text is larger, or has longer lines or more dots in one, than a TOML
/// file by a person has: toml++ recurses over them.
void check_toml_text(std::string_view text, const std::string& origin);

/// "a, b, c".
std::string join(const std::vector<std::string>& words);
/// "; did you mean 'x'?" or nothing.
std::string hint(std::string_view word, const std::vector<std::string>& words);

}  // namespace smcl::config
