#include <algorithm>
#include <cmath>
#include <set>

#include "core/config.h"
#include "core/config_text.h"
#include "core/error.h"

namespace smcl::config {
namespace {

constexpr double kLastEpoch = (1 << 24) - 1;  // what RandomStream can count
constexpr double kTwoTo63 = 9223372036854775808.0;

/// A wrong value of a recipe is the user's mistake, a wrong default ours.
[[noreturn]] void refuse(std::string_view key, const Entry* entry, const std::string& got,
                         const std::string& expected) {
  const std::string text =
      concat(key, " = ", got, " (", entry != nullptr ? entry->origin : "default", "): ", expected);
  if (entry != nullptr) throw UsageError(text);
  throw InternalError(text);
}

std::string whole_bound(double value) {
  if (value >= kTwoTo63) return "9223372036854775807";
  return std::to_string(static_cast<std::int64_t>(value));
}

std::string expectation(Range range, bool whole) {
  if (whole) return expectation("an integer", range, whole_bound);
  return expectation("a number", range, shortest);
}

std::optional<double> number(const Scalar& scalar) {
  if (const auto* v = std::get_if<double>(&scalar)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&scalar)) return static_cast<double>(*v);
  return std::nullopt;
}

bool inside(double value, Range range) {
  return std::isfinite(value) && value >= range.min && value <= range.max;
}

/// A list, or a single value as a list of one.
std::vector<Scalar> as_list(const Value& value) {
  if (const auto* list = std::get_if<std::vector<Scalar>>(&value)) return *list;
  return {*as_scalar(value)};
}

std::string in_ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c >= 0x80; }, '?');
  return text;
}

/// "a number in [0, 1]" of "expected a number in [0, 1]".
std::string_view thing(std::string_view expected) {
  constexpr std::string_view kStart = "expected ";
  return expected.starts_with(kStart) ? expected.substr(kStart.size()) : expected;
}

/// A setting's line of documentation with what it takes: "... [a number in [0, 1]]".
std::string line_of(std::string_view doc, std::string_view expected) {
  return concat(doc, " [", thing(expected), "]");
}

const std::string kMomentExpected =
    "expected an epoch (an integer of at least 0) or a share of the run (a float in [0, 1])";

std::optional<Moment> moment(const Scalar& scalar) {
  if (const auto* v = std::get_if<std::int64_t>(&scalar)) {
    return Moment{static_cast<double>(*v), false};
  }
  if (const auto* v = std::get_if<double>(&scalar)) return Moment{*v, true};
  return std::nullopt;
}

bool valid(const Moment& value) {
  if (value.fraction) return inside(value.value, {0.0, 1.0});
  return inside(value.value, {0.0, kLastEpoch}) && std::floor(value.value) == value.value;
}

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::vector<std::string> parts;
  for (const T& value : values) parts.push_back(to_text(value));
  return concat("[", join(parts), "]");
}

Call read_call(const Value& value, const std::vector<Signature>& allowed) {
  if (const auto* text = std::get_if<std::string>(&value)) return parse_call(*text, allowed);
  const bool list = std::holds_alternative<std::vector<Scalar>>(value);
  Call call{list ? "range" : "fixed", {}};
  for (const Scalar& scalar : as_list(value)) {
    const std::optional<double> v = number(scalar);
    if (!v) {
      call.name.clear();  // refused below with the list of forms
      break;
    }
    call.args.push_back(*v);
  }
  return complete(std::move(call), allowed);
}

}  // namespace

const Entry* Binder::take(std::string_view key) const {
  for (const Resolved& known : resolved_) {
    if (known.key == key) throw InternalError(concat("the key '", key, "' is bound twice"));
  }
  const auto found = document_.entries().find(std::string(key));
  return found == document_.entries().end() ? nullptr : &found->second;
}

void Binder::keep(std::string_view key, const Entry* entry, std::string text,
                  std::string_view doc) {
  resolved_.push_back({std::string(key), std::move(text),
                       entry != nullptr ? entry->origin : "default", std::string(doc)});
}

bool Binder::was_set(std::string_view key) const {
  return document_.entries().count(std::string(key)) > 0;
}

void Binder::field(std::string_view key, bool& value, std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    const bool* given = std::get_if<bool>(&entry->value);
    if (given == nullptr) refuse(key, entry, to_text(entry->value), "expected true or false");
    value = *given;
  }
  keep(key, entry, value ? "true" : "false", line_of(doc, "true or false"));
}

std::int64_t Binder::integer(std::string_view key, std::int64_t current, Range range,
                             std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    const auto* given = std::get_if<std::int64_t>(&entry->value);
    if (given == nullptr) refuse(key, entry, to_text(entry->value), expectation(range, true));
    current = *given;
  }
  constexpr std::int64_t kExact = std::int64_t{1} << 53;  // above it a double rounds
  const bool rounded = current > kExact && range.max <= static_cast<double>(kExact);
  if (rounded || !inside(static_cast<double>(current), range)) {
    refuse(key, entry, std::to_string(current), expectation(range, true));
  }
  keep(key, entry, std::to_string(current), line_of(doc, expectation(range, true)));
  return current;
}

void Binder::field(std::string_view key, int& value, Range range, std::string_view doc) {
  using Limits = std::numeric_limits<int>;
  range.min = std::max<double>(range.min, Limits::min());
  range.max = std::min<double>(range.max, Limits::max());
  value = static_cast<int>(integer(key, value, range, doc));
}

void Binder::field(std::string_view key, std::int64_t& value, Range range, std::string_view doc) {
  value = integer(key, value, range, doc);
}

void Binder::field(std::string_view key, std::uint64_t& value, Range range, std::string_view doc) {
  range.min = std::max(range.min, 0.0);
  range.max = std::min(range.max, kTwoTo63);  // TOML's integers end there
  value = static_cast<std::uint64_t>(integer(key, static_cast<std::int64_t>(value), range, doc));
}

void Binder::field(std::string_view key, double& value, Range range, std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    const std::optional<Scalar> scalar = as_scalar(entry->value);
    const std::optional<double> given = scalar ? number(*scalar) : std::nullopt;
    if (!given) refuse(key, entry, to_text(entry->value), expectation(range, false));
    value = *given;
  }
  if (!inside(value, range)) {
    refuse(key, entry, entry != nullptr ? to_text(entry->value) : to_text(value),
           expectation(range, false));
  }
  keep(key, entry, to_text(value), line_of(doc, expectation(range, false)));
}

void Binder::field(std::string_view key, std::string& value, std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    const auto* given = std::get_if<std::string>(&entry->value);
    if (given == nullptr) refuse(key, entry, to_text(entry->value), "expected text in quotes");
    value = *given;
  }
  keep(key, entry, quote(value), line_of(doc, "text"));
}

void Binder::field(std::string_view key, Moment& value, std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    const std::optional<Scalar> scalar = as_scalar(entry->value);
    const std::optional<Moment> given = scalar ? moment(*scalar) : std::nullopt;
    if (!given) refuse(key, entry, to_text(entry->value), kMomentExpected);
    value = *given;
  }
  if (!valid(value)) refuse(key, entry, to_text(value), kMomentExpected);
  keep(key, entry, to_text(value), line_of(doc, kMomentExpected));
}

void Binder::field(std::string_view key, std::vector<Moment>& value, std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    value.clear();
    for (const Scalar& scalar : as_list(entry->value)) {
      const std::optional<Moment> given = moment(scalar);
      if (!given) refuse(key, entry, to_text(scalar), kMomentExpected);
      value.push_back(*given);
    }
  }
  for (const Moment& each : value) {
    if (!valid(each)) refuse(key, entry, to_text(each), kMomentExpected);
  }
  keep(key, entry, list_text(value), line_of(doc, concat("a list of: ", thing(kMomentExpected))));
}

void Binder::field(std::string_view key, std::vector<double>& value, Range range,
                   std::string_view doc) {
  const Entry* entry = take(key);
  if (entry != nullptr) {
    value.clear();
    for (const Scalar& scalar : as_list(entry->value)) {
      const std::optional<double> given = number(scalar);
      if (!given) refuse(key, entry, to_text(scalar), expectation(range, false));
      value.push_back(*given);
    }
  }
  for (const double each : value) {
    if (!inside(each, range)) refuse(key, entry, to_text(each), expectation(range, false));
  }
  keep(key, entry, list_text(value),
       line_of(doc, concat("a list of: ", thing(expectation(range, false)))));
}

void Binder::field(std::string_view key, Call& value, const std::vector<Signature>& allowed,
                   std::string_view doc) {
  const Entry* entry = take(key);
  try {
    value = entry != nullptr ? read_call(entry->value, allowed) : complete(value, allowed);
  } catch (const UsageError& failure) {
    refuse(key, entry, entry != nullptr ? to_text(entry->value) : quote(to_text(value)),
           failure.what());
  }
  std::vector<std::string> forms;
  for (const Signature& form : allowed) forms.push_back(to_text(form));
  keep(key, entry, quote(to_text(value)), line_of(doc, join(forms)));
}

std::string Binder::pick(std::string_view key, const std::string& current,
                         const std::vector<std::string>& words, std::string_view doc) {
  const Entry* entry = take(key);
  std::string chosen = current;
  if (entry != nullptr) {
    const auto* given = std::get_if<std::string>(&entry->value);
    chosen = given != nullptr ? *given : "";
  }
  if (std::find(words.begin(), words.end(), chosen) == words.end()) {
    refuse(key, entry, entry != nullptr ? to_text(entry->value) : quote(chosen),
           concat("expected one of ", join(words), hint(chosen, words)));
  }
  keep(key, entry, quote(chosen), line_of(doc, join(words)));
  return chosen;
}

void Binder::finish() const {
  std::vector<std::string> keys;
  for (const Resolved& known : resolved_) keys.push_back(known.key);
  const std::set<std::string> taken(keys.begin(), keys.end());
  for (const auto& [key, entry] : document_.entries()) {
    if (taken.count(key) > 0) continue;
    std::string near = nearest(key, keys);
    const std::string last = key.substr(key.rfind('.') + 1);
    const std::string section = key.substr(0, key.size() - last.size());  // "mask."
    std::vector<std::string> there;
    std::vector<std::string> below;  // where the key is a section
    for (const std::string& known : keys) {
      const bool same_end = known.substr(known.rfind('.') + 1) == last;
      if (near.empty() && same_end) near = known;
      const std::string prefix = section.empty() ? key + "." : section;
      if (known.rfind(prefix, 0) == 0) there.push_back(known);
      if (known.rfind(key + ".", 0) == 0) below.push_back(known);
    }
    if (!below.empty()) {
      throw UsageError(concat(key, " = ", to_text(entry.value), " (", entry.origin,
                              "): expected a section [", key,
                              "]; valid keys there: ", join(below)));
    }
    std::string advice;
    if (!near.empty()) {
      advice = concat("; did you mean '", near, "'?");
    } else if (!there.empty()) {
      advice = concat("; valid keys there: ", join(there));
    } else {
      advice = "; --print-config lists all keys";
    }
    throw UsageError(concat(entry.origin, ": unknown key '", key, "'", advice));
  }
}

std::string to_toml(const std::vector<Resolved>& resolved, bool origins) {
  const auto section_of = [](const Resolved& setting) {
    const auto dot = setting.key.rfind('.');
    return dot == std::string::npos ? std::string{} : setting.key.substr(0, dot);
  };
  std::vector<std::string> sections{""};  // keys without a section must come first
  for (const Resolved& setting : resolved) {
    const std::string section = section_of(setting);
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
      sections.push_back(section);
    }
  }
  std::string out;
  for (const std::string& section : sections) {
    if (!section.empty()) out += concat(out.empty() ? "" : "\n", "[", section, "]\n");
    for (const Resolved& setting : resolved) {
      if (section_of(setting) != section) continue;
      out += concat(setting.key.substr(section.empty() ? 0 : section.size() + 1), " = ",
                    origins ? in_lines(setting.value) : setting.value);
      if (origins) {
        out += "  # " + in_ascii(one_line(setting.origin));  // a path can have any bytes
      }
      out += '\n';
    }
  }
  return out;
}

}  // namespace smcl::config
