#include "moods/affect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "moods/mood_error.hpp"
#include "text/suggestion.hpp"

namespace llamood {

namespace {

constexpr std::size_t n_coordinate = n_axis + 1;  // the last is the price on intensity
constexpr std::size_t most_mixed = 3;             // emotions
constexpr double rounding = 1e-13;                // differences below this are none
constexpr double singular = 1e-9;   // share of the largest singular value below which one is zero
constexpr double clear = 1e-9;      // differences above this are no rounding
constexpr double countable = 1e-4;  // without a smaller weight a mix is as near
constexpr double digits = 1e12;     // points of one ray differ by less than one of so many parts

using Generator = std::array<double, n_coordinate>;

double inner_product(const Generator& one, const Generator& other) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n_coordinate; ++i) sum += one[i] * other[i];
    return sum;
}

// Turns two columns so that they are at right angles, and what they are columns of with them.
template <class Column, class Turned>
bool turn(Column& p, Column& q, Turned& v, Turned& w) {
    const double along = inner_product(p, q);
    const double one = inner_product(p, p);
    const double other = inner_product(q, q);
    if (std::fabs(along) <= 1e-15 * std::sqrt(one * other)) return false;
    const double ratio = (other - one) / (2.0 * along);
    const double tangent = (ratio < 0.0 ? -1.0 : 1.0) / (std::fabs(ratio) + std::hypot(1.0, ratio));
    const double cosine = 1.0 / std::hypot(1.0, tangent);
    const double sine = cosine * tangent;
    const auto rotate = [cosine, sine](auto& a, auto& b) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double before = a[i];
            a[i] = cosine * before - sine * b[i];
            b[i] = sine * before + cosine * b[i];
        }
    };
    rotate(p, q);
    rotate(v, w);
    return true;
}

// Some generators, and what their weights are at the point of the cone of them alone that comes
// nearest: solver times the point, whose price is 0.
struct Face {
    std::array<std::size_t, most_mixed> members{};
    std::size_t n = 0;
    std::array<double, most_mixed * n_axis> solver{};
};

// The pseudo-inverse of the matrix of the face's generators, by Jacobi rotations of one side.
void solve(Face& face, const std::vector<Generator>& generators) {
    std::array<Generator, most_mixed> columns{};
    std::array<std::array<double, most_mixed>, most_mixed> turned{};
    for (std::size_t i = 0; i < face.n; ++i) {
        columns[i] = generators[face.members[i]];
        turned[i][i] = 1.0;
    }
    bool is_turned = true;
    for (int sweep = 0; is_turned && sweep < 60; ++sweep) {
        is_turned = false;
        for (std::size_t i = 0; i < face.n; ++i) {
            for (std::size_t j = i + 1; j < face.n; ++j) {
                is_turned = turn(columns[i], columns[j], turned[i], turned[j]) || is_turned;
            }
        }
    }
    double largest = 0.0;
    for (const Generator& column : columns) {
        largest = std::max(largest, inner_product(column, column));
    }
    for (std::size_t i = 0; i < face.n; ++i) {
        const double square = inner_product(columns[i], columns[i]);
        if (!(std::sqrt(square) > singular * std::sqrt(largest))) continue;
        for (std::size_t row = 0; row < face.n; ++row) {
            for (std::size_t axis = 0; axis < n_axis; ++axis) {
                face.solver[row * n_axis + axis] += turned[i][row] * columns[i][axis] / square;
            }
        }
    }
}

double length(const AffectPoint& point, const NamedAxes& named) {
    double square = 0.0;
    for (std::size_t i = 0; i < n_axis; ++i) square += named[i] ? point[i] * point[i] : 0.0;
    return std::sqrt(square);
}

}  // namespace

// All mixes of the emotions of a map, for one choice of axes, and the mix that was asked for last.
class AffectCone {
  public:
    AffectCone(const std::vector<AffectPoint>& coordinates, const NamedAxes& named) {
        for (const AffectPoint& place : coordinates) {
            Generator generator{};
            for (std::size_t i = 0; i < n_axis; ++i) {
                generator[i] = place[i] * (named[i] ? 1.0 : free_axis_counts);
            }
            generator[n_axis] = intensity_counts;
            generators_.push_back(generator);
        }
        for (std::size_t n = 0; n <= most_mixed; ++n) add_faces({}, n, 0);
    }

    // Non-negative least squares: of all faces without a negative weight the one that comes
    // nearest; of equals the smallest and first. A point that moves mostly stays on its face.
    std::vector<double> nearest(const AffectPoint& ray) {
        std::vector<double> along(generators_.size(), 0.0);
        for (std::size_t k = 0; k < along.size(); ++k) {
            for (std::size_t i = 0; i < n_axis; ++i) along[k] += ray[i] * generators_[k][i];
        }
        if (!is_clearly_nearest(faces_[last_face_], ray, along))
            last_face_ = nearest_face(ray, along);
        const Face& face = faces_[last_face_];
        const auto tried = weights_of(face, ray);
        std::vector<double> weights(generators_.size(), 0.0);
        for (std::size_t i = 0; i < face.n; ++i) weights[face.members[i]] = std::max(tried[i], 0.0);
        return weights;
    }

    AffectPoint last_ray{};
    AffectMix last_mix;

  private:
    std::size_t nearest_face(const AffectPoint& ray, const std::vector<double>& along) const {
        std::vector<double> gains(faces_.size());
        double most = 0.0;  // that of no emotion at all
        for (std::size_t f = 0; f < faces_.size(); ++f) {
            gains[f] = gain(faces_[f], ray, along);
            most = std::max(most, gains[f]);
        }
        const auto best = std::find_if(gains.begin(), gains.end(),
                                       [most](double each) { return each >= most - rounding; });
        return static_cast<std::size_t>(best - gains.begin());
    }

    // Whether no other face comes as near, so that a search would find this one too: each of its
    // weights counts, and no other emotion leads nearer.
    bool is_clearly_nearest(const Face& face, const AffectPoint& ray,
                            const std::vector<double>& along) const {
        const auto weights = weights_of(face, ray);
        Generator reached{};
        for (std::size_t i = 0; i < face.n; ++i) {
            if (weights[i] < countable) return false;
            for (std::size_t c = 0; c < n_coordinate; ++c) {
                reached[c] += weights[i] * generators_[face.members[i]][c];
            }
        }
        const auto* end = face.members.data() + face.n;
        for (std::size_t k = 0; k < generators_.size(); ++k) {
            const bool leads = along[k] - inner_product(reached, generators_[k]) > -clear;
            if (leads && std::find(face.members.data(), end, k) == end) return false;
        }
        return true;
    }

    // The faces of `n` more generators, from the `first` on, beside those that are chosen.
    void add_faces(Face chosen, std::size_t n, std::size_t first) {
        if (n == 0) {
            solve(chosen, generators_);
            faces_.push_back(chosen);
            return;
        }
        for (std::size_t k = first; k < generators_.size(); ++k) {
            Face more = chosen;
            more.members[more.n++] = k;
            add_faces(more, n - 1, k + 1);
        }
    }

    static std::array<double, most_mixed> weights_of(const Face& face, const AffectPoint& ray) {
        std::array<double, most_mixed> weights{};
        for (std::size_t i = 0; i < face.n; ++i) {
            const double* row = face.solver.data() + i * n_axis;
            weights[i] = ray[0] * row[0] + ray[1] * row[1] + ray[2] * row[2];
        }
        return weights;
    }

    // A solution w of least squares has the squared distance |p|^2 - w (G p).
    static double gain(const Face& face, const AffectPoint& ray, const std::vector<double>& along) {
        const auto weights = weights_of(face, ray);
        double sum = 0.0;
        for (std::size_t i = 0; i < face.n; ++i) {
            if (weights[i] < -rounding) return -std::numeric_limits<double>::infinity();
            sum += weights[i] * along[face.members[i]];
        }
        return sum;
    }

    std::vector<Generator> generators_;
    std::vector<Face> faces_;    // smaller ones first
    std::size_t last_face_ = 0;  // that which was nearest to the last point
};

AffectMap::AffectMap(std::vector<std::string> names, std::vector<AffectPoint> coordinates,
                     std::vector<std::string> others)
    : names_(std::move(names)), coordinates_(std::move(coordinates)), others_(std::move(others)) {}

AffectMap::~AffectMap() = default;

AffectMix AffectMap::mix(const AffectPoint& point, const NamedAxes& named) const {
    double size = 0.0;
    for (std::size_t i = 0; i < n_axis; ++i) {
        if (named[i]) size = std::max(size, std::fabs(point[i]));
    }
    if (size == 0.0) return {std::vector<double>(names_.size(), 0.0), {}, false};
    AffectPoint ray{};
    for (std::size_t i = 0; i < n_axis; ++i) {
        if (named[i]) ray[i] = std::nearbyint(point[i] / size * digits) / digits;
    }
    if (names_.empty()) refuse(ray);
    const std::lock_guard<std::mutex> lock(mutex_);
    AffectMix mix = mix_of_ray(ray, named);
    for (double& weight : mix.weights) weight *= size;
    for (double& place : mix.reached) place *= size;
    return mix;
}

const AffectMix& AffectMap::mix_of_ray(const AffectPoint& ray, const NamedAxes& named) const {
    auto& cone = cones_[named];
    if (cone == nullptr) cone = std::make_unique<AffectCone>(coordinates_, named);
    if (cone->last_ray == ray) return cone->last_mix;
    AffectMix& mix = cone->last_mix;
    mix.weights = cone->nearest(ray);
    mix.reached = {};
    for (std::size_t k = 0; k < mix.weights.size(); ++k) {
        for (std::size_t i = 0; i < n_axis; ++i) {
            mix.reached[i] += mix.weights[k] * coordinates_[k][i];
        }
    }
    AffectPoint missed{};
    for (std::size_t i = 0; i < n_axis; ++i) missed[i] = mix.reached[i] - ray[i];
    mix.is_outside = length(missed, named) > most_missed * length(ray, named);
    cone->last_ray = ray;
    return mix;
}

void AffectMap::refuse(const AffectPoint& point) const {
    const auto axis =
        std::find_if(point.begin(), point.end(), [](double each) { return each != 0.0; });
    const std::string found = others_.empty() ? "there are no emotions at hand"
                                              : "none of the emotions at hand (" + listed(others_) +
                                                    ") has coordinates of affect";
    throw MoodError(
        affect_axes[static_cast<std::size_t>(axis - point.begin())],
        found + ", expected at least one; store affect with the vectors, or name emotions");
}

}  // namespace llamood
