// One register_<noun> per binding file; module.cpp calls them and does nothing else.
#pragma once

#include <pybind11/pybind11.h>

void register_bank(pybind11::module_& m);
void register_graph_watch(pybind11::module_& m);
void register_crew(pybind11::module_& m);
void register_injector(pybind11::module_& m);
void register_row_injector(pybind11::module_& m);
void register_caps(pybind11::module_& m);
void register_tap(pybind11::module_& m);
void register_probe(pybind11::module_& m);
void register_likelihood(pybind11::module_& m);
void register_reach(pybind11::module_& m);
void register_residual(pybind11::module_& m);
void register_lost_servers(pybind11::module_& m);
void register_interface(pybind11::module_& m);
void register_spin(pybind11::module_& m);
void register_stage(pybind11::module_& m);
void register_fingerprint(pybind11::module_& m);
void register_guard(pybind11::module_& m);
void register_collapse_monitor(pybind11::module_& m);
void register_errors(pybind11::module_& m);
void register_reader(pybind11::module_& m);
void register_manner(pybind11::module_& m);
void register_cast(pybind11::module_& m);
void register_face(pybind11::module_& m);
void register_kinds(pybind11::module_& m);
void register_schedule(pybind11::module_& m);
void register_affect_map(pybind11::module_& m);
void register_mood(pybind11::module_& m);
void register_regulator(pybind11::module_& m);
void register_steering_vectors(pybind11::module_& m);
void register_steering(pybind11::module_& m);
void register_performance(pybind11::module_& m);
