#include "data/info.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

namespace smcl::data {
namespace {

std::size_t shot_group(int count, const ShotBounds& bounds) {
  if (count > bounds.many_above) return 0;
  return count < bounds.few_below ? 2 : 1;
}

void add(GroupInfo& group, int count) {
  ++group.classes;
  group.images += count;
}

std::vector<GroupInfo> thirds_of(const std::vector<int>& counts) {
  std::vector<std::size_t> by_rank(counts.size());
  std::iota(by_rank.begin(), by_rank.end(), std::size_t{0});
  std::stable_sort(by_rank.begin(), by_rank.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<GroupInfo> thirds{{"head"}, {"middle"}, {"tail"}};
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    add(thirds[3 * rank / by_rank.size()], counts[by_rank[rank]]);
  }
  return thirds;
}

void write_groups(std::ostringstream& out, const std::vector<GroupInfo>& groups) {
  for (const GroupInfo& group : groups) {
    out << std::left << std::setw(12) << group.name << std::right << std::setw(4) << group.classes
        << " classes";
    if (group.classes == 0) {
      out << "         -\n";
    } else {
      out << std::setw(10) << group.images << " images\n";
    }
  }
}

nlohmann::ordered_json groups_json(const std::vector<GroupInfo>& groups) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const GroupInfo& group : groups) {
    json[group.name] = {{"classes", group.classes}, {"images", nullptr}};
    if (group.classes > 0) json[group.name]["images"] = group.images;
  }
  return json;
}

}  // namespace

Info describe(const DataSettings& settings, const Opened& opened, const ShotBounds& bounds) {
  Info info;
  info.name = settings.name;
  info.height = opened.height;
  info.width = opened.width;
  info.class_names = opened.train->class_names();
  info.counts = opened.train_counts;
  info.train = static_cast<std::int64_t>(opened.train_samples.size());
  info.validation = static_cast<std::int64_t>(opened.validation_samples.size());
  info.test = static_cast<std::int64_t>(opened.test_samples.size());
  info.groups = {{"many"}, {"medium"}, {"few"}};
  for (const int count : info.counts) {
    GroupInfo& group = info.groups[shot_group(count, bounds)];
    add(group, count);
    info.class_group.push_back(group.name);
  }
  info.thirds = thirds_of(info.counts);
  const auto [least, most] = std::minmax_element(info.counts.begin(), info.counts.end());
  info.ratio =
      *least > 0 ? static_cast<double>(*most) / *least : std::numeric_limits<double>::infinity();
  info.hash = opened.hash;
  return info;
}

std::string to_text(const Info& info) {
  std::ostringstream out;
  out << "set         " << info.name << ", " << info.class_names.size() << " classes, "
      << info.height << " x " << info.width << " pixels\n"
      << "images      " << info.train << " training, ";
  if (info.validation > 0) {
    out << info.validation << " validation, ";
  } else {
    out << "- validation, ";
  }
  out << info.test << " test\n"
      << "imbalance   " << std::fixed << std::setprecision(1) << info.ratio
      << " (largest over smallest class)\n";
  write_groups(out, info.groups);
  write_groups(out, info.thirds);
  out << "data hash   " << info.hash << "\n\n";
  std::size_t width = 5;
  for (const std::string& name : info.class_names) width = std::max(width, name.size());
  const int column = static_cast<int>(width) + 2;
  out << "label  " << std::left << std::setw(column) << "class" << std::right << "images  group\n";
  for (std::size_t label = 0; label < info.counts.size(); ++label) {
    out << std::setw(5) << label << "  " << std::left << std::setw(column)
        << info.class_names[label] << std::right << std::setw(6) << info.counts[label] << "  "
        << info.class_group[label] << '\n';
  }
  return out.str();
}

nlohmann::ordered_json to_json(const Info& info) {
  nlohmann::ordered_json classes = nlohmann::ordered_json::array();
  for (std::size_t label = 0; label < info.counts.size(); ++label) {
    classes.push_back({{"label", label},
                       {"name", info.class_names[label]},
                       {"train_images", info.counts[label]},
                       {"group", info.class_group[label]}});
  }
  nlohmann::ordered_json json{{"format_version", 1},
                              {"name", info.name},
                              {"height", info.height},
                              {"width", info.width},
                              {"train_images", info.train},
                              {"validation_images", info.validation},
                              {"test_images", info.test},
                              {"ratio", nullptr},
                              {"groups", groups_json(info.groups)},
                              {"thirds", groups_json(info.thirds)},
                              {"classes", classes},
                              {"hash", info.hash}};
  if (std::isfinite(info.ratio)) json["ratio"] = info.ratio;
  return json;
}

}  // namespace smcl::data
