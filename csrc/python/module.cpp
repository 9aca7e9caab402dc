#include "python/register.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "The compiled half of llamood; private to the package.";
    register_bank(m);
    register_graph_watch(m);
    register_crew(m);
    register_injector(m);
    register_row_injector(m);
    register_caps(m);
    register_tap(m);
    register_probe(m);
    register_likelihood(m);
    register_reach(m);
    register_residual(m);
    register_lost_servers(m);
    register_interface(m);
    register_spin(m);
    register_manner(m);
    register_stage(m);
    register_fingerprint(m);
    register_guard(m);
    register_collapse_monitor(m);
    register_errors(m);
    register_kinds(m);
    register_schedule(m);
    register_affect_map(m);
    register_mood(m);
    register_regulator(m);
    register_steering_vectors(m);
    register_steering(m);
    register_performance(m);
    register_reader(m);
    register_face(m);
    register_cast(m);
}
