#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "data/open.h"
#include "experiment/recipe.h"

namespace smcl::experiment {

/// Data sets that several runs share: those of the last few recipes stay open. Threads may use it
/// at the same time.
class DataCache {
 public:
  /// `kept` at least 1.
  explicit DataCache(std::size_t kept) : kept_(kept) {}
  /// Throws as data::open_data.
  std::shared_ptr<const data::Opened> open(const Recipe& recipe);

 private:
  std::size_t kept_;
  std::mutex mutex_;
  std::deque<std::pair<std::string, std::shared_ptr<const data::Opened>>> open_;  // newest first
};

}  // namespace smcl::experiment
