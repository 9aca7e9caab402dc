#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/register.hpp"
#include "voices/face.hpp"

namespace py = pybind11;
using llamood::Face;
using llamood::FaceLabel;
using llamood::FaceSet;
using llamood::Names;

void register_face(py::module_& m) {
    py::class_<FaceSet, std::shared_ptr<FaceSet>>(m, "FaceSet")
        .def(py::init([](const std::vector<std::pair<std::string, std::optional<std::string>>>& of,
                         const Names& emotions) {
                 std::vector<FaceLabel> labels;
                 for (const auto& [label, emotion] : of) labels.push_back({label, emotion});
                 return std::make_shared<FaceSet>(labels, emotions);
             }),
             py::arg("labels"), py::arg("emotions"));
    py::class_<Face>(m, "Face")
        .def(py::init<>())
        .def(
            "see",
            [](Face& self, const FaceSet& faces, const std::vector<double>& reading) {
                self.see(faces, reading);
                return self.shown(faces, reading, {}).label;
            },
            py::arg("faces"), py::arg("reading"));
    m.def("affect_point", &llamood::point_of, py::arg("reading"), py::arg("places"));
}
