#include "record/sweep_file.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <utility>

#include "core/config_text.h"
#include "core/error.h"
#include "core/toml.h"
#include "format/file.h"

namespace smcl::record {
namespace {

constexpr int kMaxDepth = 16;                // of tables in one another
constexpr std::size_t kLongestValue = 4000;  // bytes as it is written
constexpr std::uint64_t kMostSeeds = 10'000;

/// Reads parts of a table and says where the wrong ones stand.
class Reader {
 public:
  explicit Reader(std::string origin) : origin_(std::move(origin)) {}

  [[noreturn]] void fail(const toml::node& node, const std::string& text) const {
    throw UsageError(concat(origin_, ":", node.source().begin.line, ": ", text));
  }

  void check_keys(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      fail(value, concat("unknown key ", config::quote(name), ", expected one of ",
                         config::join(known), config::hint(name, known)));
    }
  }

  std::string text(const toml::node& node, const char* key) const {
    const auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) fail(node, concat(key, ": expected a text"));
    value_text(node);  // not too long
    return value->get();
  }

  std::vector<std::string> texts(const toml::node& node, const char* key) const {
    const auto* list = node.as_array();
    if (list == nullptr) return {text(node, key)};
    std::vector<std::string> all;
    for (const toml::node& each : *list) all.push_back(text(each, key));
    if (all.empty()) fail(node, concat(key, ": an empty list"));
    return all;
  }

  /// A list of seeds, or how many from 1 on.
  std::vector<std::uint64_t> seeds(const toml::node& node) const {
    std::vector<std::uint64_t> all;
    if (const auto* count = node.as_integer()) {
      if (count->get() < 1 || count->get() > static_cast<std::int64_t>(kMostSeeds)) {
        fail(node, concat("seeds: got ", count->get(), ", expected 1 to ", kMostSeeds,
                          ", or a list of seeds"));
      }
      for (std::int64_t seed = 1; seed <= count->get(); ++seed) {
        all.push_back(static_cast<std::uint64_t>(seed));
      }
      return all;
    }
    const auto* list = node.as_array();
    if (list == nullptr || list->empty() || list->size() > kMostSeeds) {
      fail(node, "seeds: expected a number of seeds, or a list of them");
    }
    for (const toml::node& each : *list) {
      const auto* seed = each.as_integer();
      if (seed == nullptr || seed->get() < 0) {
        fail(each, "seeds: expected whole numbers from 0 on");
      }
      const auto value = static_cast<std::uint64_t>(seed->get());
      if (std::find(all.begin(), all.end(), value) != all.end()) {
        fail(each, concat("seeds: ", value, " comes twice"));
      }
      all.push_back(value);
    }
    return all;
  }

  /// Dotted keys below `table` and what stands there.
  template <class Leaf>
  void leaves(const toml::table& table, const std::string& prefix, const Leaf& leaf,
              int depth = 0) const {
    for (const auto& [key, value] : table) {
      if (depth > kMaxDepth) fail(value, concat("tables nested deeper than ", kMaxDepth));
      check_setting(key.str(), value);
      const std::string name =
          prefix.empty() ? std::string(key.str()) : concat(prefix, ".", key.str());
      if (const auto* inner = value.as_table()) {
        leaves(*inner, name, leaf, depth + 1);
      } else {
        leaf(name, value);
      }
    }
  }

  /// Names of settings, dotted where they stand in quotes.
  void check_setting(std::string_view key, const toml::node& node) const {
    char before = '.';
    bool good = !key.empty() && key.back() != '.';
    for (const char c : key) {
      const bool dot = c == '.';
      good = good && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                      (dot && before != '.'));
      before = c;
    }
    if (!good) {
      fail(node, concat("the key ", config::quote(key),
                        " is no name of a setting: expected letters, digits, '_', '-' and dots"));
    }
  }

  std::vector<std::string> assignments(const toml::node& node, const char* key) const {
    const auto* table = node.as_table();
    if (table == nullptr) fail(node, concat(key, ": expected settings"));
    std::vector<std::string> all;
    std::set<std::string> seen;  // one can be written in two ways, dotted and in quotes
    leaves(*table, "", [&](const std::string& name, const toml::node& value) {
      if (!seen.insert(name).second) fail(value, concat(key, ": ", name, " comes twice"));
      all.push_back(concat(name, "=", value_text(value)));
    });
    return all;
  }

  void grid(const toml::node& node, SweepFile& sweep) const {
    const auto* table = node.as_table();
    if (table == nullptr) fail(node, "grid: expected settings, each with a list of values");
    leaves(*table, "", [&](const std::string& name, const toml::node& value) {
      const auto* list = value.as_array();
      if (list == nullptr || list->empty()) {
        fail(value, concat("grid.", name, ": expected a list of values"));
      }
      std::vector<std::string> values;
      std::set<std::string> seen;
      for (const toml::node& each : *list) {
        values.push_back(value_text(each));
        if (!seen.insert(values.back()).second) {
          fail(each, concat("grid.", name, ": ", values.back(), " comes twice"));
        }
      }
      sweep.grid.emplace_back(name, std::move(values));
    });
  }

  SweepFile::Variant variant(const toml::node& node) const {
    const auto* table = node.as_table();
    if (table == nullptr) fail(node, "variant: expected [[variant]] with name and set");
    check_keys(*table, {"name", "recipe", "set"});
    SweepFile::Variant variant;
    if (const auto* name = table->get("name")) variant.name = text(*name, "variant.name");
    if (const auto* recipe = table->get("recipe")) variant.recipe = text(*recipe, "variant.recipe");
    if (const auto* set = table->get("set")) variant.assignments = assignments(*set, "variant.set");
    return variant;
  }

 private:
  std::string value_text(const toml::node& node) const {
    std::string text = text_of(node);
    if (text.size() > kLongestValue) {
      fail(node, concat("a value of ", text.size(), " bytes, at most ", kLongestValue));
    }
    return text;
  }

  std::string text_of(const toml::node& node) const {
    if (node.is_date() || node.is_time() || node.is_date_time()) {
      fail(node, "a date or time; write it in quotes");
    }
    if (const auto* text = node.as_string()) return config::quote(text->get());
    if (const auto* number = node.as_floating_point()) return config::to_text(number->get());
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    const auto* list = node.as_array();
    if (list == nullptr) fail(node, "expected a value, not a table");
    std::vector<std::string> parts;
    for (const toml::node& each : *list) parts.push_back(value_text(each));
    return concat("[", config::join(parts), "]");
  }

  std::string origin_;
};

void read_variants(const Reader& reader, const toml::node& node, SweepFile& sweep) {
  const auto* list = node.as_array();
  if (list == nullptr) reader.fail(node, "variant: expected [[variant]]");
  std::set<std::pair<std::string, std::string>> seen;
  for (const toml::node& each : *list) {
    const SweepFile::Variant& variant = sweep.variants.emplace_back(reader.variant(each));
    if (!seen.emplace(variant.name, variant.recipe).second && !variant.name.empty()) {
      reader.fail(each, concat("variant.name: ", config::quote(variant.name),
                               " comes twice: give each a name of its own"));
    }
  }
}

/// A line an element where there are several: a file has no lines of any length.
std::string list_text(const std::vector<std::string>& values) {
  if (values.size() == 1) return concat("[", values.front(), "]");
  std::string text = "[\n";
  for (const std::string& value : values) text += concat("  ", value, ",\n");
  return concat(text, "]");
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& each : texts) quoted.push_back(config::quote(each));
  return list_text(quoted);
}

/// As a count where they are 1, 2, 3...
std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  std::vector<std::string> texts;
  bool counted = true;
  for (const std::uint64_t seed : seeds) {
    texts.push_back(std::to_string(seed));
    counted = counted && seed == texts.size();
  }
  return counted ? std::to_string(seeds.size()) : list_text(texts);
}

std::string lines_of(const std::vector<std::string>& assignments, const char* prefix) {
  std::string text;
  for (const std::string& each : assignments) {
    const auto at = each.find('=');
    text += concat(prefix, each.substr(0, at), " = ", config::in_lines(each.substr(at + 1)), "\n");
  }
  return text;
}

}  // namespace

SweepFile parse_sweep(std::string_view toml, const std::string& origin) {
  config::check_toml_text(toml, origin);
  toml::table table;
  try {
    table = toml::parse(toml, origin);
  } catch (const toml::parse_error& failure) {
    const toml::source_position at = failure.source().begin;
    throw UsageError(concat(origin, ":", at.line, ":", at.column, ": ", failure.description()));
  }
  const Reader reader(origin);
  reader.check_keys(
      table, {"name", "recipes", "seeds", "seed_keys", "set", "grid", "variant", "override"});
  SweepFile sweep;
  if (const auto* node = table.get("name")) sweep.name = reader.text(*node, "name");
  if (const auto* node = table.get("recipes")) sweep.recipes = reader.texts(*node, "recipes");
  if (const auto* node = table.get("seeds")) sweep.seeds = reader.seeds(*node);
  if (const auto* node = table.get("seed_keys")) sweep.seed_keys = reader.texts(*node, "seed_keys");
  if (const auto* node = table.get("set")) sweep.assignments = reader.assignments(*node, "set");
  if (const auto* node = table.get("grid")) reader.grid(*node, sweep);
  if (const auto* node = table.get("variant")) read_variants(reader, *node, sweep);
  if (const auto* node = table.get("override")) {
    sweep.overrides = reader.assignments(*node, "override");
  }
  if (sweep.seeds.empty()) sweep.seeds = {1};
  if (sweep.variants.empty()) sweep.variants.emplace_back();
  const bool all_named = std::all_of(sweep.variants.begin(), sweep.variants.end(),
                                     [](const auto& each) { return !each.recipe.empty(); });
  if (sweep.recipes.empty() && !all_named) {
    throw UsageError(concat(origin,
                            ": no recipe: set recipes = [\"FILE.toml\"], or recipe in every "
                            "[[variant]]"));
  }
  return sweep;
}

SweepFile read_sweep(const std::filesystem::path& file) {
  SweepFile sweep = parse_sweep(format::read_text(file), file.string());
  if (sweep.name.empty()) sweep.name = file.stem().string();
  return sweep;
}

std::string to_toml(const SweepFile& sweep) {
  std::string text;
  if (!sweep.name.empty()) text = concat("name = ", config::quote(sweep.name), "\n");
  if (!sweep.recipes.empty()) text += concat("recipes = ", quoted_list(sweep.recipes), "\n");
  text += concat("seeds = ", seeds_text(sweep.seeds),
                 "\nseed_keys = ", quoted_list(sweep.seed_keys), "\n");
  if (!sweep.assignments.empty()) text += "\n[set]\n" + lines_of(sweep.assignments, "");
  if (!sweep.grid.empty()) text += "\n[grid]\n";
  for (const auto& [key, values] : sweep.grid) {
    text += concat(key, " = ", list_text(values), "\n");
  }
  for (const SweepFile::Variant& variant : sweep.variants) {
    const bool empty =
        variant.name.empty() && variant.recipe.empty() && variant.assignments.empty();
    if (empty && sweep.variants.size() == 1) continue;  // beside others it is one of them
    text += "\n[[variant]]\n";
    if (!variant.name.empty()) text += concat("name = ", config::quote(variant.name), "\n");
    if (!variant.recipe.empty()) text += concat("recipe = ", config::quote(variant.recipe), "\n");
    text += lines_of(variant.assignments, "set.");
  }
  if (!sweep.overrides.empty()) text += "\n[override]\n" + lines_of(sweep.overrides, "");
  return text;
}

}  // namespace smcl::record
