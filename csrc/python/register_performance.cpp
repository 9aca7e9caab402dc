#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "python/register.hpp"
#include "steering/performance.hpp"

namespace py = pybind11;
using llamood::Notice;
using llamood::Performance;
using llamood::Read;
using llamood::Steering;

namespace {

// A performance that asks the Python object which it is part of: `notice(notice)`, `reading(begin,
// end)` for what is read of these positions, and `said()` for what is read of what is answered.
// That object alone owns them, so that they stay known to Python's collector.
class Played : public Performance {
  public:
    Played(const std::shared_ptr<Steering>& steering, std::vector<double> before, std::int64_t at)
        : Performance(
              steering, std::move(before), [this](const Notice& notice) { tell(notice); },
              [this](std::int64_t token) { return read(token); }, [this] { return said(); }),
          position(at) {}
    Played(const Played&) = delete;
    Played& operator=(const Played&) = delete;

    // Of token 0.
    std::int64_t position;

    std::int64_t start() const { return steering().is_everywhere() ? 0 : position; }

  private:
    py::object self() { return py::cast(this, py::return_value_policy::reference); }
    void tell(const Notice& notice) { self().attr("notice")(notice); }
    Read read(std::int64_t token) {
        return self().attr("reading")(position, position + token).cast<Read>();
    }
    Read said() { return self().attr("said")().cast<Read>(); }
};

template <class Value>
py::array_t<Value> array_of(const std::vector<Value>& values) {
    return py::array_t<Value>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::tuple block(Played& self, std::int64_t token, std::int64_t n) {
    py::array_t<float> rows(
        {static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(self.steering().n_emotion())});
    py::array_t<std::int64_t> keys(static_cast<py::ssize_t>(n));
    self.block(token, n, rows.mutable_data(), keys.mutable_data());
    return py::make_tuple(rows, keys);
}

}  // namespace

void register_performance(py::module_& m) {
    py::class_<Played>(m, "Performance")
        .def(py::init<const std::shared_ptr<Steering>&, std::vector<double>, std::int64_t>(),
             py::arg("steering"), py::arg("before"), py::arg("position"))
        .def_readwrite("position", &Played::position)
        .def_property_readonly("start", &Played::start)
        .def_property_readonly("is_felt", &Played::is_felt)
        .def_property_readonly("n_heard", &Played::n_heard)
        .def_property_readonly("listens",
                               [](const Played& self) { return self.steering().listens(); })
        .def_property_readonly("is_foreseen",
                               [](const Played& self) { return self.steering().is_foreseen(); })
        .def(
            "change",
            [](Played& self, const std::shared_ptr<Steering>& steering, std::int64_t token) {
                self.change(steering, token);
            },
            py::arg("steering"), py::arg("token"))
        .def("soften", &Played::soften, py::arg("token"), py::arg("factor"))
        .def(
            "hear",
            [](Played& self, std::int64_t token, const py::bytes& piece) {
                self.hear(token, piece);
            },
            py::arg("token"), py::kw_only(), py::arg("piece"))
        .def("blend", &Played::blend, py::arg("token"))
        .def("block", &block, py::arg("token"), py::arg("n"))
        .def("is_still", &Played::is_still, py::arg("token"))
        .def(
            "row",
            [](Played& self, std::int64_t token) {
                return py::make_tuple(array_of(self.asked(token)), array_of(self.row(token)));
            },
            py::arg("token"))
        .def("overdose", &Played::overdose, py::arg("token"))
        .def(
            "after", [](Played& self, std::int64_t token) { return array_of(self.after(token)); },
            py::arg("token"));
}
