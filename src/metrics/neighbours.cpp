#include "metrics/neighbours.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace smcl::metrics {
namespace {

constexpr std::size_t kBlock = 32;

/// Cosines of one query with a block of rows.
void block_cosines(std::span<const float> query, const float* block, float* out) {
  std::array<float, kBlock> sums{};
  for (const float value : query) {
    for (std::size_t j = 0; j < kBlock; ++j) sums[j] += value * block[j];
    block += kBlock;
  }
  std::copy(sums.begin(), sums.end(), out);
}

/// The nearest so far, in the result's own memory.
class Best {
 public:
  Best(std::uint32_t* rows, float* cosines, std::size_t k)
      : rows_(rows), cosines_(cosines), k_(k) {}

  void offer(std::size_t row, float cosine) {
    if (count_ == k_ && !(cosine > cosines_[k_ - 1])) return;
    std::size_t place = count_ < k_ ? count_++ : k_ - 1;
    for (; place > 0 && cosine > cosines_[place - 1]; --place) {
      cosines_[place] = cosines_[place - 1];
      rows_[place] = rows_[place - 1];
    }
    cosines_[place] = cosine;
    rows_[place] = static_cast<std::uint32_t>(row);
  }

 private:
  std::uint32_t* rows_;
  float* cosines_;
  std::size_t k_;
  std::size_t count_ = 0;
};

}  // namespace

NeighbourSearch::NeighbourSearch(const Features& gallery, int k, int left_out)
    : k_(k), dim_(gallery.dim), rows_(gallery.size()) {
  const auto most = static_cast<std::int64_t>(rows_) - left_out;
  if (k < 1 || k > most) {
    throw UsageError(concat("k = ", k, " nearest of ", rows_, " images",
                            left_out > 0 ? ", the image itself left out" : "", ": expected 1 to ",
                            most));
  }
  const auto dim = static_cast<std::size_t>(dim_);
  blocks_.assign((rows_ + kBlock - 1) / kBlock * kBlock * dim, 0.0F);
  for (std::size_t row = 0; row < rows_; ++row) {
    const auto values = gallery.row(row);
    float* block = blocks_.data() + row / kBlock * kBlock * dim;
    for (std::size_t d = 0; d < dim; ++d) block[d * kBlock + row % kBlock] = values[d];
  }
}

Neighbours NeighbourSearch::prepare(std::size_t queries) const {
  const std::size_t places = queries * static_cast<std::size_t>(k_);
  return {k_, std::vector<std::uint32_t>(places), std::vector<float>(places)};
}

void NeighbourSearch::search(const Features& queries, std::span<const std::int64_t> own,
                             std::size_t begin, std::size_t end, Neighbours& out) const {
  if (queries.dim != dim_ || end > queries.size() || out.size() != queries.size() || out.k != k_ ||
      (!own.empty() && own.size() != queries.size())) {
    throw InternalError(concat("neighbours of ", queries.size(), " queries of ", queries.dim,
                               " values: expected ", dim_, " values, room for all, and one own ",
                               "row a query"));
  }
  const auto k = static_cast<std::size_t>(k_);
  const auto dim = static_cast<std::size_t>(dim_);
  std::array<float, kBlock> cosines{};
  for (std::size_t i = begin; i < end; ++i) {
    Best best(out.rows.data() + i * k, out.cosines.data() + i * k, k);
    const std::int64_t left_out = own.empty() ? -1 : own[i];
    for (std::size_t first = 0; first < rows_; first += kBlock) {
      block_cosines(queries.row(i), blocks_.data() + first * dim, cosines.data());
      const std::size_t count = std::min(kBlock, rows_ - first);
      for (std::size_t j = 0; j < count; ++j) {
        if (static_cast<std::int64_t>(first + j) != left_out) best.offer(first + j, cosines[j]);
      }
    }
  }
}

Agreement agreement(const Neighbours& neighbours, const Categories& categories,
                    std::span<const std::int32_t> set_of, std::span<const std::int64_t> own) {
  const std::size_t queries = neighbours.size();
  if (set_of.size() != queries || (!own.empty() && own.size() != queries)) {
    throw InternalError(concat("agreement of ", queries, " queries: got ", set_of.size(),
                               " sets and ", own.size(), " own rows"));
  }
  const auto in_set = [&](std::int32_t set, std::int32_t category) {
    return categories.sets.at(static_cast<std::size_t>(set))
               .at(static_cast<std::size_t>(category)) != 0;
  };
  std::vector<double> rows_in(categories.sets.size());
  for (std::size_t set = 0; set < rows_in.size(); ++set) {
    for (const std::int32_t category : categories.of_row) {
      if (in_set(static_cast<std::int32_t>(set), category)) rows_in[set] += 1.0;
    }
  }
  const auto k = static_cast<std::size_t>(neighbours.k);
  Agreement result;
  for (std::size_t i = 0; i < queries; ++i) {
    double hits = 0.0;
    for (std::size_t n = i * k; n < (i + 1) * k; ++n) {
      if (in_set(set_of[i], categories.of_row.at(neighbours.rows[n]))) hits += 1.0;
    }
    result.share.push_back(hits / static_cast<double>(k));
    double all = static_cast<double>(categories.of_row.size());
    double agree = rows_in.at(static_cast<std::size_t>(set_of[i]));
    if (!own.empty() && own[i] >= 0) {
      all -= 1.0;
      if (in_set(set_of[i], categories.of_row.at(static_cast<std::size_t>(own[i])))) agree -= 1.0;
    }
    result.chance.push_back(all > 0.0 ? agree / all : 0.0);
  }
  return result;
}

}  // namespace smcl::metrics
