#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "probe.hpp"
#include "register.hpp"

namespace py = pybind11;
using llamood::GraphWatch;
using llamood::Probe;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

void register_probe(py::module_& m) {
    py::class_<Probe>(m, "Probe")
        .def(py::init([](GraphWatch& watch, std::uintptr_t ctx, std::vector<int> layers,
                         const FloatArray& directions) {
                 if (directions.ndim() != 3) {
                     throw std::invalid_argument("expected (n_layer, n_direction, n_embd)");
                 }
                 std::vector<float> copied(directions.data(),
                                           directions.data() + directions.size());
                 return std::make_unique<Probe>(watch, reinterpret_cast<llama_context*>(ctx),
                                                std::move(layers), std::move(copied),
                                                static_cast<int>(directions.shape(1)));
             }),
             py::arg("watch"), py::arg("unsafe_ctx"), py::kw_only(), py::arg("layers"),
             py::arg("directions"), py::keep_alive<1, 2>())
        .def(
            "read",
            [](const Probe& self, llama_pos begin, int n) {
                if (n < 0) throw std::invalid_argument("expected a number of positions");
                py::array_t<float> out({n, self.n_layer(), self.n_direction()});
                self.read(begin, n, out.mutable_data());
                return out;
            },
            py::arg("begin"), py::arg("n"),
            "float32 (n, n_layer, n_direction): projections at positions from `begin` on.")
        .def("forget", &Probe::forget)
        .def("close", &Probe::close)
        .def_property_readonly("n_layer", &Probe::n_layer)
        .def_property_readonly("n_direction", &Probe::n_direction);
}
