#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "python/named.hpp"
#include "python/register.hpp"
#include "steering/steering.hpp"
#include "voices/reader.hpp"

namespace py = pybind11;
using llamood::Baseline;
using llamood::Blend;
using llamood::Probe;
using llamood::Projector;
using llamood::Reader;
using llamood::Steering;
using llamood::SteeringVectors;
using DoubleArray = py::array_t<double, py::array::c_style | py::array::forcecast>;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

namespace {

std::vector<double> copied(const DoubleArray& values) {
    return {values.data(), values.data() + values.size()};
}

std::shared_ptr<Projector> projector(std::vector<int> layers, const DoubleArray& mean,
                                     const DoubleArray& weights, const DoubleArray& response,
                                     const std::shared_ptr<SteeringVectors>& stored, Probe& probe) {
    Baseline baseline;
    baseline.layers = std::move(layers);
    baseline.mean = copied(mean);
    baseline.weights = copied(weights);
    baseline.response = copied(response);
    const std::size_t n = stored->names().size();
    if (mean.size() != weights.size() || baseline.mean.size() != baseline.layers.size() * n ||
        baseline.response.size() != stored->n_layer() * n * n) {
        throw std::invalid_argument("expected a baseline of these vectors");
    }
    return std::make_shared<Projector>(std::make_shared<const Baseline>(std::move(baseline)),
                                       stored, probe);
}

// A reader, and the names of what it reads.
struct Named {
    Named(const std::shared_ptr<Projector>& projector, int sequence, int n_ctx)
        : reader(projector, sequence, n_ctx), names(projector->names()) {}

    py::array_t<double> rows(const std::vector<double>& values) const {
        const auto n_emotion = static_cast<py::ssize_t>(names.size());
        const auto n = static_cast<py::ssize_t>(values.size()) / n_emotion;
        return py::array_t<double>({n, n_emotion}, values.data());
    }

    Reader reader;
    const llamood::Names& names;
};

}  // namespace

void register_reader(py::module_& m) {
    m.attr("reading_half_life") = llamood::reading_half_life;
    py::class_<Projector, std::shared_ptr<Projector>>(m, "Projector")
        .def(py::init(&projector), py::arg("layers"), py::kw_only(), py::arg("mean"),
             py::arg("weights"), py::arg("response"), py::arg("stored"), py::arg("probe"),
             py::keep_alive<1, 7>());
    py::class_<Named>(m, "Reader")
        .def(py::init<const std::shared_ptr<Projector>&, int, int>(), py::arg("projector"),
             py::kw_only(), py::arg("sequence"), py::arg("n_ctx"), py::keep_alive<1, 2>())
        .def(
            "note",
            [](Named& self, int position, int n, const Blend& blend) {
                self.reader.note(position, n, blend);
            },
            py::arg("position"), py::arg("n"), py::arg("blend"))
        .def(
            "note_rows",
            [](Named& self, int position, const FloatArray& rows, const Steering& steering) {
                self.reader.note_rows(position, static_cast<int>(rows.shape(0)), rows.data(),
                                      steering.mood().settings().dose, steering.layers());
            },
            py::arg("position"), py::arg("rows"), py::arg("steering"))
        .def(
            "scores",
            [](const Named& self, int begin, int end) {
                return self.rows(self.reader.scores(begin, end));
            },
            py::arg("begin"), py::arg("end"))
        .def(
            "reading",
            [](const Named& self, int begin, int end) {
                return llamood::named(self.names, self.reader.heard(begin, end).reading);
            },
            py::arg("begin"), py::arg("end"))
        .def(
            "mean",
            [](const Named& self, int begin, int end) {
                return llamood::named(self.names, self.reader.mean(begin, end));
            },
            py::arg("begin"), py::arg("end"))
        .def("forget", [](Named& self) { self.reader.forget(); })
        .def_property_readonly("moved",
                               [](const Named& self) { return self.rows(self.reader.moved()); });
}
