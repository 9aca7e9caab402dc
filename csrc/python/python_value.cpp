#include "python/python_value.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "moods/schedule.hpp"

namespace py = pybind11;

namespace llamood {

namespace {

std::string type_of(const py::handle& value) {
    return "a " + py::type::handle_of(value).attr("__name__").cast<std::string>();
}

// UTF-8, also of half a surrogate pair, which is none.
std::string text_of(const py::handle& text) {
    return py::bytes(text.attr("encode")("utf-8", "surrogatepass"));
}

JsonValue whole_of(const py::handle& value) {
    int overflow = 0;
    const long long whole = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0) return {JsonHuge{}};
    return {static_cast<std::int64_t>(whole)};
}

// Of numpy, fractions and the like.
JsonValue real_of(const py::handle& value) {
    double number = std::numeric_limits<double>::infinity();
    try {
        number = py::float_(py::reinterpret_borrow<py::object>(value));
    } catch (const py::error_already_set& error) {
        if (!error.matches(PyExc_OverflowError)) throw;
    }
    return {number, type_of(value)};
}

bool is_real(const py::handle& value) {
    return py::isinstance(value, py::module_::import("numbers").attr("Real"));
}

}  // namespace

JsonValue value_of(const py::handle& value) {
    if (value.is_none()) return {nullptr};
    if (py::isinstance<py::bool_>(value)) return {value.cast<bool>(), "a bool"};
    if (py::isinstance<py::float_>(value)) return {value.cast<double>()};
    if (py::isinstance<py::int_>(value)) return whole_of(value);
    if (py::isinstance<py::str>(value)) return {text_of(value)};
    if (py::isinstance<Schedule>(value)) {
        return {SchedulePtr(value.cast<std::shared_ptr<Schedule>>())};
    }
    if (py::hasattr(value, "core")) return value_of(value.attr("core"));
    if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
        JsonList list;
        for (const py::handle& each : value) list.push_back(value_of(each));
        return {std::move(list)};
    }
    if (py::isinstance<py::dict>(value)) {
        JsonObject object;
        for (const auto& [key, part] : py::reinterpret_borrow<py::dict>(value)) {
            object.push_back({text_of(py::str(key)), value_of(part)});
        }
        return {std::move(object), type_of(value)};
    }
    if (is_real(value)) return real_of(value);
    return {false, type_of(value)};
}

py::object python_of(const JsonValue& value) {
    struct Shown {
        py::object operator()(std::nullptr_t) const { return py::none(); }
        py::object operator()(JsonHuge) const { return py::none(); }
        py::object operator()(bool is_true) const { return py::bool_(is_true); }
        py::object operator()(std::int64_t number) const { return py::int_(number); }
        py::object operator()(double number) const { return py::float_(number); }
        py::object operator()(const std::string& text) const { return py::str(text); }
        py::object operator()(const JsonList& list) const {
            py::tuple tuple(list.size());
            for (std::size_t i = 0; i < list.size(); ++i) tuple[i] = python_of(list[i]);
            return tuple;
        }
        py::object operator()(const JsonObject& object) const {
            py::dict dict;
            for (const auto& [key, part] : object) dict[py::str(key)] = python_of(part);
            return dict;
        }
        py::object operator()(const SchedulePtr& schedule) const {
            return py::cast(std::const_pointer_cast<Schedule>(schedule));
        }
    };
    return std::visit(Shown{}, value.is);
}

}  // namespace llamood
