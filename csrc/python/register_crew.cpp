#include <cstdint>

#include "python/register.hpp"
#include "voices/crew.hpp"

namespace py = pybind11;
using llamood::Crew;

void register_crew(py::module_& m) {
    py::class_<Crew>(m, "Crew", "The threads that compute the steps of one context.")
        .def(py::init([](std::uintptr_t unsafe_ctx, int n_threads, int n_threads_batch) {
                 return Crew(reinterpret_cast<llama_context*>(unsafe_ctx), n_threads,
                             n_threads_batch);
             }),
             py::arg("unsafe_ctx"), py::kw_only(), py::arg("n_threads"), py::arg("n_threads_batch"))
        .def("begin", &Crew::begin, py::arg("n_token"), py::arg("is_prompt"))
        .def("end", &Crew::end)
        .def_property_readonly("size", &Crew::size, "Threads of a step that decodes no prompt.");
}
