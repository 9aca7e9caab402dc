#include "python/register.hpp"
#include "voices/spin.hpp"

namespace py = pybind11;

void register_spin(py::module_& m) {
    m.def("shorten_spins", [] {
        const py::gil_scoped_release release;
        return llamood::shorten_spins();
    });
}
