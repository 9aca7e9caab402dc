#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "moods/affect.hpp"
#include "moods/affect_fit.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::AffectMap;
using llamood::AffectMix;
using llamood::AffectPoint;
using llamood::Bank;
using llamood::n_axis;
using llamood::NamedAxes;
using Points = py::array_t<double, py::array::c_style | py::array::forcecast>;

namespace {

std::vector<AffectPoint> points_of(const Points& array) {
    if (array.ndim() != 2 || array.shape(1) != n_axis) {
        throw std::invalid_argument("expected points (n, 3)");
    }
    std::vector<AffectPoint> points(static_cast<std::size_t>(array.shape(0)));
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::copy_n(array.data() + i * n_axis, n_axis, points[i].begin());
    }
    return points;
}

py::tuple mixes(const AffectMap& map, const Points& array, const NamedAxes& named) {
    const std::vector<AffectPoint> points = points_of(array);
    const auto n = static_cast<py::ssize_t>(points.size());
    const auto n_name = static_cast<py::ssize_t>(map.names().size());
    py::array_t<double> weights({n, n_name});
    py::array_t<double> reached({n, static_cast<py::ssize_t>(n_axis)});
    py::array_t<bool> outside(n);
    for (py::ssize_t i = 0; i < n; ++i) {
        const AffectMix mix = map.mix(points[static_cast<std::size_t>(i)], named);
        std::copy(mix.weights.begin(), mix.weights.end(), weights.mutable_data() + i * n_name);
        std::copy(mix.reached.begin(), mix.reached.end(),
                  reached.mutable_data() + i * static_cast<py::ssize_t>(n_axis));
        outside.mutable_data()[i] = mix.is_outside;
    }
    return py::make_tuple(weights, reached, outside);
}

py::array_t<double> array_of(const std::vector<AffectPoint>& points) {
    py::array_t<double> array({static_cast<py::ssize_t>(points.size()), py::ssize_t{n_axis}});
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::copy(points[i].begin(), points[i].end(), array.mutable_data() + i * n_axis);
    }
    return array;
}

py::tuple fit(const Bank& bank, const std::vector<double>& scales, bool are_increments,
              std::vector<int> emotions, const Points& anchors) {
    const auto fit = llamood::fit_affect(bank, scales, are_increments,
                                         {std::move(emotions), points_of(anchors)});
    const auto n = static_cast<py::ssize_t>(fit.coordinates.size());
    py::array_t<double> kernel({n, n});
    std::copy(fit.kernel.begin(), fit.kernel.end(), kernel.mutable_data());
    return py::make_tuple(kernel, fit.ridge, array_of(fit.coordinates));
}

py::tuple tuple_of(const AffectPoint& point) {
    return py::make_tuple(point[0], point[1], point[2]);
}

py::dict anchors() {
    py::dict anchors;
    for (const auto& [name, point] : llamood::affect_anchors) anchors[name] = tuple_of(point);
    return anchors;
}

std::optional<py::tuple> anchor(const std::string& name) {
    const auto point = llamood::anchor_of(name);
    if (!point) return std::nullopt;
    return tuple_of(*point);
}

}  // namespace

void register_affect_map(py::module_& m) {
    py::class_<AffectMap, std::shared_ptr<AffectMap>>(m, "AffectMap")
        .def(py::init([](std::vector<std::string> names, const Points& coordinates,
                         std::vector<std::string> others) {
                 return std::make_shared<AffectMap>(std::move(names), points_of(coordinates),
                                                    std::move(others));
             }),
             py::arg("names"), py::arg("coordinates"), py::arg("others"))
        .def("mix", &mixes, py::arg("points"), py::arg("named"),
             "Of each point (n, 3) the weights (n, n_name), the place that they reach (n, 3), and "
             "whether the point is outside (n,).");
    m.def("affect_anchors", &anchors, "By emotion pleasure, arousal and dominance, -1..1.");
    m.def("affect_anchor", &anchor, py::arg("name"),
          "That of an emotion, whatever its case; None where there is none.");
    m.def("fit_affect", &fit, py::arg("bank"), py::arg("scales"), py::arg("are_increments"),
          py::arg("emotions"), py::arg("anchors"),
          "Of the emotions at these places of a bank, whose coordinates are ``anchors`` (n, 3): "
          "their kernel (n, n), its ridge, and where they lie (n, 3).");
}
