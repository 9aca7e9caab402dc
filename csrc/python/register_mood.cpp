#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <utility>

#include "moods/mood.hpp"
#include "moods/personality.hpp"
#include "python/python_value.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::AffectMap;
using llamood::Mood;
using llamood::NamedMood;
using llamood::Names;

namespace {

py::array_t<float> rows(const Mood& mood, py::ssize_t n_token, Names names,
                        std::shared_ptr<AffectMap> affect_map) {
    const auto n_emotion = static_cast<py::ssize_t>(names.size());
    const NamedMood named(mood, std::move(names), std::move(affect_map));
    py::array_t<float> rows({n_token, n_emotion});
    for (py::ssize_t token = 0; token < n_token; ++token) {
        named.row(token, rows.mutable_data() + token * n_emotion);
    }
    return rows;
}

}  // namespace

void register_mood(py::module_& m) {
    m.def(
        "personality",
        [](const py::object& written) {
            const auto read = llamood::read_personality(llamood::value_of(written));
            return py::make_tuple(read.about, read.system, read.key);
        },
        py::arg("written"));
    py::class_<Mood>(m, "Mood")
        .def(py::init(
                 [](const py::dict& written) { return Mood::read(llamood::value_of(written)); }),
             py::arg("written"))
        .def_property_readonly("is_neutral", &Mood::is_neutral)
        .def_property_readonly("is_constant", &Mood::is_constant)
        .def_property_readonly("listens", &Mood::listens)
        .def_property_readonly("holds", &Mood::holds)
        .def_property_readonly("reads", &Mood::reads)
        .def("rows", &rows, py::arg("n_token"), py::arg("names"), py::arg("affect_map"),
             "float32 (n_token, n_emotion): the weights asked, as if no text were heard.");
}
