#include <pybind11/numpy.h>

#include <memory>
#include <stdexcept>

#include "bank.hpp"
#include "register.hpp"

namespace py = pybind11;
using llamood::Bank;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

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
            [](const Bank& bank, const FloatArray& weights, int first, int last) {
                if (weights.ndim() != 1 || weights.shape(0) != bank.n_emotion()) {
                    throw std::invalid_argument("expected one weight per emotion");
                }
                py::array_t<float> out({bank.n_layer(), bank.n_embd()});
                const float* in = weights.data();
                float* to = out.mutable_data();
                {
                    // Only C++ memory is touched here; `weights` and `out` are held by the
                    // caller's frame and by this one.
                    const py::gil_scoped_release release;
                    bank.blend(in, {first, last}, to);
                }
                return out;
            },
            py::arg("weights"), py::arg("first"), py::arg("last"),
            "float32 (n_layer, n_embd): the weighted sum in layers first..last, zero elsewhere.");
}
