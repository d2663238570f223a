#include "cli/stored.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/log.h"
#include "experiment/run.h"
#include "experiment/session.h"

namespace smcl::cli {

experiment::Recipe stored_recipe(const record::RunFolder& folder,
                                 const std::vector<std::string>& overrides) {
  const std::string file = (folder.path() / "config.toml").string();
  experiment::Recipe recipe = experiment::recipe_of(folder);
  if (experiment::was_edited(folder, recipe)) {
    log::warn(concat(file,
                     ": it was changed after the run (settings_hash of fingerprint.json is of "
                     "other settings), so it does not tell how these results came about"));
  }
  if (overrides.empty()) return recipe;
  config::Document document = config::Document::parse(folder.config(), file);
  for (const std::string& assignment : overrides) document.set(assignment);
  return experiment::resolve_stored(document, "run");
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./@=,:+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string data_overrides(const std::vector<std::string>& overrides) {
  std::string text;
  for (const std::string& assignment : overrides) {
    if (!assignment.starts_with("data.") && !assignment.starts_with("scenes.")) continue;
    text += (text.empty() ? "" : ", ") + assignment;
  }
  return text;
}

std::vector<std::filesystem::path> run_folders(const std::vector<std::string>& given) {
  std::vector<std::filesystem::path> runs;
  for (const std::string& path : given) {
    if (!std::filesystem::is_directory(path)) {
      throw IoError(concat(path,
                           ": no such folder; expected run folders, or folders that hold "
                           "them, such as a sweep's"));
    }
    if (std::filesystem::exists(std::filesystem::path(path) / "config.toml")) {
      runs.emplace_back(path);
      continue;
    }
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      std::error_code failure;
      if (std::filesystem::exists(entry.path() / "config.toml", failure)) {
        inside.push_back(entry.path());
      } else if (failure && failure != std::errc::not_a_directory) {
        log::warn(concat(entry.path().string(), " is passed over: ", failure.message()));
      }
    }
    if (inside.empty()) throw UsageError(concat(path, ": no run folder in it"));
    std::sort(inside.begin(), inside.end());
    runs.insert(runs.end(), inside.begin(), inside.end());
  }
  // By another spelling of its path a run would count twice.
  std::vector<std::filesystem::path> seen;
  std::erase_if(runs, [&](const std::filesystem::path& run) {
    auto whole = std::filesystem::canonical(run);
    if (std::find(seen.begin(), seen.end(), whole) != seen.end()) return true;
    seen.push_back(std::move(whole));
    return false;
  });
  return runs;
}

std::vector<std::string> told_apart(std::vector<std::string> names,
                                    const std::vector<std::string>& paths) {
  const std::set<std::string> different(names.begin(), names.end());
  return different.size() < names.size() ? paths : names;
}

void warn_of_data(const std::vector<std::pair<std::string, std::string>>& runs) {
  std::string first;
  for (const auto& [run, hash] : runs) {
    if (first.empty()) first = hash;
    if (hash.empty() || hash == first) continue;
    log::warn(concat(run, " was trained on other data than ", runs.front().first,
                     ": what they differ by is not the method alone"));
    return;
  }
}

void check_weights(const record::RunFolder& folder, const std::string& which) {
  std::error_code ignored;
  const auto there = [&](const std::string& name) {
    return std::filesystem::exists(folder.weights_file(name), ignored);
  };
  if (there(which)) return;
  std::string list;
  for (const std::string name : {"last", "best_on_val", "best_on_test"}) {
    if (there(name)) list += (list.empty() ? "" : ", ") + name;
  }
  throw UsageError(concat("--weights ", which, ": ", folder.path().string(), " has ",
                          list.empty() ? "no weights" : list));
}

}  // namespace smcl::cli
