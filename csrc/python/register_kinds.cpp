#include <pybind11/stl.h>

#include <string>
#include <variant>

#include "moods/kinds.hpp"
#include "moods/settings.hpp"
#include "python/python_value.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using namespace py::literals;
using llamood::Choice;
using llamood::Count;
using llamood::Kind;
using llamood::Layers;
using llamood::ManySchedules;
using llamood::Number;
using llamood::OneSchedule;
using llamood::Parameter;
using llamood::ParameterKind;
using llamood::PointList;
using llamood::ReadingLimits;
using llamood::Setting;
using llamood::Standing;
using llamood::Text;

namespace {

// What a parameter may be: its type, and what it lies between.
py::dict described(const ParameterKind& kind) {
    struct Described {
        py::dict operator()(const Number& n) const {
            return py::dict("type"_a = "number", "low"_a = n.low, "high"_a = n.high);
        }
        py::dict operator()(const Count& n) const {
            return py::dict("type"_a = "count", "low"_a = n.low, "high"_a = n.high);
        }
        py::dict operator()(const Choice& choice) const {
            return py::dict("type"_a = "choice", "words"_a = choice.words);
        }
        py::dict operator()(const Text&) const {
            return py::dict("type"_a = "text", "high"_a = llamood::longest_waited_for);
        }
        py::dict operator()(const PointList&) const {
            return py::dict("type"_a = "points", "high"_a = llamood::most_points,
                            "token"_a = (*this)(Count{}), "intensity"_a = (*this)(Number{}));
        }
        py::dict operator()(const Layers&) const {
            return py::dict("type"_a = "layers", "high"_a = llamood::deepest_layer);
        }
        py::dict operator()(const ReadingLimits&) const {
            return py::dict("type"_a = "limits", "high"_a = llamood::most_limits);
        }
        py::dict operator()(const OneSchedule&) const { return py::dict("type"_a = "schedule"); }
        py::dict operator()(const ManySchedules&) const {
            return py::dict("type"_a = "schedules", "high"_a = llamood::most_schedules - 1);
        }
    };
    return std::visit(Described{}, kind);
}

py::dict described(const Kind& kind, const Parameter& parameter) {
    return py::dict(
        "key"_a = parameter.key, "kind"_a = described(parameter.kind),
        "place"_a = kind.place(parameter), "main"_a = parameter.standing == Standing::main,
        "beside"_a = parameter.standing == Standing::beside, "required"_a = parameter.is_required,
        "default"_a = llamood::python_of(parameter.otherwise));
}

py::dict kinds() {
    py::dict kinds;
    for (const Kind& kind : llamood::kinds()) {
        py::list parameters;
        for (const Parameter& each : kind.parameters) parameters.append(described(kind, each));
        kinds[py::str(kind.name)] = parameters;
    }
    return kinds;
}

py::dict settings() {
    py::dict settings;
    for (const Setting& setting : llamood::all_settings()) {
        settings[py::str(setting.key)] =
            py::make_tuple(described(setting.kind), llamood::python_of(setting.otherwise));
    }
    return settings;
}

}  // namespace

void register_kinds(py::module_& m) {
    m.def("kinds", &kinds);
    m.def("settings", &settings);
    m.def(
        "checked_setting",
        [](const std::string& key, const py::object& value) {
            return llamood::python_of(llamood::checked_setting(key, llamood::value_of(value)));
        },
        py::arg("key"), py::arg("value"));
}
