#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "python/collapse.hpp"
#include "python/register.hpp"
#include "steering/guard.hpp"

namespace py = pybind11;
using llamood::Alarm;
using llamood::Guard;

void register_guard(py::module_& m) {
    py::class_<Alarm>(m, "Alarm")
        .def(py::init<std::string, std::string>(), py::arg("kind"), py::arg("text"))
        .def_readonly("kind", &Alarm::kind)
        .def_readonly("text", &Alarm::text)
        .def("__eq__", &Alarm::operator==, py::arg("other"), py::is_operator())
        .def("__repr__",
             [](const Alarm& self) { return "Alarm(" + self.kind + ": " + self.text + ")"; });
    py::class_<Guard>(m, "Guard")
        .def(py::init([] { return Guard(llamood::zlib_size); }))
        .def(
            "hear",
            [](Guard& self, int token_id, const py::bytes& piece, std::optional<double> logprob,
               std::optional<double> overdose) {
                return self.hear(token_id, piece, {logprob, overdose});
            },
            py::arg("token_id"), py::kw_only(), py::arg("piece"), py::arg("logprob") = py::none(),
            py::arg("overdose") = py::none(),
            "The next token and its text, and where they are known the logarithm of its "
            "probability and how many times as much was added as reads fluently; what is wrong.")
        .def(
            "forget",
            [](Guard& self, std::size_t n_heard) {
                if (n_heard > self.n_heard()) throw std::invalid_argument("more than were heard");
                self.forget(n_heard);
            },
            py::arg("n_heard"), "Keep only the first so many tokens.")
        .def_property_readonly("n_heard", &Guard::n_heard)
        .def_property_readonly("alarm", &Guard::alarm, "What is wrong at the last token.")
        .def_property_readonly(
            "suspect_from", &Guard::suspect_from,
            "The number of the token, from 1, from which on what was said smells of collapse.");
}
