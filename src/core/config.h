#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/export.h"

/// Typed configuration: recipes in TOML that extend one another, overrides from the command
/// line, strict keys, ranges, and for every value where it came from.
namespace smcl::config {

using Scalar = std::variant<bool, std::int64_t, double, std::string>;
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<Scalar>>;

/// A value and where it was set: "recipes/base.toml:12", "--set", "default".
struct Entry {
  Value value;
  std::string origin;
};

/// A recipe as flat dotted keys ("mask.prob"). Later sources override earlier ones.
class SMCL_API Document {
 public:
  Document() = default;
  explicit Document(std::map<std::string, Entry> entries) : entries_(std::move(entries)) {}

  /// Reads a TOML file of at most 1 MiB. A top-level `extends = "other.toml"` (or an array of
  /// them), relative to the file, is read first and overridden. Throws IoError (cannot read),
  /// UsageError (syntax with file:line:column, a cycle of extends, a table in an array).
  static Document load(const std::filesystem::path& file);
  /// The same from text; `extends` is relative to the working directory.
  static Document parse(std::string_view toml, const std::string& origin);

  /// Applies one override "section.key=value". The value is TOML; a bare word that is no TOML
  /// value is taken as a string. Throws UsageError where there is no '='.
  void set(std::string_view assignment);
  /// Entries of `other` override those here.
  void merge(const Document& other);

  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry> entries_;
};

/// A point of the run: an integer in a recipe is a 0-based epoch, a float in [0, 1] a fraction
/// of the run.
struct SMCL_API Moment {
  double value = 0.0;
  bool fraction = true;
  /// The epoch itself, or the one nearest to the fraction: round(value * epochs).
  int epoch(int epochs) const;
  bool operator==(const Moment&) const = default;
};

/// A setting written like a function: "beta(1, 1)", "effective(0.9999)", "area". Arguments may
/// be named: "effective(b=0.9999)"; names are checked against the signature.
struct Call {
  std::string name;
  std::vector<double> args;
  bool operator==(const Call&) const = default;
};

/// One allowed form of a Call: name, and for each argument its name, default (NaN: it must be
/// given) and range.
struct Signature {
  struct Argument {
    std::string name;
    double fallback;
    double min;
    double max;
  };
  std::string name;
  std::vector<Argument> arguments;
};

/// Bounds of a number, inclusive.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

/// One setting as it holds: dotted key, value as TOML text, origin, one line of documentation.
struct Resolved {
  std::string key;
  std::string value;
  std::string origin;
  std::string doc;
};

/// Fills typed settings from a document. Option structs keep their defaults in place and name
/// their keys in one function `bind(Binder&, Struct&)`; every wrong type, range or choice throws
/// a UsageError that names key, origin, value got, and what is expected. `finish` refuses keys
/// that nobody asked for and names the nearest valid one.
class SMCL_API Binder {
 public:
  /// `document` must outlive the binder.
  explicit Binder(const Document& document) : document_(document) {}

  void field(std::string_view key, bool& value, std::string_view doc);
  void field(std::string_view key, int& value, Range range, std::string_view doc);
  void field(std::string_view key, std::int64_t& value, Range range, std::string_view doc);
  void field(std::string_view key, std::uint64_t& value, Range range, std::string_view doc);
  void field(std::string_view key, double& value, Range range, std::string_view doc);
  void field(std::string_view key, std::string& value, std::string_view doc);
  void field(std::string_view key, Moment& value, std::string_view doc);
  void field(std::string_view key, std::vector<Moment>& value, std::string_view doc);
  void field(std::string_view key, std::vector<double>& value, Range range, std::string_view doc);
  /// Also takes a number v as "fixed(v)" and an array [lo, hi] as "range(lo,hi)" where those
  /// forms are allowed.
  void field(std::string_view key, Call& value, const std::vector<Signature>& allowed,
             std::string_view doc);

  /// A word out of a list.
  template <class Enum>
  void choice(std::string_view key, Enum& value,
              const std::vector<std::pair<std::string, Enum>>& words, std::string_view doc) {
    std::vector<std::string> names;
    std::string current;
    for (const auto& [word, meaning] : words) {
      names.push_back(word);
      if (meaning == value) current = word;
    }
    const std::string chosen = pick(key, current, names, doc);
    for (const auto& [word, meaning] : words) {
      if (word == chosen) value = meaning;
    }
  }

  /// Throws UsageError for the first key of the document that no field took.
  void finish() const;
  /// Every field in the order of binding.
  const std::vector<Resolved>& resolved() const { return resolved_; }
  /// Whether the document (not a default) set the key.
  bool was_set(std::string_view key) const;

 private:
  std::string pick(std::string_view key, const std::string& current,
                   const std::vector<std::string>& words, std::string_view doc);
  /// The document's entry for the key, null where the default holds.
  const Entry* take(std::string_view key) const;
  void keep(std::string_view key, const Entry* entry, std::string text, std::string_view doc);
  std::int64_t integer(std::string_view key, std::int64_t current, Range range,
                       std::string_view doc);

  const Document& document_;
  std::vector<Resolved> resolved_;
};

/// The resolved settings as a TOML text with sections, that loads to the same settings again;
/// with `origins` each line ends in a comment saying where its value came from.
SMCL_API std::string to_toml(const std::vector<Resolved>& resolved, bool origins);

/// The word of `words` nearest to `word` by edit distance; empty where none is near.
SMCL_API std::string nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace smcl::config
