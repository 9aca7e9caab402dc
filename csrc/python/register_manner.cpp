#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "python/register.hpp"
#include "voices/memory.hpp"

namespace py = pybind11;
using llamood::Manner;

void register_manner(py::module_& m) {
    py::class_<Manner>(m, "Manner")
        .def(py::init([](float temperature, int top_k, float top_p, float min_p, float typical_p,
                         float repeat_penalty, float frequency_penalty, float presence_penalty,
                         int last_n_tokens, std::uint32_t seed, std::string grammar, int n_likely,
                         std::vector<std::string> stops, int max_tokens, double max_seconds) {
                 return Manner{{temperature, top_k, top_p, min_p, typical_p, repeat_penalty,
                                frequency_penalty, presence_penalty, last_n_tokens, seed,
                                std::move(grammar), n_likely},
                               std::move(stops),
                               max_tokens,
                               max_seconds};
             }),
             py::kw_only(), py::arg("temperature"), py::arg("top_k"), py::arg("top_p"),
             py::arg("min_p"), py::arg("typical_p"), py::arg("repeat_penalty"),
             py::arg("frequency_penalty"), py::arg("presence_penalty"), py::arg("last_n_tokens"),
             py::arg("seed"), py::arg("grammar"), py::arg("n_likely"), py::arg("stops"),
             py::arg("max_tokens"), py::arg("max_seconds"));
}
