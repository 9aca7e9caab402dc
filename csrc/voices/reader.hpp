// What one voice expresses, read off its hidden states position by position. The same in Python is
// python/llamood/readings/reader.py.
#pragma once

#include <memory>
#include <vector>

#include "graph/probe.hpp"
#include "vectors/bank.hpp"
#include "voices/baseline.hpp"

namespace llamood {

class Reader {
  public:
    // probe: of the baseline's layers and directions. n_ctx: how many positions the voice has.
    Reader(std::shared_ptr<const Baseline> baseline, const Probe& probe, int sequence, int n_ctx);

    // `n` positions from `begin` on are decoded under these weights (n_emotion), in layers `range`.
    void note(int begin, int n, const std::vector<float>& weights, LayerRange range);

    // (n_emotion): the mean z-score of the positions from `begin` to before `end`, of which those
    // that lie 8 further back count half; empty where nothing was read. 0 is as in neutral text.
    std::vector<float> reading(int begin, int end) const;

  private:
    std::shared_ptr<const Baseline> baseline_;
    const Probe& probe_;
    int sequence_;
    std::size_t n_emotion_;
    std::vector<double> moved_;  // (n_ctx, n_emotion), by what was added
};

}  // namespace llamood
