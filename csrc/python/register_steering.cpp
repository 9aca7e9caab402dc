#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "python/register.hpp"
#include "steering/steering.hpp"

namespace py = pybind11;
using llamood::AffectMap;
using llamood::Blend;
using llamood::Caps;
using llamood::CapsPtr;
using llamood::Dose;
using llamood::Held;
using llamood::Mood;
using llamood::NeutralText;
using llamood::Notice;
using llamood::Steering;
using llamood::SteeringVectors;
using llamood::Told;

namespace {

py::dict regulators(const Steering& steering) {
    py::dict regulators;
    for (const Held& held : steering.held()) {
        regulators[py::str(steering.mood().feelings()[held.feeling].name)] = held.regulator;
    }
    return regulators;
}

std::shared_ptr<Caps> shown(const CapsPtr& caps) {
    return std::const_pointer_cast<Caps>(caps);  // pybind11 holds no const; nothing changes one
}

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

template <class T>
std::vector<T> copied(const Array<T>& array) {
    return {array.data(), array.data() + array.size()};
}

}  // namespace

void register_steering(py::module_& m) {
    py::class_<NeutralText>(m, "NeutralText")
        .def(py::init<>())
        .def(py::init([](const Array<float>& directions, const Array<double>& middle,
                         const Array<double>& spread) {
                 const bool is_whole = directions.ndim() == 3 && middle.size() == spread.size();
                 if (!is_whole || middle.size() != directions.shape(0) * directions.shape(1)) {
                     throw std::invalid_argument(
                         "expected directions of (n_layer, n_emotion, n_embd), and a middle and a "
                         "spread for each");
                 }
                 return NeutralText{copied(directions), copied(middle), copied(spread)};
             }),
             py::arg("directions"), py::arg("middle"), py::arg("spread"),
             "middle, spread: (n_layer * n_emotion,).");
    py::class_<Blend>(m, "Blend")
        .def(py::init<>())
        .def_property_readonly("weights",
                               [](const Blend& self) { return py::tuple(py::cast(self.weights)); })
        .def_property_readonly(
            "dose",
            [](const Blend& self) { return self.dose == Dose::stored ? "stored" : "relative"; })
        .def_property_readonly("first", [](const Blend& self) { return self.layers.first; })
        .def_property_readonly("last", [](const Blend& self) { return self.layers.last; })
        .def_readonly("key", &Blend::key)
        .def_property_readonly("caps", [](const Blend& self) { return shown(self.caps); })
        .def_property_readonly("adds", &Blend::adds)
        .def("__eq__", &Blend::operator==, py::arg("other"), py::is_operator())
        .def("__hash__", [](const Blend& self) { return self.key; })
        .def("__repr__", [](const Blend& self) {
            return "Blend(" + std::string(py::repr(py::cast(self.weights))) + ")";
        });
    py::class_<Notice>(m, "Notice")
        .def_readonly("what", &Notice::what)
        .def_readonly("text", &Notice::text);
    py::class_<Steering, std::shared_ptr<Steering>>(m, "Steering")
        .def(py::init([](const Mood& mood, const std::shared_ptr<SteeringVectors>& stored,
                         std::shared_ptr<AffectMap> affect_map, const std::optional<Told>& told,
                         const NeutralText* neutral) {
                 return std::make_shared<Steering>(mood, stored, std::move(affect_map), told,
                                                   neutral);
             }),
             py::arg("mood"), py::arg("stored"), py::arg("affect_map"), py::arg("told"),
             py::arg("neutral").none(true))
        .def_property_readonly("caps", [](const Steering& self) { return shown(self.caps()); })
        .def_property_readonly("first", [](const Steering& self) { return self.layers().first; })
        .def_property_readonly("last", [](const Steering& self) { return self.layers().last; })
        .def_property_readonly("regulators", &regulators)
        .def_property_readonly("still",
                               [](const Steering& self) -> std::optional<Blend> {
                                   if (self.still() == nullptr) return std::nullopt;
                                   return *self.still();
                               })
        .def(
            "notices", [](const Steering& self) { return self.notices(self.first().missed); },
            "What limits take away at its beginning, where nothing has been heard.");
}
