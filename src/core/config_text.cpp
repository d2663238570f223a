#include "core/config_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace smcl::config {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

// toml++ recurses over tables: this many a dotted key, and TOML_MAX_NESTED_VALUES times as many by
// keys in inline tables in arrays, whose lines may each have a key of their own.
constexpr std::ptrdiff_t kMaxDots = 256;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

const Signature& signature_of(const std::string& name, const std::vector<Signature>& allowed) {
  std::vector<std::string> names;
  std::vector<std::string> forms;
  for (const Signature& signature : allowed) {
    if (signature.name == name) return signature;
    names.push_back(signature.name);
    forms.push_back(to_text(signature));
  }
  throw UsageError(concat("expected one of ", join(forms), hint(name, names)));
}

double parse_number(std::string_view text, const Signature& signature) {
  double value = 0.0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(value)) {
    throw UsageError(concat("'", text, "' is no number; expected ", to_text(signature)));
  }
  return value;
}

std::size_t argument_index(std::string_view name, const Signature& signature) {
  for (std::size_t i = 0; i < signature.arguments.size(); ++i) {
    if (signature.arguments[i].name == name) return i;
  }
  throw UsageError(concat("no argument is named '", name, "'; expected ", to_text(signature)));
}

Call fill(const std::string& name, const std::vector<std::optional<double>>& given,
          const Signature& signature) {
  Call call{name, {}};
  for (std::size_t i = 0; i < signature.arguments.size(); ++i) {
    const Signature::Argument& argument = signature.arguments[i];
    const double value = given[i].value_or(argument.fallback);
    if (std::isnan(value)) {
      throw UsageError(
          concat("argument '", argument.name, "' is missing; expected ", to_text(signature)));
    }
    if (!std::isfinite(value) || value < argument.min || value > argument.max) {
      throw UsageError(concat("argument '", argument.name, "' is ", shortest(value), "; ",
                              expectation("a number", {argument.min, argument.max}, shortest)));
    }
    call.args.push_back(value);
  }
  return call;
}

struct Printer {
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return to_text(v); }
  std::string operator()(const std::string& v) const { return quote(v); }
  std::string operator()(const std::vector<Scalar>& list) const {
    std::vector<std::string> parts;
    for (const Scalar& scalar : list) parts.push_back(to_text(scalar));
    return concat("[", join(parts), "]");
  }
};

}  // namespace

std::string shortest(double value) {
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string quote(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string to_text(double value) {
  std::string text = shortest(value);
  if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string to_text(const Scalar& value) {
  return std::visit(Printer{}, value);
}

std::string to_text(const Value& value) {
  return std::visit(Printer{}, value);
}

std::string expectation(std::string_view what, Range range, std::string (*text)(double)) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  const bool low = range.min > -kLargest;
  const bool high = range.max < kLargest;
  if (low && high) {
    return concat("expected ", what, " in [", text(range.min), ", ", text(range.max), "]");
  }
  if (low) return concat("expected ", what, " of at least ", text(range.min));
  if (high) return concat("expected ", what, " of at most ", text(range.max));
  return concat("expected ", what);
}

std::optional<Scalar> as_scalar(const Value& value) {
  return std::visit(
      [](const auto& v) -> std::optional<Scalar> {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<Scalar>>) {
          return std::nullopt;
        } else {
          return Scalar(v);
        }
      },
      value);
}

std::string to_text(const Moment& value) {
  if (value.fraction) return to_text(value.value);
  return std::to_string(static_cast<std::int64_t>(value.value));
}

std::string to_text(const Call& value) {
  if (value.args.empty()) return value.name;
  std::string out = value.name + "(";
  for (std::size_t i = 0; i < value.args.size(); ++i) {
    if (i > 0) out += ',';
    out += shortest(value.args[i]);
  }
  return out + ")";
}

std::string to_text(const Signature& signature) {
  if (signature.arguments.empty()) return signature.name;
  std::vector<std::string> parts;
  for (const Signature::Argument& argument : signature.arguments) {
    parts.push_back(std::isnan(argument.fallback)
                        ? argument.name
                        : argument.name + "=" + shortest(argument.fallback));
  }
  return signature.name + "(" + join(parts) + ")";
}

Call parse_call(std::string_view text, const std::vector<Signature>& allowed) {
  text = trim(text);
  const auto open = text.find('(');
  const std::string name{trim(text.substr(0, open))};
  const Signature& signature = signature_of(name, allowed);
  std::vector<std::optional<double>> given(signature.arguments.size());
  if (open == std::string_view::npos) return fill(name, given, signature);
  if (text.back() != ')') {
    throw UsageError(concat("the closing ')' is missing; expected ", to_text(signature)));
  }
  std::string_view rest = trim(text.substr(open + 1, text.size() - open - 2));
  bool more = !rest.empty();
  bool named = false;
  for (std::size_t position = 0; more; ++position) {
    const auto comma = rest.find(',');
    const std::string_view part = trim(rest.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) rest = rest.substr(comma + 1);
    const auto equals = part.find('=');
    std::size_t index = position;
    if (equals != std::string_view::npos) {
      named = true;
      index = argument_index(trim(part.substr(0, equals)), signature);
    } else if (named || position >= given.size()) {
      throw UsageError(concat(named ? "an argument without name follows one with a name"
                                    : "there are too many arguments",
                              "; expected ", to_text(signature)));
    }
    if (given[index]) {
      throw UsageError(concat("argument '", signature.arguments[index].name, "' is given twice"));
    }
    given[index] = parse_number(
        equals == std::string_view::npos ? part : trim(part.substr(equals + 1)), signature);
  }
  return fill(name, given, signature);
}

Call complete(Call call, const std::vector<Signature>& allowed) {
  const Signature& signature = signature_of(call.name, allowed);
  if (call.args.size() > signature.arguments.size()) {
    throw UsageError(concat("there are too many arguments; expected ", to_text(signature)));
  }
  std::vector<std::optional<double>> given(call.args.begin(), call.args.end());
  given.resize(signature.arguments.size());
  return fill(call.name, given, signature);
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string hint(std::string_view word, const std::vector<std::string>& words) {
  const std::string near = nearest(word, words);
  return near.empty() ? std::string{} : concat("; did you mean '", near, "'?");
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
  constexpr std::size_t kLongest = 80;  // longer ones are no slip of the finger
  if (word.size() > kLongest) return {};
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : words) {
    if (candidate.size() > kLongest) continue;
    // Optimal string alignment: insert, delete, replace, swap neighbours.
    const std::size_t n = candidate.size();
    std::vector<std::size_t> before(n + 1), above(n + 1), row(n + 1);
    for (std::size_t j = 0; j <= n; ++j) above[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      row[0] = i;
      for (std::size_t j = 1; j <= n; ++j) {
        const bool same = lower(word[i - 1]) == lower(candidate[j - 1]);
        row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
        if (i > 1 && j > 1 && lower(word[i - 1]) == lower(candidate[j - 2]) &&
            lower(word[i - 2]) == lower(candidate[j - 1])) {
          row[j] = std::min(row[j], before[j - 2] + 1);
        }
      }
      before.swap(above);
      above.swap(row);
    }
    if (above[n] < best_distance) {
      best_distance = above[n];
      best = candidate;
    }
  }
  return best;
}

std::string in_lines(const std::string& value) {
  constexpr std::size_t kLong = 200;
  if (value.size() <= kLong || value.front() != '[') return value;
  std::string out;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    out += c;
    if (quoted) {
      if (c == '\\') out += value[++i];  // what is escaped ends no text
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (depth == 1 && c == ',') {
      out += '\n';
      while (i + 1 < value.size() && value[i + 1] == ' ') ++i;
    }
  }
  return out;
}

void check_toml_text(std::string_view text, const std::string& origin) {
  if (text.size() > kMaxBytes) {
    throw UsageError(concat(origin, ": larger than 1 MiB; it is meant for a short TOML file"));
  }
  std::size_t line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kMaxLine) {
      throw UsageError(concat(origin, ":", line, ": line longer than ", kMaxLine, " bytes"));
    }
    const std::string_view content = text.substr(begin, end - begin);
    if (std::count(content.begin(), content.end(), '.') > kMaxDots) {
      throw UsageError(concat(origin, ":", line, ": more than ", kMaxDots, " dots in one line"));
    }
    begin = end + 1;
  }
}

}  // namespace smcl::config
