#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/features.h"

namespace smcl::metrics {

/// The k nearest rows of a gallery for each query, the nearest first.
struct Neighbours {
  int k = 0;
  std::vector<std::uint32_t> rows;  ///< queries x k, of the gallery
  std::vector<float> cosines;       ///< the same
  std::size_t size() const { return k > 0 ? rows.size() / static_cast<std::size_t>(k) : 0; }
};

/// Exact search by cosine, every query against every row, in blocks that stay in the cache. The sum
/// of a cosine runs over the dimensions in order, whatever the instruction set and the split into
/// calls, so that the same features give the same bits.
class NeighbourSearch {
 public:
  /// `gallery`: unit rows (unit_rows), kept as a transposed copy. Throws UsageError where k is not
  /// in [1, rows - `left_out`]: as many may be left out of a search.
  NeighbourSearch(const Features& gallery, int k, int left_out);

  /// Memory for the result of `queries`.
  Neighbours prepare(std::size_t queries) const;
  /// Searches for queries [begin, end) of unit rows and writes their part of `out`, whose memory is
  /// there; safe from many threads on parts that do not overlap. `own`: the gallery's row that is
  /// the query's own image and is left out, -1 for none; empty: none anywhere. Of equal cosines the
  /// earlier row is nearer. Throws InternalError where sizes do not fit.
  void search(const Features& queries, std::span<const std::int64_t> own, std::size_t begin,
              std::size_t end, Neighbours& out) const;

 private:
  int k_;
  int dim_;
  std::size_t rows_;
  std::vector<float> blocks_;  // of kBlock rows each, transposed: dim x kBlock
};

/// What counts as agreement of a neighbour with a query: its category lies in the query's set.
struct Categories {
  std::vector<std::int32_t> of_row;             ///< of each row of the gallery, 0 or more
  std::vector<std::vector<std::uint8_t>> sets;  ///< for each set, 1 for the categories in it
};

/// A number a query.
struct Agreement {
  std::vector<double> share;   ///< of its neighbours that agree, in [0, 1]
  std::vector<double> chance;  ///< of all rows but its own: what neighbours at random would give
};

/// `set_of`: the set of each query; `own` as above. Throws InternalError where sizes, categories or
/// sets do not fit.
Agreement agreement(const Neighbours& neighbours, const Categories& categories,
                    std::span<const std::int32_t> set_of, std::span<const std::int64_t> own);

}  // namespace smcl::metrics
