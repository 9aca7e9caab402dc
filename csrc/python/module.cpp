#include "python/register.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "The compiled half of llamood; private to the package.";
    register_bank(m);
    register_graph_watch(m);
    register_crew(m);
    register_injector(m);
    register_row_injector(m);
    register_tap(m);
    register_probe(m);
    register_likelihood(m);
    register_residual(m);
    register_spin(m);
    register_stage(m);
    register_fingerprint(m);
    register_guard(m);
}
