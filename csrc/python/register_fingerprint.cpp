#include <ggml.h>
#include <pybind11/stl.h>

#include <string>

#include "python/register.hpp"
#include "python/released.hpp"
#include "vectors/fingerprint.hpp"

namespace py = pybind11;

void register_fingerprint(py::module_& m) {
    m.def(
        "fingerprint",
        [](const std::string& path) {
            const llamood::Released released;
            return llamood::fingerprint(path);
        },
        py::arg("path"));
    // (ggml version, ggml commit) that this module was compiled against, and those it runs on.
    m.attr("ggml_built") = py::make_tuple(LLAMOOD_GGML_VERSION, LLAMOOD_GGML_COMMIT);
    m.attr("ggml_running") = py::make_tuple(ggml_version(), ggml_commit());
    m.attr("llama_cpp_python_built") = LLAMOOD_LLAMA_CPP_PYTHON;
}
