#include "report/sensitivity.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "core/error.h"

namespace smcl::report {
namespace {

/// Settings in which groups differ, with the value of each group.
struct Varied {
  std::vector<std::string> keys;
  std::vector<std::vector<std::string>> values;  ///< by key, by group
};

Varied varied(const Condition& condition) {
  std::vector<const RecipeRun*> runs;
  for (const GroupResult& group : condition.groups) runs.push_back(&group.group.runs.front());
  Varied result;
  result.keys = differing_settings(runs);
  for (const std::string& key : result.keys) {
    std::vector<std::string>& values = result.values.emplace_back();
    for (const RecipeRun* run : runs) values.push_back(setting_of(*run, key).value_or("unset"));
  }
  return result;
}

/// Methods, losses, rules: a comparison, no sweep over a setting.
bool is_name(const std::string& key) {
  return key.ends_with(".name");
}

std::optional<double> number(const std::string& text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// Numbers by value before words; words as they came. Where all are of one form, as
/// effective(0.99), its number counts.
void sort_values(std::vector<std::string>& values) {
  const std::string& first = values.front();
  const std::string form = first.substr(0, first.find('(') + 1);  // "" where there is none
  const bool of_form =
      !form.empty() && std::all_of(values.begin(), values.end(), [&](const std::string& value) {
        return value.starts_with(form) && value.ends_with(')');
      });
  const auto number_of = [&](const std::string& value) {
    return number(of_form ? value.substr(form.size(), value.size() - form.size() - 1) : value);
  };
  std::stable_sort(values.begin(), values.end(), [&](const std::string& a, const std::string& b) {
    const auto x = number_of(a);
    const auto y = number_of(b);
    if (x && y) return *x < *y;
    return x.has_value() && !y.has_value();
  });
}

/// Groups that agree in all keys but those of `free`: text of what they agree in, and places.
using Cluster = std::pair<std::string, std::vector<std::size_t>>;
std::vector<Cluster> clusters(const Varied& all, std::size_t groups,
                              const std::set<std::size_t>& free) {
  std::vector<Cluster> result;
  std::map<std::string, std::size_t> place;
  for (std::size_t g = 0; g < groups; ++g) {
    std::string text;
    for (std::size_t k = 0; k < all.keys.size(); ++k) {
      if (free.contains(k)) continue;
      text += concat(text.empty() ? "" : ", ", all.keys[k], " = ", all.values[k][g]);
    }
    const auto [found, fresh] = place.emplace(text, result.size());
    if (fresh) result.push_back({text, {}});
    result[found->second].second.push_back(g);
  }
  return result;
}

std::vector<std::string> values_in(const Varied& all, std::size_t key,
                                   const std::vector<std::size_t>& groups) {
  std::vector<std::string> values;
  for (const std::size_t g : groups) {
    const std::string& value = all.values[key][g];
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  sort_values(values);
  return values;
}

/// The rows that most rows have the same columns with: a group beside the grid spoils no grid.
std::map<std::string, std::map<std::string, std::size_t>> whole_rows(const Varied& all,
                                                                     std::size_t row_key,
                                                                     std::size_t column_key,
                                                                     const Cluster& cluster) {
  std::map<std::string, std::map<std::string, std::size_t>> rows;  // row, column, group
  for (const std::size_t g : cluster.second) {
    rows[all.values[row_key][g]][all.values[column_key][g]] = g;
  }
  const auto columns = [](const auto& row) {
    std::vector<std::string> names;
    for (const auto& [name, group] : row) names.push_back(name);
    return names;
  };
  std::map<std::vector<std::string>, std::size_t> cells;  // that rows with these columns have
  for (const auto& [value, row] : rows) cells[columns(row)] += row.size();
  const auto most = std::max_element(
      cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::erase_if(rows, [&](const auto& row) { return columns(row.second) != most->first; });
  return rows;
}

std::optional<SensitivityGrid> grid_of(const Varied& all, std::size_t row_key,
                                       std::size_t column_key, const Cluster& cluster) {
  const auto whole = whole_rows(all, row_key, column_key, cluster);
  if (whole.size() < 2 || whole.begin()->second.size() < 2) return std::nullopt;
  SensitivityGrid grid;
  grid.row_key = all.keys[row_key];
  grid.column_key = all.keys[column_key];
  grid.fixed = cluster.first;
  for (const auto& [value, row] : whole) grid.rows.push_back(value);
  for (const auto& [value, group] : whole.begin()->second) grid.columns.push_back(value);
  sort_values(grid.rows);
  sort_values(grid.columns);
  for (const std::string& row : grid.rows) {
    for (const std::string& column : grid.columns) {
      grid.groups.push_back(whole.at(row).at(column));
    }
  }
  return grid;
}

std::optional<Sensitivity> line_of(const Varied& all, std::size_t key, const Cluster& cluster) {
  if (cluster.second.size() < 3) return std::nullopt;
  Sensitivity line{all.keys[key], cluster.first, {}};
  for (const std::string& value : values_in(all, key, cluster.second)) {
    for (const std::size_t g : cluster.second) {
      if (all.values[key][g] == value) line.values.emplace_back(value, g);
    }
  }
  return line;
}

bool is_in_grid(const Sensitivity& line, const std::vector<SensitivityGrid>& grids) {
  return std::any_of(grids.begin(), grids.end(), [&](const SensitivityGrid& grid) {
    if (line.key != grid.row_key && line.key != grid.column_key) return false;
    return std::all_of(line.values.begin(), line.values.end(), [&](const auto& value) {
      return std::find(grid.groups.begin(), grid.groups.end(), value.second) != grid.groups.end();
    });
  });
}

}  // namespace

Sensitivities sensitivities_of(const Condition& condition) {
  const Varied all = varied(condition);
  const std::size_t groups = condition.groups.size();
  Sensitivities result;
  for (std::size_t row = 0; row < all.keys.size(); ++row) {
    if (is_name(all.keys[row])) continue;
    for (std::size_t column = row + 1; column < all.keys.size(); ++column) {
      if (is_name(all.keys[column])) continue;
      for (const Cluster& cluster : clusters(all, groups, {row, column})) {
        auto grid = grid_of(all, row, column, cluster);
        if (grid) result.grids.push_back(std::move(*grid));
      }
    }
  }
  for (std::size_t key = 0; key < all.keys.size(); ++key) {
    if (is_name(all.keys[key])) continue;
    for (const Cluster& cluster : clusters(all, groups, {key})) {
      auto line = line_of(all, key, cluster);
      if (line && !is_in_grid(*line, result.grids)) result.lines.push_back(std::move(*line));
    }
  }
  return result;
}

}  // namespace smcl::report
