#include "core/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>

#include "core/config_text.h"
#include "core/error.h"
#include "core/toml.h"

namespace smcl::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr int kMaxDepth = 16;
constexpr int kMaxFiles = 64;

/// `asked_by` says which file extends this one, empty for the first.
std::string read_recipe(const fs::path& file, const std::string& asked_by) {
  std::error_code ignored;
  const bool folder = fs::is_directory(file, ignored);
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (in && !folder && text.size() <= kMaxBytes) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (folder || (!in && !in.eof())) {
    const char* reason = errno != 0 ? std::strerror(errno) : "it is no file";
    throw IoError(concat(asked_by, "cannot read recipe ", file.string(), ": ", reason));
  }
  return text;
}

bool plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

toml::table parse_toml(std::string_view text, const std::string& origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& failure) {
    const toml::source_position at = failure.source().begin;
    throw UsageError(concat(origin, ":", at.line, ":", at.column, ": ", failure.description()));
  }
}

/// Flattens a parsed table into dotted keys; `where` gives the origin of a node.
class Flattener {
 public:
  using Where = std::function<std::string(const toml::node&)>;
  Flattener(std::map<std::string, Entry>& entries, Where where)
      : entries_(entries), where_(std::move(where)) {}

  void table(const toml::table& table, const std::string& prefix) {
    const Nesting nesting(depth_);
    if (depth_ > kMaxDepth && !table.empty()) {
      throw UsageError(concat(where_(table.begin()->second), ": '", prefix,
                              "' is nested deeper than ", kMaxDepth, " tables"));
    }
    for (const auto& [name, child] : table) {
      if (!plain_key(name.str())) {
        throw UsageError(concat(where_(child), ": the key ", quote(name.str()),
                                " has characters other than letters, digits, '_' and '-'"));
      }
      node(child, prefix.empty() ? std::string(name.str()) : concat(prefix, ".", name.str()));
    }
  }

  void node(const toml::node& node, const std::string& key) {
    if (const toml::table* inner = node.as_table()) {
      table(*inner, key);
    } else if (const toml::array* list = node.as_array()) {
      std::vector<Scalar> scalars;
      for (const toml::node& element : *list) scalars.push_back(scalar(element, key));
      entries_.insert_or_assign(key, Entry{std::move(scalars), where_(node)});
    } else {
      entries_.insert_or_assign(
          key, Entry{std::visit([](auto v) { return Value(std::move(v)); }, scalar(node, key)),
                     where_(node)});
    }
  }

 private:
  Scalar scalar(const toml::node& node, const std::string& key) const {
    if (const auto* v = node.as_boolean()) return v->get();
    if (const auto* v = node.as_integer()) return v->get();
    if (const auto* v = node.as_floating_point()) return v->get();
    if (const auto* v = node.as_string()) return v->get();
    throw UsageError(concat(where_(node), ": '", key,
                            node.is_date() || node.is_time() || node.is_date_time()
                                ? "' is a date or time; write it in quotes"
                                : "' has a table or an array inside an array"));
  }

  struct Nesting {
    explicit Nesting(int& depth) : depth_(++depth) {}
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    ~Nesting() { --depth_; }
    int& depth_;
  };

  std::map<std::string, Entry>& entries_;
  Where where_;
  int depth_ = 0;
};

/// Reads files and what they extend, refusing cycles.
class Loader {
 public:
  Document file(const fs::path& path, const std::string& asked_by = "") {
    if (++files_ > kMaxFiles) {
      throw UsageError(concat(path.string(), ": more than ", kMaxFiles, " files by 'extends'"));
    }
    std::error_code ignored;
    fs::path canonical = fs::weakly_canonical(path, ignored);
    if (canonical.empty()) canonical = path;
    if (std::find(open_.begin(), open_.end(), canonical) != open_.end()) {
      throw UsageError(concat(asked_by, "'extends' leads back to ", path.string()));
    }
    const std::string content = read_recipe(path, asked_by);
    open_.push_back(canonical);
    Document document = text(content, path.string(), path.parent_path());
    open_.pop_back();
    return document;
  }

  Document text(std::string_view content, const std::string& origin, const fs::path& folder) {
    check_toml_text(content, origin);
    toml::table table = parse_toml(content, origin);
    Document document;
    for (const auto& [base, line] : bases(table, origin)) {
      document.merge(file((folder / base).lexically_normal(), concat(origin, ":", line, ": ")));
    }
    table.erase("extends");
    std::map<std::string, Entry> entries;
    Flattener(entries, [&](const toml::node& node) {
      return concat(origin, ":", node.source().begin.line);
    }).table(table, "");
    document.merge(Document(std::move(entries)));
    return document;
  }

 private:
  struct Base {
    std::string name;
    toml::source_index line;
  };

  static std::vector<Base> bases(const toml::table& table, const std::string& origin) {
    const toml::node* node = table.get("extends");
    if (node == nullptr) return {};
    std::vector<Base> names;
    const auto add = [&](const toml::node& name) {
      const auto* text = name.as_string();
      if (text == nullptr || text->get().empty()) {
        throw UsageError(concat(origin, ":", name.source().begin.line,
                                ": 'extends' must be a file name or an array of file names"));
      }
      names.push_back({text->get(), name.source().begin.line});
    };
    if (const toml::array* list = node->as_array()) {
      for (const toml::node& name : *list) add(name);
    } else {
      add(*node);
    }
    return names;
  }

  std::vector<fs::path> open_;
  int files_ = 0;
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// The right side of `--set`: TOML, or else a bare word, which is put into quotes.
toml::table parse_override(std::string_view assignment, std::string_view value) {
  const std::string origin = "--set";
  try {
    toml::table table = toml::parse(concat("v = ", value), origin);
    const toml::node* node = table.get("v");
    if (table.size() == 1 && node != nullptr && !node->is_date() && !node->is_time() &&
        !node->is_date_time()) {
      return table;
    }
  } catch (const toml::parse_error& failure) {
    if (!value.empty() && std::string_view("[{\"'").find(value.front()) != value.npos) {
      throw UsageError(concat("--set ", assignment, ": ", failure.description()));
    }
  }
  try {
    return toml::parse(concat("v = ", quote(value)), origin);
  } catch (const toml::parse_error& failure) {
    throw UsageError(concat("--set: ", failure.description()));
  }
}

}  // namespace

Document Document::load(const fs::path& file) {
  return Loader().file(file);
}

Document Document::parse(std::string_view toml, const std::string& origin) {
  return Loader().text(toml, origin, "");
}

void Document::set(std::string_view assignment) {
  if (assignment.size() > kMaxLine) throw UsageError("--set: longer than 8192 bytes");
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    throw UsageError(concat("--set ", assignment, ": expected section.key=value"));
  }
  const std::string key{trim(assignment.substr(0, equals))};
  std::string_view rest = key;
  for (bool more = true; more;) {
    const auto dot = rest.find('.');
    more = dot != std::string_view::npos;
    if (!plain_key(rest.substr(0, dot))) {
      throw UsageError(concat("--set ", assignment, ": '", key, "' is no key"));
    }
    if (more) rest = rest.substr(dot + 1);
  }
  if (key == "extends") throw UsageError("--set extends=...: only a recipe file can extend others");
  const toml::table table = parse_override(assignment, trim(assignment.substr(equals + 1)));
  Flattener(entries_, [](const toml::node&) { return "--set"; }).node(*table.get("v"), key);
}

void Document::merge(const Document& other) {
  for (const auto& [key, entry] : other.entries_) entries_.insert_or_assign(key, entry);
}

int Moment::epoch(int epochs) const {
  return static_cast<int>(fraction ? std::lround(value * epochs) : std::lround(value));
}

}  // namespace smcl::config
