#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "moods/kinds.hpp"
#include "moods/mood_error.hpp"
#include "moods/notation.hpp"
#include "moods/parameters.hpp"
#include "moods/schedule.hpp"
#include "python/python_value.hpp"
#include "python/register.hpp"

namespace py = pybind11;
using llamood::Bounds;
using llamood::Events;
using llamood::Flips;
using llamood::Heard;
using llamood::MoodError;
using llamood::Schedule;
using llamood::SchedulePtr;
using Tokens = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

namespace {

// What a Python function says. Whoever owns the function is only referred to, and outlives this: so
// what the function holds, a voice in this very mood say, stays known to Python's collector.
class Called : public Schedule {
  public:
    explicit Called(const py::object& owner) : owner_(owner) { listens_ = calls_ = true; }

    const char* kind() const override { return "function"; }
    double at(std::int64_t token, const Heard&) const override {
        const py::object function = owner_().attr("function");
        const py::object said = function(token);
        try {
            return llamood::Number{}.check(llamood::value_of(said));
        } catch (const MoodError& error) {
            throw error.within(name(function) + "(" + std::to_string(token) + ")");
        }
    }
    Bounds bounds() const override {
        return {-llamood::largest_intensity, llamood::largest_intensity};
    }

  private:
    static std::string name(const py::object& function) {
        const py::object named =
            py::hasattr(function, "__name__") ? function : py::type::of(function);
        return named.attr("__name__").cast<std::string>();
    }

    py::weakref owner_;
};

std::shared_ptr<Schedule> held(const SchedulePtr& schedule) {
    return std::const_pointer_cast<Schedule>(schedule);
}

py::array_t<double> intensities(const Schedule& schedule, const Tokens& tokens,
                                const Events& events, std::int64_t origin, const Flips& flips) {
    py::array_t<double> values(tokens.size());
    const Heard heard(events, origin, &flips);
    for (py::ssize_t i = 0; i < tokens.size(); ++i) {
        values.mutable_data()[i] = schedule.at(tokens.data()[i], heard);
    }
    return values;
}

std::shared_ptr<Schedule> called(const py::object& owner) {
    const auto schedule = std::make_shared<Called>(owner);
    schedule->finish(nullptr);
    return schedule;
}

std::shared_ptr<Schedule> made(const std::string& kind, const py::dict& given) {
    llamood::Values values;
    for (const auto& [key, value] : given) {
        values.set(key.cast<std::string>(), llamood::value_of(value));
    }
    return held(llamood::made_of(*llamood::kind_named(kind), values));
}

py::dict values_of(const Schedule& schedule) {
    py::dict values;
    for (const auto& [key, value] : schedule.values()->all()) {
        values[py::str(key)] = llamood::python_of(value);
    }
    return values;
}

}  // namespace

void register_schedule(py::module_& m) {
    m.attr("largest_intensity") = llamood::largest_intensity;
    py::class_<Schedule, std::shared_ptr<Schedule>>(m, "Schedule", py::dynamic_attr())
        .def_static(
            "read",
            [](const py::object& written) {
                return held(llamood::from_json(llamood::value_of(written)));
            },
            py::arg("written"))
        .def_static("made", &made, py::arg("kind"), py::arg("given"))
        .def_static("called", &called, py::arg("owner"))
        .def("written", [](const Schedule& self) { return python_of(llamood::to_json(self)); })
        .def_property_readonly("kind", &Schedule::kind)
        .def_property_readonly("values", &values_of)
        .def("at", &intensities, py::arg("tokens"), py::arg("events"), py::arg("origin"),
             py::arg("flips"))
        .def_property_readonly("gate",
                               [](const Schedule& self) -> py::object {
                                   if (self.gate() == nullptr) return py::none();
                                   return py::str(self.gate()->key());
                               })
        .def("bounds",
             [](const Schedule& self) {
                 const Bounds bounds = self.bounds();
                 return py::make_tuple(bounds.low, bounds.high);
             })
        .def_property_readonly("length", &Schedule::length)
        .def_property_readonly("listens", &Schedule::listens)
        .def_property_readonly("calls", &Schedule::calls)
        .def_property_readonly("regulates", &Schedule::regulates)
        .def_property_readonly("depth", &Schedule::depth)
        .def_property_readonly("n_schedule", &Schedule::n_schedule);
}
