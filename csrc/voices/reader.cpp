#include "voices/reader.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "vectors/blake2b.hpp"

namespace llamood {

namespace {

constexpr int reach = 64;  // tokens; what lies further back counts for nothing

}  // namespace

Projector::Projector(std::shared_ptr<const Baseline> baseline,
                     std::shared_ptr<const SteeringVectors> stored, Probe& probe)
    : baseline_(std::move(baseline)), stored_(std::move(stored)), probe_(probe) {}

const std::vector<double>& Projector::moves(Dose dose, LayerRange layers) {
    const auto [place, is_new] = moves_.try_emplace({dose, layers.first, layers.last});
    std::vector<double>& moves = place->second;
    if (!is_new) return moves;
    const auto vectors = dose == Dose::stored ? stored_ : stored_->relative();
    const std::vector<double>& factors = vectors->factors();
    const std::size_t n = n_emotion();
    const int n_layer = vectors->n_layer();
    moves.resize(n * n);
    const int last = std::min(layers.last, n_layer - 1);
    for (int layer = std::max(layers.first, 1); layer <= last; ++layer) {
        const double* response = baseline_->response.data() + layer * n * n;
        for (std::size_t k = 0; k < n; ++k) {
            const double factor = factors[k * n_layer + layer];
            for (std::size_t r = 0; r < n; ++r) moves[k * n + r] += factor * response[k * n + r];
        }
    }
    return moves;
}

Reader::Reader(std::shared_ptr<Projector> projector, int sequence, int n_ctx)
    : projector_(std::move(projector)),
      sequence_(sequence),
      moved_(static_cast<std::size_t>(n_ctx) * projector_->n_emotion()) {}

void Reader::require(int begin, int end) const {
    const std::size_t n_ctx = moved_.size() / projector_->n_emotion();
    if (begin >= 0 && begin <= end && static_cast<std::size_t>(end) <= n_ctx) return;
    throw std::out_of_range("positions " + std::to_string(begin) + " to " + std::to_string(end) +
                            " are not among the " + std::to_string(n_ctx) + " that are read");
}

void Reader::note(int begin, int n, const Blend& blend) {
    require(begin, begin + n);
    const std::size_t n_emotion = projector_->n_emotion();
    const auto to = moved_.begin() + static_cast<std::ptrdiff_t>(begin * n_emotion);
    if (n <= 0) return;
    if (blend.key == 0) {
        std::fill_n(to, n * n_emotion, 0.0);
        return;
    }
    note_rows(begin, 1, blend.weights.data(), blend.dose, blend.layers);
    for (int i = 1; i < n; ++i) {
        std::copy_n(to, n_emotion, to + static_cast<std::ptrdiff_t>(i * n_emotion));
    }
}

void Reader::note_rows(int begin, int n, const float* rows, Dose dose, LayerRange layers) {
    require(begin, begin + n);
    const std::size_t n_emotion = projector_->n_emotion();
    const std::vector<double>& moves = projector_->moves(dose, layers);
    double* to = moved_.data() + begin * n_emotion;
    for (int i = 0; i < n; ++i, rows += n_emotion, to += n_emotion) {
        std::fill_n(to, n_emotion, 0.0);
        for (std::size_t k = 0; k < n_emotion; ++k) {
            for (std::size_t r = 0; r < n_emotion; ++r) to[r] += rows[k] * moves[k * n_emotion + r];
        }
    }
}

std::vector<double> Reader::scores(int begin, int end) const {
    const Baseline& baseline = projector_->baseline();
    const std::size_t n_emotion = projector_->n_emotion();
    const std::size_t n_projection = baseline.mean.size();
    require(begin, end);
    const int n = end - begin;
    std::vector<float> read(n * n_projection);
    projector_->probe().read(sequence_, begin, n, read.data());
    std::vector<double> scores(n * n_emotion);
    for (int i = 0; i < n; ++i) {
        double* score = scores.data() + i * n_emotion;
        const float* row = read.data() + i * n_projection;
        for (std::size_t p = 0; p < n_projection; ++p) {
            score[p % n_emotion] += (row[p] - baseline.mean[p]) * baseline.weights[p];
        }
        const double* moved = moved_.data() + (begin + i) * n_emotion;
        for (std::size_t k = 0; k < n_emotion; ++k) score[k] -= moved[k];
    }
    return scores;
}

Reader::Heard Reader::heard(int begin, int end) const {
    begin = std::max({begin, end - reach, 1});  // the first position of all is an outlier
    if (begin >= end) return {};
    const std::size_t n_emotion = projector_->n_emotion();
    const std::vector<double> scores = this->scores(begin, end);
    const double kept = std::exp2(-1.0 / reading_half_life);
    std::vector<double> total(n_emotion);
    double weight = 0.0;
    bool is_read = false;
    for (auto score = scores.begin(); score != scores.end(); score += n_emotion) {
        is_read = std::none_of(score, score + n_emotion, [](double v) { return std::isnan(v); });
        weight = kept * weight + (is_read ? 1.0 : 0.0);
        for (std::size_t k = 0; k < n_emotion; ++k) {
            total[k] = kept * total[k] + (is_read ? score[k] : 0.0);
        }
    }
    Heard heard;
    if (weight > 0.0) {
        for (double& sum : total) sum /= weight;
        heard.reading = std::move(total);
    }
    if (is_read) heard.score.assign(scores.end() - n_emotion, scores.end());
    return heard;
}

std::vector<double> Reader::mean(int begin, int end) const {
    begin = std::max(begin, 1);
    if (begin >= end) return {};
    const std::size_t n_emotion = projector_->n_emotion();
    const std::vector<double> scores = this->scores(begin, end);
    std::vector<double> total(n_emotion);
    double n_read = 0.0;
    for (auto score = scores.begin(); score != scores.end(); score += n_emotion) {
        if (std::any_of(score, score + n_emotion, [](double v) { return std::isnan(v); })) continue;
        n_read += 1.0;
        for (std::size_t k = 0; k < n_emotion; ++k) total[k] += score[k];
    }
    if (n_read == 0.0) return {};
    for (double& sum : total) sum /= n_read;
    return total;
}

Read Reader::named(const std::vector<double>& reading) const {
    Read by_name;
    for (std::size_t i = 0; i < reading.size(); ++i) by_name[projector_->names()[i]] = reading[i];
    return by_name;
}

Reader::Past Reader::past(int n) const {
    require(0, n);
    Past past{std::vector<float>(n * projector_->baseline().mean.size()),
              {moved_.begin(),
               moved_.begin() + static_cast<std::ptrdiff_t>(n * projector_->n_emotion())}};
    projector_->probe().read(sequence_, 0, n, past.read.data());
    return past;
}

void Reader::restore(int n, const Past& past) {
    require(0, n);
    const auto size = static_cast<std::size_t>(n);
    if (past.read.size() != size * projector_->baseline().mean.size() ||
        past.moved.size() != size * projector_->n_emotion()) {
        throw std::invalid_argument("what was read is not of " + std::to_string(n) +
                                    " positions in this baseline");
    }
    projector_->probe().put(sequence_, 0, n, past.read.data());
    std::copy(past.moved.begin(), past.moved.end(), moved_.begin());
}

std::string Reader::origin() const {
    const Baseline& baseline = projector_->baseline();
    Blake2b hash(16);
    hash.add(baseline.layers.data(), baseline.layers.size() * sizeof(int));
    for (const auto* numbers : {&baseline.mean, &baseline.weights}) {
        // In fewer digits, as Python adds up in another order.
        const std::vector<float> rounded(numbers->begin(), numbers->end());
        hash.add(rounded.data(), rounded.size() * sizeof(float));
    }
    return hash.hex();
}

void Reader::forget() {
    projector_->probe().forget(sequence_, 0);
    std::fill(moved_.begin(), moved_.end(), 0.0);
}

}  // namespace llamood
