#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "python/register.hpp"
#include "python/released.hpp"
#include "steering/steering_vectors.hpp"

namespace py = pybind11;
using llamood::Bank;
using llamood::LayerRange;
using llamood::Names;
using llamood::SteeringVectors;
using llamood::StoredVectors;

namespace {

py::array_t<double> array_of(const std::vector<double>& values) {
    return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

std::shared_ptr<SteeringVectors> stored(Names names, const std::shared_ptr<Bank>& bank,
                                        const std::vector<std::optional<double>>& ceilings,
                                        std::vector<double> scales, std::string site,
                                        std::vector<double> residual) {
    StoredVectors stored{std::move(names),   bank, {}, std::move(scales), std::move(site),
                         std::move(residual)};
    for (const auto& ceiling : ceilings) {
        stored.ceilings.push_back(ceiling.value_or(std::numeric_limits<double>::infinity()));
    }
    const auto n = static_cast<std::size_t>(bank->n_emotion());
    if (stored.names.size() != n || ceilings.size() != n || stored.scales.size() != n) {
        throw std::invalid_argument("expected a name, a ceiling and a scale for each vector");
    }
    const llamood::Released released;
    return std::make_shared<SteeringVectors>(std::move(stored));
}

}  // namespace

void register_steering_vectors(py::module_& m) {
    m.attr("safe_sum") = llamood::safe_sum;
    py::class_<SteeringVectors, std::shared_ptr<SteeringVectors>>(m, "SteeringVectors")
        .def(py::init(&stored), py::arg("names"), py::arg("bank"), py::kw_only(),
             py::arg("ceilings"), py::arg("scales"), py::arg("site"), py::arg("residual"))
        .def_property_readonly("relative",
                               [](const SteeringVectors& self) {
                                   const llamood::Released released;
                                   return std::const_pointer_cast<SteeringVectors>(self.relative());
                               })
        .def_property_readonly(
            "bank",
            [](const SteeringVectors& self) { return std::const_pointer_cast<Bank>(self.bank()); })
        .def_property_readonly(
            "ceilings", [](const SteeringVectors& self) { return array_of(self.ceilings()); })
        .def_property_readonly("units",
                               [](const SteeringVectors& self) { return array_of(self.units()); })
        .def_property_readonly(
            "residual", [](const SteeringVectors& self) { return array_of(self.residual()); })
        .def_property_readonly(
            "factors",
            [](const SteeringVectors& self) {
                return array_of(self.factors()).reshape({self.bank()->n_emotion(), self.n_layer()});
            })
        .def_property_readonly("site", &SteeringVectors::site)
        .def_property_readonly("first_layer", &SteeringVectors::first_layer)
        .def_property_readonly("digest",
                               [](const SteeringVectors& self) { return py::bytes(self.digest()); })
        .def(
            "fluent",
            [](const SteeringVectors& self, int first, int last) {
                return array_of(self.fluent({first, last}));
            },
            py::arg("first"), py::arg("last"))
        .def(
            "size",
            [](const SteeringVectors& self, const std::vector<double>& weights, int first,
               int last) { return llamood::size_of(weights, self.gram({first, last})); },
            py::arg("weights"), py::arg("first"), py::arg("last"));
}
