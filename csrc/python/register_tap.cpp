#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <stdexcept>

#include "graph/tap.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::GraphWatch;
using llamood::Tap;

namespace {

template <typename T>
py::array_t<T> copy(const T* data, std::vector<py::ssize_t> shape) {
    return py::array_t<T>(std::move(shape), data);
}

void check_slot(const Tap& tap, int slot) {
    if (slot < 0 || slot >= tap.n_slot()) throw py::index_error("no such slot");
}

}  // namespace

void register_tap(py::module_& m) {
    py::class_<Tap>(m, "Tap")
        .def(py::init<GraphWatch&, int, int, int>(), py::arg("watch"), py::kw_only(),
             py::arg("n_layer"), py::arg("n_embd"), py::arg("n_slot"), py::keep_alive<1, 2>())
        .def("expect", &Tap::expect, py::arg("slots"), py::arg("is_output"), py::kw_only(),
             py::arg("until") = -1)
        .def("clear", &Tap::clear, py::arg("slot"))
        .def(
            "sum",
            [](const Tap& tap, int slot) {
                check_slot(tap, slot);
                return copy(tap.sum(slot), {llamood::n_site, tap.n_layer(), tap.n_embd()});
            },
            py::arg("slot"), "float64 (n_site, n_layer, n_embd): sums over the tokens read.")
        .def(
            "square",
            [](const Tap& tap, int slot) {
                check_slot(tap, slot);
                return copy(tap.square(slot), {llamood::n_site, tap.n_layer()});
            },
            py::arg("slot"), "float64 (n_site, n_layer): sums of mean squares.")
        .def(
            "count",
            [](const Tap& tap, int slot) {
                check_slot(tap, slot);
                return copy(tap.count(slot), {llamood::n_site, tap.n_layer()});
            },
            py::arg("slot"), "int64 (n_site, n_layer): tokens read.");
}
