#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "graph/injector.hpp"
#include "python/register.hpp"
#include "python/released.hpp"

namespace py = pybind11;
using llamood::Bank;
using llamood::GraphWatch;
using llamood::Injector;

void register_injector(py::module_& m) {
    py::class_<Injector>(m, "Injector")
        .def(py::init([](GraphWatch& watch, std::uintptr_t unsafe_ctx) {
                 return std::make_unique<Injector>(watch,
                                                   reinterpret_cast<llama_context*>(unsafe_ctx));
             }),
             py::arg("watch"), py::arg("unsafe_ctx"), py::keep_alive<1, 2>())
        .def(
            "apply",
            [](Injector& self, const std::shared_ptr<Bank>& bank, std::vector<float> weights,
               int first, int last) {
                // The arguments are C++ values by now; nothing below makes a Python object.
                const llamood::Released released;
                return self.apply(bank, weights, {first, last});
            },
            py::arg("bank"), py::arg("weights"), py::arg("first"), py::arg("last"),
            "Steer from the next decode on; returns whether the device was written.")
        .def(
            "play",
            [](Injector& self, const std::shared_ptr<Bank>& bank,
               const py::array_t<float, py::array::c_style | py::array::forcecast>& rows, int first,
               int last, llama_pos position) {
                if (rows.ndim() != 2 || rows.shape(1) != bank->n_emotion()) {
                    throw std::invalid_argument("expected rows of one weight per emotion");
                }
                std::vector<float> copied(rows.data(), rows.data() + rows.size());
                const llamood::Released released;
                self.play(bank, std::move(copied), {first, last}, position);
            },
            py::arg("bank"), py::arg("rows"), py::arg("first"), py::arg("last"),
            py::arg("position"),
            "Decode the token at position + i under row i, without being told again.")
        .def(
            "rest",
            [](Injector& self) {
                const llamood::Released released;
                return self.rest();
            },
            "Add nothing from the next decode on; returns whether the device was written.")
        .def("missing_layers", &Injector::missing_layers)
        .def("close", &Injector::close)
        .def_property_readonly("n_layer", &Injector::n_layer)
        .def_property_readonly("n_embd", &Injector::n_embd)
        .def_property_readonly("setter_calls", &Injector::setter_calls)
        .def_property_readonly("writes", &Injector::writes);
}
