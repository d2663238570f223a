#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace smcl::train {

/// How far a run has come, with the sums of the epoch under way: beside the network's state all
/// that the loop needs to go on with the same bits.
struct RunPoint {
  int epoch = 0;  ///< 0-based
  /// The epoch's next step, 0-based. Steps an epoch: all are done, its evaluations are not.
  int step = 0;
  double loss = 0.0;  ///< sums over the images of the ordinary stream
  double classification = 0.0;
  double contrast = 0.0;
  std::int64_t images = 0;
  std::int64_t contrast_images = 0;  ///< images of the steps with a contrastive part
  int masked_steps = 0;
  std::optional<double> mean_cosine;  ///< of the last step that had embeddings
  std::optional<double> zero_features;
  double seconds = 0.0;  ///< spent on the epoch's steps
  double data_wait = 0.0;
};

nlohmann::json to_json(const RunPoint& point);
/// Throws DataError, naming `origin`, where something is missing, of another type or out of range.
RunPoint run_point_from(const nlohmann::json& json, const std::string& origin);

/// Keeps what a resume needs.
class Keeper {
 public:
  virtual ~Keeper() = default;
  /// The run has come to `point`. Called at whole steps, before the events that follow.
  virtual void note(const RunPoint& point) = 0;
  /// Stores the noted point with the network as it is now: nothing has changed the network since.
  /// Throws IoError; what was stored before is then intact.
  virtual void save() = 0;
};

}  // namespace smcl::train
