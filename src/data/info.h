#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/open.h"

namespace smcl::data {

/// Bounds of the shot groups by training count: many above, few below, medium between
/// (docs/protocol.md).
struct ShotBounds {
  int many_above = 100;
  int few_below = 20;
};

/// A group of classes.
struct GroupInfo {
  std::string name;  ///< many, medium, few; head, middle, tail
  int classes = 0;
  std::int64_t images = 0;
};

/// What `smcl data info` shows of an opened set.
struct Info {
  std::string name;
  int height = 0;
  int width = 0;
  std::vector<std::string> class_names;  ///< in label order
  std::vector<int> counts;               ///< training images a class
  std::vector<std::string> class_group;  ///< shot group of each class
  std::int64_t train = 0;
  std::int64_t validation = 0;
  std::int64_t test = 0;
  double ratio = 0.0;             ///< largest over smallest class; infinite where one is empty
  std::vector<GroupInfo> groups;  ///< many, medium, few
  /// head, middle, tail: the class of rank r (by count, then by label) of C is in third 3r / C
  std::vector<GroupInfo> thirds;
  std::string hash;
};

Info describe(const DataSettings& settings, const Opened& opened, const ShotBounds& bounds = {});

/// For people. An empty group shows a dash.
std::string to_text(const Info& info);
/// An infinite ratio and the images of an empty group are null.
nlohmann::ordered_json to_json(const Info& info);

}  // namespace smcl::data
