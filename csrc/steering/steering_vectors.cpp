#include "steering/steering_vectors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "moods/mood_error.hpp"
#include "vectors/blake2b.hpp"

namespace llamood {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t n_digest = 16;  // bytes

double inner_product(const float* one, const float* other, std::size_t n) {
    constexpr std::size_t n_lane = 4;  // sums side by side, so that none waits for the one before
    double sums[n_lane] = {};
    std::size_t i = 0;
    for (; i + n_lane <= n; i += n_lane) {
        for (std::size_t lane = 0; lane < n_lane; ++lane) {
            sums[lane] += static_cast<double>(one[i + lane]) * other[i + lane];
        }
    }
    for (; i < n; ++i) sums[0] += static_cast<double>(one[i]) * other[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::size_t size_of(const Bank& bank) {
    return static_cast<std::size_t>(bank.n_emotion()) * bank.n_layer() * bank.n_embd();
}

// Each vector of a layer as many times as (n_emotion, n_layer) factors say.
std::shared_ptr<const Bank> multiplied(const Bank& bank, const std::vector<double>& factors) {
    const auto width = static_cast<std::size_t>(bank.n_embd());
    const float* from = bank.vector(0, 0);
    std::vector<float> data(size_of(bank));
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<float>(static_cast<double>(from[i]) * factors[i / width]);
    }
    return std::make_shared<const Bank>(data.data(), bank.n_emotion(), bank.n_layer(),
                                        bank.n_embd());
}

}  // namespace

SteeringVectors::SteeringVectors(StoredVectors stored) : stored_(std::move(stored)) {
    const std::size_t n = stored_.names.size();
    factors_.assign(n * n_layer(), 1.0);
    units_.assign(n, 1.0);
    stored_.residual.resize(n_layer(), 0.0);
    for (const double ceiling : stored_.ceilings) is_calibrated_.push_back(std::isfinite(ceiling));
    measure();
}

// What follows from the vectors and their ceilings.
void SteeringVectors::measure() {
    const Bank& bank = *stored_.bank;
    const auto width = static_cast<std::size_t>(bank.n_embd());
    for (int emotion = 0; emotion < bank.n_emotion(); ++emotion) {
        for (int layer = 0; layer < bank.n_layer(); ++layer) {
            const float* row = bank.vector(emotion, layer);
            sizes_.push_back(std::sqrt(inner_product(row, row, width) / bank.n_embd()));
        }
        const auto at = static_cast<std::size_t>(emotion);
        if (!is_calibrated_[at]) stored_.ceilings[at] = safe_intensity(at);
    }
}

// (n_emotion, n_layer): the root mean squares of vectors as parts of the hidden state's; 0 where
// that is not known.
std::vector<double> SteeringVectors::shares(const std::vector<double>& residual) const {
    std::vector<double> shares(sizes_.size(), 0.0);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const double all = residual[i % residual.size()];
        if (all > 0.0) shares[i] = sizes_[i] / all;
    }
    return shares;
}

// That which adds safe_sum; infinite where that is not known.
double SteeringVectors::safe_intensity(std::size_t emotion) const {
    double sum = 0.0;
    for (int layer = first_layer(); layer < n_layer(); ++layer) {
        const double all = stored_.residual[layer];
        if (all > 0.0) sum += sizes_[emotion * n_layer() + layer] / all;
    }
    return sum > 0.0 ? safe_sum / sum : infinity;
}

std::shared_ptr<const SteeringVectors> SteeringVectors::relative() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (relative_ != nullptr) return relative_;
    const auto& residual = stored_.residual;
    const auto is_known = [](double size) { return size > 0.0; };
    const auto n_known = std::count_if(residual.begin(), residual.end(), is_known);
    if (n_known == 0) {
        throw MoodError("$dose",
                        "relative needs the residual RMS of the model, which is not stored with "
                        "these vectors; measure them with llamood extract, or leave $dose out");
    }
    std::vector<double> factors(sizes_.size(), 0.0);
    for (std::size_t i = 0; i < factors.size(); ++i) {
        if (sizes_[i] > 0.0) factors[i] = residual[i % residual.size()] / sizes_[i];
    }
    StoredVectors stored = stored_;
    stored.bank = multiplied(*stored_.bank, factors);
    std::vector<double> units;
    const std::vector<double> shares = this->shares(residual);
    for (std::size_t emotion = 0; emotion < stored.names.size(); ++emotion) {
        double square = 0.0;
        for (std::size_t layer = 0; layer < residual.size(); ++layer) {
            const double share = shares[emotion * residual.size() + layer];
            square += share * share;
        }
        const double unit = std::sqrt(square / static_cast<double>(n_known));
        units.push_back(unit == 0.0 ? 1.0 : unit);  // zeros are as strong in any dose
        stored.ceilings[emotion] =
            is_calibrated_[emotion] ? stored.ceilings[emotion] * units.back() : infinity;
    }
    auto relative = std::make_shared<SteeringVectors>(std::move(stored));
    relative->factors_ = std::move(factors);
    relative->units_ = std::move(units);
    relative->stored_digest_ = digest();
    relative_ = std::move(relative);
    return relative_;
}

const std::string& SteeringVectors::digest() const {
    std::call_once(is_digested_, [this] {
        const bool is_relative = !stored_digest_.empty();
        const bool is_usual = stored_.site == "layer_out" || is_relative;
        Blake2b hash(n_digest, is_usual ? "" : stored_.site);
        hash.add(stored_digest_);
        hash.add(stored_.bank->vector(0, 0), size_of(*stored_.bank) * sizeof(float));
        digest_ = hash.digest();
    });
    return digest_;
}

void SteeringVectors::fill_grams() const {
    const Bank& bank = *stored_.bank;
    const std::size_t n = stored_.names.size();
    const auto width = static_cast<std::size_t>(bank.n_embd());
    grams_.resize(n * n * bank.n_layer());
    for (int layer = 0; layer < bank.n_layer(); ++layer) {
        double* gram = grams_.data() + layer * n * n;
        double squares = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            const float* one = bank.vector(static_cast<int>(i), layer);
            for (std::size_t j = 0; j <= i; ++j) {
                const float* other = bank.vector(static_cast<int>(j), layer);
                gram[i * n + j] = gram[j * n + i] = inner_product(one, other, width);
            }
            squares += gram[i * n + i];
        }
        const double unit = squares == 0.0 ? 1.0 : squares / static_cast<double>(n);
        std::for_each(gram, gram + n * n, [unit](double& product) { product /= unit; });
    }
}

std::vector<double> SteeringVectors::gram(LayerRange layers) const {
    std::call_once(has_grams_, [this] { fill_grams(); });
    const std::size_t n = names().size() * names().size();
    const int first = std::max(layers.first, first_layer());
    const int last = std::min(layers.last, n_layer() - 1);
    std::vector<double> mean(n, 0.0);
    for (int layer = first; layer <= last; ++layer) {
        const double* gram = grams_.data() + static_cast<std::size_t>(layer) * n;
        for (std::size_t i = 0; i < n; ++i) mean[i] += gram[i];
    }
    for (double& each : mean) each /= last - first + 1;
    return mean;
}

std::vector<double> SteeringVectors::fluent(LayerRange layers) const {
    std::vector<double> sizes = shares(stored_.residual);
    const auto is_some = [](double size) { return size != 0.0; };
    if (std::none_of(sizes.begin(), sizes.end(), is_some)) sizes = sizes_;
    const auto added = [this, &sizes](std::size_t emotion, int first, int last) {
        double sum = 0.0;
        for (int layer = first; layer <= last; ++layer) sum += sizes[emotion * n_layer() + layer];
        return sum;
    };
    std::vector<double> fluent;
    for (std::size_t emotion = 0; emotion < names().size(); ++emotion) {
        const double within = added(emotion, std::max(layers.first, first_layer()), layers.last);
        const double all = added(emotion, first_layer(), n_layer() - 1);
        fluent.push_back(ceilings()[emotion] * (within > 0.0 ? all / within : infinity));
    }
    return fluent;
}

double size_of(const std::vector<double>& weights, const std::vector<double>& gram) {
    const std::size_t n = weights.size();
    double square = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        double product = 0.0;
        for (std::size_t j = 0; j < n; ++j) product += gram[i * n + j] * weights[j];
        square += weights[i] * product;
    }
    return std::sqrt(std::max(square, 0.0));
}

}  // namespace llamood
