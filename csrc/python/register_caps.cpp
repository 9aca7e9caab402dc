#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "graph/row_limiter.hpp"
#include "python/register.hpp"
#include "vectors/caps.hpp"

namespace py = pybind11;
using llamood::Cap;
using llamood::Caps;
using llamood::GraphWatch;
using llamood::RowLimiter;

void register_caps(py::module_& m) {
    py::class_<Caps, std::shared_ptr<Caps>>(m, "Caps")
        .def(py::init(
                 [](const std::vector<std::tuple<int, double, double, std::vector<float>>>& caps) {
                     std::vector<Cap> copied;
                     for (const auto& [layer, low, high, direction] : caps) {
                         copied.push_back({layer, low, high, direction});
                     }
                     return std::make_shared<Caps>(std::move(copied));
                 }),
             py::arg("caps"), "Each: layer, low, high, direction (n_embd,) of unit length.")
        .def_property_readonly("digest", [](const Caps& self) { return py::bytes(self.digest()); });
    py::class_<RowLimiter>(m, "RowLimiter")
        .def(py::init([](GraphWatch& watch, std::uintptr_t unsafe_ctx) {
                 return std::make_unique<RowLimiter>(watch,
                                                     reinterpret_cast<llama_context*>(unsafe_ctx));
             }),
             py::arg("watch"), py::arg("unsafe_ctx"), py::keep_alive<1, 2>())
        .def(
            "apply",
            [](RowLimiter& self, const std::shared_ptr<Caps>& caps, llama_pos begin) {
                self.apply(caps, begin);
            },
            py::arg("caps").none(true), py::arg("begin") = 1,
            "Keep every row from position `begin` on within these from the next decode on.")
        .def(
            "expect",
            [](RowLimiter& self, const std::vector<std::shared_ptr<Caps>>& caps) {
                self.expect({caps.begin(), caps.end()});
            },
            py::arg("caps"), "Keep row i of each batch within caps i.")
        .def("rest", &RowLimiter::rest, "Keep nothing.")
        .def("check", &RowLimiter::check,
             "Raise RuntimeError for what kept a decode from being kept as asked.")
        .def("close", &RowLimiter::close)
        .def_property_readonly("n_kept", &RowLimiter::n_kept);
}
