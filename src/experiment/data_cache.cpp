#include "experiment/data_cache.h"

#include <algorithm>

namespace smcl::experiment {

std::shared_ptr<const data::Opened> DataCache::open(const Recipe& recipe) {
  std::string key;
  for (const config::Resolved& setting : recipe.resolved) {
    if (setting.key.starts_with("data.") || setting.key.starts_with("scenes.")) {
      key += setting.key + "=" + setting.value + "\n";
    }
  }
  // One at a time: two runs that want the same data must not both open them.
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const auto& each) { return each.first == key; });
  auto data = found != open_.end()
                  ? found->second
                  : std::make_shared<const data::Opened>(data::open_data(recipe.data));
  if (found != open_.end()) open_.erase(found);
  open_.emplace_front(key, data);
  if (open_.size() > kept_) open_.pop_back();
  return data;
}

}  // namespace smcl::experiment
