#include <pybind11/stl.h>

#include <cstdint>
#include <string>

#include "graph/reach.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::Reach;

void register_reach(py::module_& m) {
    py::class_<Reach>(m, "Reach", "Where in a model vectors take hold; see reach.hpp.")
        .def_property_readonly("is_known", &Reach::is_known)
        .def_readonly("vector", &Reach::vector)
        .def_readonly("layer_out", &Reach::layer_out)
        .def_readonly("attn_out", &Reach::attn_out);
    m.def(
        "reach_of",
        [](std::uintptr_t unsafe_model, const std::string& arch) {
            const py::gil_scoped_release release;
            return llamood::reach_of(reinterpret_cast<llama_model*>(unsafe_model), arch);
        },
        py::arg("unsafe_model"), py::kw_only(), py::arg("arch"),
        "Decodes one token of the model in a context of its own.");
}
