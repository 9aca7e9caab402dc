#include <cstdint>

#include "graph/graph_watch.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::GraphWatch;

void register_graph_watch(py::module_& m) {
    py::class_<GraphWatch>(m, "GraphWatch")
        .def(py::init<>())
        .def_property_readonly(
            "callback",
            [](const GraphWatch&) {
                return reinterpret_cast<std::uintptr_t>(&GraphWatch::callback);
            },
            "Address for llama_context_params.cb_eval.")
        .def_property_readonly(
            "user_data", [](GraphWatch& self) { return reinterpret_cast<std::uintptr_t>(&self); },
            "Address for llama_context_params.cb_eval_user_data.");
}
