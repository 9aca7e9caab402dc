#include "python/register.hpp"
#include "python/released.hpp"
#include "voices/spin.hpp"

namespace py = pybind11;

void register_spin(py::module_& m) {
    m.def("shorten_spins", [] {
        const llamood::Released released;
        return llamood::shorten_spins();
    });
}
