#include "moods/affect_fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "text/letters.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

// (n, n), symmetric.
using Matrix = std::vector<double>;

double trace(const Matrix& matrix, std::size_t n) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += matrix[i * n + i];
    return sum;
}

// What the known emotions have in one layer, (n, n_embd), as it was measured.
class MeasuredLayer {
  public:
    MeasuredLayer(const Bank& bank, const std::vector<double>& scales, bool are_increments,
                  const std::vector<int>& emotions)
        : bank_(bank),
          scales_(scales),
          are_increments_(are_increments),
          emotions_(emotions),
          sums_(emotions.size() * width(), 0.0),
          rows_(sums_.size()) {}

    // Layers are asked for one after the other, from 0 on.
    const std::vector<double>& at(int layer) {
        for (std::size_t i = 0; i < emotions_.size(); ++i) {
            const float* vector = bank_.vector(emotions_[i], layer);
            const double scale = scales_[emotions_[i]];
            const std::size_t begin = i * width();
            for (std::size_t k = 0; k < width(); ++k) {
                double& sum = sums_[begin + k];
                sum = (are_increments_ ? sum : 0.0) + vector[k];
                rows_[begin + k] = static_cast<float>(sum / (scale == 0.0 ? 1.0 : scale));
            }
        }
        return rows_;
    }

  private:
    std::size_t width() const { return static_cast<std::size_t>(bank_.n_embd()); }

    const Bank& bank_;
    const std::vector<double>& scales_;
    bool are_increments_;
    const std::vector<int>& emotions_;
    std::vector<double> sums_;
    std::vector<double> rows_;
};

// Adds the inner products of rows (n, width) that are divided by their mean length; false for
// zeros.
bool add_products(const std::vector<double>& rows, std::size_t n, Matrix& kernel) {
    const std::size_t width = rows.size() / n;
    Matrix products(n * n);
    double length = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < width; ++k)
                sum += rows[i * width + k] * rows[j * width + k];
            products[i * n + j] = products[j * n + i] = sum;
        }
        length += std::sqrt(products[i * n + i]) / static_cast<double>(n);
    }
    if (length <= 0.0) return false;
    for (std::size_t i = 0; i < n * n; ++i) kernel[i] += products[i] / (length * length);
    return true;
}

Matrix kernel_of(MeasuredLayer rows, int n_layer, std::size_t n) {
    Matrix kernel(n * n, 0.0);
    int n_used = 0;
    for (int layer = 0; layer < n_layer && n > 0; ++layer) {
        n_used += add_products(rows.at(layer), n, kernel) ? 1 : 0;
    }
    for (double& value : kernel) value /= std::max(n_used, 1);
    return kernel;
}

// The energy of what is left of vectors without the direction of their mean.
double own_energy(const Matrix& kernel, std::size_t n) {
    const double all = trace(kernel, n);
    double of_mean = 0.0;
    double along_mean = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        double with_mean = 0.0;
        for (std::size_t j = 0; j < n; ++j) with_mean += kernel[i * n + j] / static_cast<double>(n);
        of_mean += with_mean / static_cast<double>(n);
        along_mean += with_mean * with_mean;
    }
    return of_mean <= affect_singular * all ? all : all - along_mean / of_mean;
}

// Eigenvectors are the columns of `vectors`.
struct Eigen {
    std::vector<double> values;  // (n)
    Matrix vectors;
};

// By Jacobi's rotations (Golub & Van Loan, Matrix Computations, 8.5): one that makes the element at
// p, q zero.
void rotate(Matrix& matrix, Matrix& vectors, std::size_t n, std::size_t p, std::size_t q) {
    const double off = matrix[p * n + q];
    if (off == 0.0) return;
    const double tau = (matrix[q * n + q] - matrix[p * n + p]) / (2.0 * off);
    const double t = std::copysign(1.0, tau) / (std::abs(tau) + std::hypot(1.0, tau));
    const double c = 1.0 / std::hypot(1.0, t);
    const double s = t * c;
    const auto turn = [c, s](double& a, double& b) {
        const double was = a;
        a = c * was - s * b;
        b = s * was + c * b;
    };
    for (std::size_t k = 0; k < n; ++k) turn(matrix[k * n + p], matrix[k * n + q]);
    for (std::size_t k = 0; k < n; ++k) turn(matrix[p * n + k], matrix[q * n + k]);
    for (std::size_t k = 0; k < n; ++k) turn(vectors[k * n + p], vectors[k * n + q]);
}

Eigen eigen_of(Matrix matrix, std::size_t n) {
    constexpr int most_sweeps = 50;  // some six suffice
    Eigen found{std::vector<double>(n), Matrix(n * n, 0.0)};
    for (std::size_t i = 0; i < n; ++i) found.vectors[i * n + i] = 1.0;
    const double small = 1e-16 * std::abs(trace(matrix, n));
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
        double largest = 0.0;
        for (std::size_t p = 0; p < n; ++p) {
            for (std::size_t q = p + 1; q < n; ++q) {
                largest = std::max(largest, std::abs(matrix[p * n + q]));
                rotate(matrix, found.vectors, n, p, q);
            }
        }
        if (largest <= small) break;
    }
    for (std::size_t i = 0; i < n; ++i) found.values[i] = matrix[i * n + i];
    return found;
}

// kernel @ pseudo-inverse(kernel + ridge) @ anchors
std::vector<AffectPoint> fitted(const Matrix& kernel, double ridge,
                                const std::vector<AffectPoint>& anchors) {
    const std::size_t n = anchors.size();
    const Eigen eigen = eigen_of(kernel, n);
    double largest = 0.0;
    for (const double value : eigen.values) largest = std::max(largest, std::abs(value + ridge));
    std::vector<AffectPoint> coordinates(n);
    for (std::size_t e = 0; e < n; ++e) {
        const double with_ridge = eigen.values[e] + ridge;
        if (std::abs(with_ridge) <= affect_singular * largest) continue;
        const double share = eigen.values[e] / with_ridge;
        for (std::size_t axis = 0; axis < n_axis; ++axis) {
            double along = 0.0;
            for (std::size_t i = 0; i < n; ++i)
                along += eigen.vectors[i * n + e] * anchors[i][axis];
            for (std::size_t i = 0; i < n; ++i) {
                coordinates[i][axis] += share * eigen.vectors[i * n + e] * along;
            }
        }
    }
    return coordinates;
}

}  // namespace

std::optional<AffectPoint> anchor_of(const std::string& name) {
    std::u32string small = characters_of(name);
    std::transform(small.begin(), small.end(), small.begin(), lowered);
    const std::string lower = utf8_of(small);
    const auto found = std::find_if(affect_anchors.begin(), affect_anchors.end(),
                                    [&](const AffectAnchor& each) { return lower == each.first; });
    if (found == affect_anchors.end()) return std::nullopt;
    return found->second;
}

AffectFit fit_affect(const Bank& bank, const std::vector<double>& scales, bool are_increments,
                     const AnchoredEmotions& known) {
    const std::size_t n = known.emotions.size();
    Matrix kernel = kernel_of({bank, scales, are_increments, known.emotions}, bank.n_layer(), n);
    const double ridge =
        n < 2 ? 0.0 : affect_ridge * own_energy(kernel, n) / static_cast<double>(n - 1);
    AffectFit fit{std::move(kernel), std::max(ridge, 0.0), {}};
    fit.coordinates = fitted(fit.kernel, fit.ridge, known.anchors);
    return fit;
}

std::vector<std::optional<AffectPoint>> places_of(
    const std::vector<std::string>& names, const std::vector<std::optional<AffectPoint>>& given) {
    std::vector<std::optional<AffectPoint>> places = given;
    places.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!places[i]) places[i] = anchor_of(names[i]);
    }
    return places;
}

std::shared_ptr<const AffectMap> fitted_map(const Bank& bank, const std::vector<std::string>& names,
                                            const std::vector<std::optional<AffectPoint>>& anchors,
                                            const std::vector<double>& scales,
                                            bool are_increments) {
    AnchoredEmotions known;
    std::vector<std::string> their_names;
    std::vector<std::string> others;
    const auto places = places_of(names, anchors);
    for (std::size_t i = 0; i < names.size(); ++i) {
        (places[i] ? their_names : others).push_back(names[i]);
        if (!places[i]) continue;
        known.emotions.push_back(static_cast<int>(i));
        known.anchors.push_back(*places[i]);
    }
    AffectFit fit = fit_affect(bank, scales, are_increments, known);
    return std::make_shared<const AffectMap>(std::move(their_names), std::move(fit.coordinates),
                                             std::move(others));
}

std::shared_ptr<const AffectMap> map_of_names(const std::vector<std::string>& names) {
    std::vector<std::string> known;
    std::vector<std::string> others;
    std::vector<AffectPoint> coordinates;
    const auto places = places_of(names, {});
    for (std::size_t i = 0; i < names.size(); ++i) {
        (places[i] ? known : others).push_back(names[i]);
        if (places[i]) coordinates.push_back(*places[i]);
    }
    return std::make_shared<const AffectMap>(std::move(known), std::move(coordinates),
                                             std::move(others));
}

}  // namespace llamood
