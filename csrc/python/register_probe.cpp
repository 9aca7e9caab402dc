#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "graph/probe.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::GraphWatch;
using llamood::Probe;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

void register_probe(py::module_& m) {
    py::class_<Probe>(m, "Probe")
        .def(py::init([](GraphWatch& watch, std::uintptr_t ctx, std::vector<int> layers,
                         const FloatArray& directions, int n_sequence) {
                 if (directions.ndim() != 3) {
                     throw std::invalid_argument("expected (n_layer, n_direction, n_embd)");
                 }
                 std::vector<float> copied(directions.data(),
                                           directions.data() + directions.size());
                 return std::make_unique<Probe>(watch, reinterpret_cast<llama_context*>(ctx),
                                                std::move(layers), std::move(copied),
                                                static_cast<int>(directions.shape(1)), n_sequence);
             }),
             py::arg("watch"), py::arg("unsafe_ctx"), py::kw_only(), py::arg("layers"),
             py::arg("directions"), py::arg("n_sequence") = 1, py::keep_alive<1, 2>())
        .def(
            "expect",
            [](Probe& self, const std::vector<std::tuple<int, llama_pos, int>>& batch) {
                std::vector<Probe::Run> runs;
                for (const auto& [sequence, begin, n] : batch) runs.push_back({sequence, begin, n});
                self.expect(std::move(runs));
            },
            py::arg("batch"),
            "Whose rows each batch has, in their order: (sequence, begin, n), n positions of it.")
        .def(
            "read",
            [](const Probe& self, llama_pos begin, int n, llama_seq_id sequence) {
                if (n < 0) throw std::invalid_argument("expected a number of positions");
                py::array_t<float> out({n, self.n_layer(), self.n_direction()});
                self.read(sequence, begin, n, out.mutable_data());
                return out;
            },
            py::arg("begin"), py::arg("n"), py::kw_only(), py::arg("sequence") = 0,
            "float32 (n, n_layer, n_direction): projections at positions from `begin` on.")
        .def("forget", &Probe::forget, py::kw_only(), py::arg("sequence") = 0, py::arg("begin") = 0,
             "Forget what was read of a sequence from position `begin` on.")
        .def("close", &Probe::close)
        .def_property_readonly("n_layer", &Probe::n_layer)
        .def_property_readonly("n_direction", &Probe::n_direction)
        .def_property_readonly("n_sequence", &Probe::n_sequence);
}
