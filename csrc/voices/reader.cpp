#include "voices/reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace llamood {

namespace {

constexpr double half_life = 8.0;  // tokens; single tokens say little, and in bursts
constexpr int reach = 64;          // tokens; what lies further back counts for nothing

}  // namespace

Reader::Reader(std::shared_ptr<const Baseline> baseline, const Probe& probe, int sequence,
               int n_ctx)
    : baseline_(std::move(baseline)),
      probe_(probe),
      sequence_(sequence),
      n_emotion_(baseline_->n_emotion()),
      moved_(n_ctx * n_emotion_) {}

void Reader::note(int begin, int n, const std::vector<float>& weights, LayerRange range) {
    std::vector<double> moved(n_emotion_);
    const int n_layer = static_cast<int>(baseline_->response.size() / (n_emotion_ * n_emotion_));
    const int last = std::min(range.last, n_layer - 1);
    for (int layer = std::max(range.first, 1); layer <= last; ++layer) {
        const double* response = baseline_->response.data() + layer * n_emotion_ * n_emotion_;
        for (std::size_t k = 0; k < n_emotion_; ++k) {
            for (std::size_t r = 0; r < n_emotion_; ++r) {
                moved[r] += weights[k] * response[k * n_emotion_ + r];
            }
        }
    }
    for (int i = 0; i < n; ++i) {
        std::copy(moved.begin(), moved.end(), moved_.begin() + (begin + i) * n_emotion_);
    }
}

std::vector<float> Reader::reading(int begin, int end) const {
    begin = std::max({begin, end - reach, 1});  // the first position of all is an outlier
    if (begin >= end) return {};
    const std::size_t n_projection = baseline_->mean.size();
    std::vector<float> read((end - begin) * n_projection);
    probe_.read(sequence_, begin, end - begin, read.data());
    std::vector<double> total(n_emotion_);
    double weight = 0.0;
    const double kept = std::exp2(-1.0 / half_life);
    for (int i = 0; i < end - begin; ++i) {
        const float* row = read.data() + i * n_projection;
        const double* moved = moved_.data() + (begin + i) * n_emotion_;
        const bool is_read =
            std::none_of(row, row + n_projection, [](float v) { return std::isnan(v); });
        weight = kept * weight + (is_read ? 1.0 : 0.0);
        for (double& sum : total) sum *= kept;
        if (!is_read) continue;
        for (std::size_t k = 0; k < n_emotion_; ++k) total[k] -= moved[k];
        for (std::size_t p = 0; p < n_projection; ++p) {
            total[p % n_emotion_] += (row[p] - baseline_->mean[p]) * baseline_->weights[p];
        }
    }
    if (weight == 0.0) return {};
    std::vector<float> reading;
    for (const double sum : total) reading.push_back(static_cast<float>(sum / weight));
    return reading;
}

}  // namespace llamood
