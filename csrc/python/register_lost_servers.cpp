#include <pybind11/stl.h>

#include "python/register.hpp"
#include "voices/lost_servers.hpp"

namespace py = pybind11;

void register_lost_servers(py::module_& m) {
    m.def("end_where_servers_fail", &llamood::end_where_servers_fail, py::arg("servers"));
}
