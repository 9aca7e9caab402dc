#include <pybind11/stl.h>

#include <cstdint>
#include <string>

#include "graph/residual.hpp"
#include "python/register.hpp"
#include "python/released.hpp"

namespace py = pybind11;

void register_residual(py::module_& m) {
    m.def(
        "residual_rms",
        [](std::uintptr_t unsafe_model, const std::string& site) {
            const llamood::Released released;
            return llamood::residual_rms(
                reinterpret_cast<llama_model*>(unsafe_model),
                site == "attn_out" ? llamood::attn_out : llamood::layer_out);
        },
        py::arg("unsafe_model"), py::kw_only(), py::arg("site"),
        "(n_layer): how large hidden states are at a site; see residual.hpp.");
}
