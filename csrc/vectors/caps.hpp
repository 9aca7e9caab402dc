// Between what a hidden state's projections on given directions are kept: a bound on hidden states,
// not on words.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace llamood {

// Of one layer. direction: (n_embd), of unit length; low, high: in units of the projection,
// infinite where there is no bound.
struct Cap {
    int layer;
    double low;
    double high;
    std::vector<float> direction;
};

// Never changes.
class Caps {
  public:
    // In the order in which they are kept. Throws std::invalid_argument for none, for directions of
    // unequal width, and for a low above its high.
    explicit Caps(std::vector<Cap> caps);

    // Changes a hidden state (n_embd) of a layer only where a projection lies beyond its bounds, by
    // as little as brings it there; returns whether it did. Of several directions in a layer, which
    // may lean on each other, rounds are made until all are kept, or 32.
    bool keep(int layer, float* row) const;

    bool is_in(int layer) const;
    int last_layer() const { return last_layer_; }
    int n_embd() const { return static_cast<int>(caps_[0].direction.size()); }
    // 16 bytes that tell one from another.
    const std::string& digest() const { return digest_; }

  private:
    std::vector<Cap> caps_;
    int last_layer_ = 0;
    std::string digest_;
};

using CapsPtr = std::shared_ptr<const Caps>;  // null where nothing is kept

}  // namespace llamood
