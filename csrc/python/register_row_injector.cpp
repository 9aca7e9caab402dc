#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "graph/row_injector.hpp"
#include "graph/site.hpp"
#include "python/register.hpp"
#include "python/released.hpp"

namespace py = pybind11;
using llamood::Bank;
using llamood::GraphWatch;
using llamood::LayerRange;
using llamood::RowInjector;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

namespace {

std::vector<float> copied(const Bank& bank, const FloatArray& rows) {
    if (rows.ndim() != 2 || rows.shape(1) != bank.n_emotion()) {
        throw std::invalid_argument("expected rows of one weight per emotion");
    }
    return {rows.data(), rows.data() + rows.size()};
}

const char* node_of(const std::string& site, const std::string& arch) {
    if (site == "layer_out") return llamood::node_of(llamood::layer_out, arch);
    if (site == "attn_out") return llamood::node_of(llamood::attn_out, arch);
    throw std::invalid_argument("expected layer_out or attn_out");
}

}  // namespace

void register_row_injector(py::module_& m) {
    m.def("node_of", &node_of, py::arg("site"), py::arg("arch"),
          "What llama.cpp calls the node of a site in an architecture; None where not known.");
    py::class_<RowInjector>(m, "RowInjector")
        .def(py::init([](GraphWatch& watch, std::uintptr_t unsafe_ctx, std::string node) {
                 return std::make_unique<RowInjector>(
                     watch, reinterpret_cast<llama_context*>(unsafe_ctx), std::move(node));
             }),
             py::arg("watch"), py::arg("unsafe_ctx"), py::kw_only(), py::arg("node"),
             py::keep_alive<1, 2>())
        .def(
            "apply",
            [](RowInjector& self, const std::shared_ptr<Bank>& bank, std::vector<float> weights,
               int first, int last) {
                // The arguments are C++ values by now; nothing below makes a Python object.
                const llamood::Released released;
                return self.apply(bank, weights, {first, last});
            },
            py::arg("bank"), py::arg("weights"), py::arg("first"), py::arg("last"),
            "Add this to every row from the next decode on; returns whether that is new.")
        .def(
            "play",
            [](RowInjector& self, const std::shared_ptr<Bank>& bank, const FloatArray& rows,
               int first, int last, llama_pos position) {
                std::vector<float> script = copied(*bank, rows);
                const llamood::Released released;
                self.play(bank, std::move(script), {first, last}, position);
            },
            py::arg("bank"), py::arg("rows"), py::arg("first"), py::arg("last"),
            py::arg("position"),
            "Decode the token at position + i under row i, without being told again.")
        .def(
            "expect",
            [](RowInjector& self, const std::shared_ptr<Bank>& bank, const FloatArray& rows,
               const std::vector<std::pair<int, int>>& layers, const std::vector<bool>& is_output) {
                const std::vector<float> weights = copied(*bank, rows);
                std::vector<LayerRange> ranges;
                for (const auto& [first, last] : layers) ranges.push_back({first, last});
                const llamood::Released released;
                self.expect(bank, weights, ranges, is_output);
            },
            py::arg("bank"), py::arg("rows"), py::arg("layers"), py::arg("is_output"),
            "Decode token i of each batch under row i, in the layers (first, last) of its own.")
        .def("rest", &RowInjector::rest,
             "Add nothing from the next decode on; returns whether something was added.")
        .def("check", &RowInjector::check,
             "Raise RuntimeError for what kept a decode from being steered as asked.")
        .def("missing_layers", &RowInjector::missing_layers)
        .def("require_places", &RowInjector::require_places, py::arg("first"), py::arg("site"))
        .def("close", &RowInjector::close)
        .def_property_readonly("n_layer", &RowInjector::n_layer)
        .def_property_readonly("n_embd", &RowInjector::n_embd)
        .def_property_readonly("n_blend", &RowInjector::n_blend)
        .def_property_readonly("n_stop", &RowInjector::n_stop)
        .def_property_readonly("n_on_device", &RowInjector::n_on_device);
}
