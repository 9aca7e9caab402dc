#include "vectors/caps.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "vectors/blake2b.hpp"

namespace llamood {

namespace {

constexpr int most_rounds = 32;
constexpr double rounding = 1e-6;  // of the length of a hidden state, which is float32

double projection(const std::vector<float>& direction, const float* row) {
    double sum = 0.0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
        sum += static_cast<double>(row[i]) * direction[i];
    }
    return sum;
}

double length(const float* row, std::size_t n) {
    double square = 0.0;
    for (std::size_t i = 0; i < n; ++i) square += static_cast<double>(row[i]) * row[i];
    return std::sqrt(square);
}

// How far what is projected so lies beyond a bound, with its sign; 0 where it is kept.
double beyond(const Cap& cap, double projected) {
    if (projected > cap.high) return projected - cap.high;
    return projected < cap.low ? projected - cap.low : 0.0;
}

}  // namespace

Caps::Caps(std::vector<Cap> caps) : caps_(std::move(caps)) {
    if (caps_.empty()) throw std::invalid_argument("expected one cap or more");
    Blake2b hash(16);
    for (const Cap& cap : caps_) {
        if (cap.direction.empty() || cap.direction.size() != caps_[0].direction.size()) {
            throw std::invalid_argument("expected directions of one width");
        }
        if (!(cap.low <= cap.high) || cap.layer < 0) {
            throw std::invalid_argument("expected a low up to its high, in a layer from 0 on");
        }
        last_layer_ = std::max(last_layer_, cap.layer);
        hash.add(std::to_string(cap.layer) + ":");
        hash.add(&cap.low, sizeof cap.low);
        hash.add(&cap.high, sizeof cap.high);
        hash.add(cap.direction.data(), cap.direction.size() * sizeof(float));
    }
    digest_ = hash.digest();
}

bool Caps::is_in(int layer) const {
    return std::any_of(caps_.begin(), caps_.end(),
                       [layer](const Cap& cap) { return cap.layer == layer; });
}

bool Caps::keep(int layer, float* row) const {
    bool was_beyond = false;
    double slack = 0.0;
    for (int round = 0; round < most_rounds; ++round) {
        bool is_kept = true;
        for (const Cap& cap : caps_) {
            if (cap.layer != layer) continue;
            const double excess = beyond(cap, projection(cap.direction, row));
            if (std::fabs(excess) <= slack) continue;
            is_kept = false;
            for (std::size_t i = 0; i < cap.direction.size(); ++i) {
                row[i] = static_cast<float>(row[i] - excess * cap.direction[i]);
            }
        }
        if (is_kept) break;
        was_beyond = true;
        slack = rounding * length(row, caps_[0].direction.size());
    }
    return was_beyond;
}

}  // namespace llamood
