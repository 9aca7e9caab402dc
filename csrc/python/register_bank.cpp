#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include "python/register.hpp"
#include "python/released.hpp"
#include "vectors/bank.hpp"

namespace py = pybind11;
using llamood::Bank;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;
using OutArray = py::array_t<float, py::array::c_style>;  // never a converted copy

void register_bank(py::module_& m) {
    py::class_<Bank, std::shared_ptr<Bank>>(m, "Bank")
        .def(py::init([](const FloatArray& data) {
                 if (data.ndim() != 3) {
                     throw std::invalid_argument("expected (n_emotion, n_layer, n_embd)");
                 }
                 return std::make_shared<Bank>(data.data(), static_cast<int>(data.shape(0)),
                                               static_cast<int>(data.shape(1)),
                                               static_cast<int>(data.shape(2)));
             }),
             py::arg("data"))
        .def_property_readonly("n_emotion", &Bank::n_emotion)
        .def_property_readonly("n_layer", &Bank::n_layer)
        .def_property_readonly("n_embd", &Bank::n_embd)
        .def(
            "blend",
            [](const Bank& bank, const FloatArray& weights, int first, int last,
               std::optional<OutArray> out) {
                if (weights.ndim() != 1 || weights.shape(0) != bank.n_emotion()) {
                    throw std::invalid_argument("expected one weight per emotion");
                }
                if (!out) out = OutArray({bank.n_layer(), bank.n_embd()});
                if (out->ndim() != 2 || out->shape(0) != bank.n_layer() ||
                    out->shape(1) != bank.n_embd()) {
                    throw std::invalid_argument("expected `out` of (n_layer, n_embd)");
                }
                const float* in = weights.data();
                float* to = out->mutable_data();  // throws where it may not be written
                {
                    // Only C++ memory is touched here; `weights` and `out` are held by the
                    // caller's frame and by this one.
                    const llamood::Released released;
                    bank.blend(in, {first, last}, to);
                }
                return *out;
            },
            py::arg("weights"), py::arg("first"), py::arg("last"),
            py::arg("out").noconvert() = py::none(),
            "float32 (n_layer, n_embd): the weighted sum in layers first..last, zero elsewhere.");
}
