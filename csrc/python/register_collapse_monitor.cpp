#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "python/collapse.hpp"
#include "python/register.hpp"
#include "steering/collapse_monitor.hpp"

namespace py = pybind11;
using llamood::Care;
using llamood::CollapseMonitor;
using llamood::Rescue;

void register_collapse_monitor(py::module_& m) {
    m.attr("rescue_factors") = py::tuple(py::cast(llamood::rescue_factors));
    py::class_<Rescue>(m, "Rescue")
        .def_readonly("token", &Rescue::token)
        .def_readonly("kept", &Rescue::kept)
        .def_readonly("factor", &Rescue::factor)
        .def_readonly("alarm", &Rescue::alarm);
    py::class_<CollapseMonitor>(m, "CollapseMonitor")
        .def(py::init([](const std::string& care) {
                 return CollapseMonitor(llamood::care_named(care), llamood::zlib_size);
             }),
             py::arg("care"))
        .def_property_readonly("n_sound", &CollapseMonitor::n_sound)
        .def_property_readonly(
            "told", [](const CollapseMonitor& self) { return llamood::told(self.collapse()); })
        .def(
            "hear",
            [](CollapseMonitor& self, int token_id, const py::bytes& piece,
               std::optional<double> logprob, std::optional<double> overdose) {
                return self.hear(token_id, piece, {logprob, overdose});
            },
            py::arg("token_id"), py::kw_only(), py::arg("piece"), py::arg("logprob") = py::none(),
            py::arg("overdose") = py::none())
        .def(
            "take",
            [](CollapseMonitor& self, int token_id, const py::bytes& piece) {
                self.take(token_id, piece);
            },
            py::arg("token_id"), py::kw_only(), py::arg("piece"))
        .def("pass_all", &CollapseMonitor::pass_all);
}
