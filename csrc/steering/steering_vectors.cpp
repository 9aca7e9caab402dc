#include "steering/steering_vectors.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace llamood {

namespace {

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

// The intensity of a vector (n_layer, n_embd) that adds safe_sum; infinite where that is not known.
double safe_intensity(const float* vector, int n_embd, int first_layer,
                      const std::vector<double>& residual) {
    const auto width = static_cast<std::size_t>(n_embd);
    double sum = 0.0;
    for (auto layer = static_cast<std::size_t>(first_layer); layer < residual.size(); ++layer) {
        if (residual[layer] <= 0.0) continue;
        const float* row = vector + layer * width;
        sum += std::sqrt(inner_product(row, row, width) / n_embd) / residual[layer];
    }
    return sum > 0.0 ? safe_sum / sum : std::numeric_limits<double>::infinity();
}

}  // namespace

SteeringVectors::SteeringVectors(Names names, std::vector<double> ceilings, const float* data,
                                 int n_layer, int n_embd, int first_layer,
                                 const std::vector<double>& residual)
    : names_(std::move(names)),
      ceilings_(std::move(ceilings)),
      n_layer_(n_layer),
      first_layer_(first_layer) {
    const std::size_t n = names_.size();
    const auto width = static_cast<std::size_t>(n_embd);
    const auto depth = static_cast<std::size_t>(n_layer);
    grams_.resize(depth * n * n);
    const auto vector = [&](std::size_t emotion, std::size_t layer) {
        return data + (emotion * depth + layer) * width;
    };
    for (std::size_t layer = 0; layer < depth; ++layer) {
        double* gram = grams_.data() + layer * n * n;
        double squares = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                gram[i * n + j] = inner_product(vector(i, layer), vector(j, layer), width);
                gram[j * n + i] = gram[i * n + j];
            }
            squares += gram[i * n + i];
        }
        const double unit = squares == 0.0 ? 1.0 : squares / static_cast<double>(n);
        std::for_each(gram, gram + n * n, [unit](double& product) { product /= unit; });
    }
    for (std::size_t i = 0; i < n; ++i) {
        is_calibrated_.push_back(std::isfinite(ceilings_[i]));
        if (is_calibrated_[i]) continue;
        ceilings_[i] = safe_intensity(vector(i, 0), n_embd, first_layer, residual);
    }
}

std::vector<double> SteeringVectors::gram(LayerRange layers) const {
    const std::size_t n = names_.size() * names_.size();
    const int first = std::max(layers.first, first_layer_);
    const int last = std::min(layers.last, n_layer_ - 1);
    std::vector<double> mean(n, 0.0);
    for (int layer = first; layer <= last; ++layer) {
        const double* gram = grams_.data() + static_cast<std::size_t>(layer) * n;
        for (std::size_t i = 0; i < n; ++i) mean[i] += gram[i] / (last - first + 1);
    }
    return mean;
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
