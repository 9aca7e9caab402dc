#include <pybind11/stl.h>

#include <limits>
#include <optional>

#include "python/register.hpp"
#include "steering/regulator.hpp"

namespace py = pybind11;
using llamood::Regulation;
using llamood::Regulator;
using llamood::RegulatorSettings;

void register_regulator(py::module_& m) {
    py::class_<Regulation>(m, "Regulation")
        .def(py::init([](double weight, double integral, double reading) {
                 return Regulation{weight, integral, reading};
             }),
             py::arg("weight"), py::arg("integral"),
             py::arg("reading") = std::numeric_limits<double>::quiet_NaN())
        .def_readonly("weight", &Regulation::weight)
        .def_readonly("integral", &Regulation::integral)
        .def_readonly("reading", &Regulation::reading);
    py::class_<Regulator>(m, "Regulator")
        .def(py::init([](double target, double gain, double half_life, double low, double high,
                         std::optional<double> rate, double lead) {
                 return Regulator({target, gain, half_life, low, high, rate, lead});
             }),
             py::arg("target"), py::kw_only(), py::arg("gain"), py::arg("half_life"),
             py::arg("low"), py::arg("high"), py::arg("rate") = py::none(), py::arg("lead") = 0.0)
        .def_property_readonly("target",
                               [](const Regulator& self) { return self.settings().target; })
        .def_property_readonly("gain", [](const Regulator& self) { return self.settings().gain; })
        .def_property_readonly("low", [](const Regulator& self) { return self.settings().low; })
        .def_property_readonly("high", [](const Regulator& self) { return self.settings().high; })
        .def_property_readonly("stride", &Regulator::stride)
        .def_property_readonly("expected", &Regulator::expected)
        .def("start", &Regulator::start, py::arg("weight") = 0.0)
        .def("follow", &Regulator::follow, py::arg("state"), py::kw_only(), py::arg("allowed"),
             py::arg("weight"))
        .def("step", &Regulator::step, py::arg("state"), py::kw_only(), py::arg("reading"));
}
