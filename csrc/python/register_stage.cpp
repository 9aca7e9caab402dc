#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "graph/probe.hpp"
#include "graph/row_injector.hpp"
#include "python/ends.hpp"
#include "python/register.hpp"
#include "python/released.hpp"
#include "voices/memory.hpp"
#include "voices/stage.hpp"

namespace py = pybind11;
using llamood::Bank;
using llamood::Drawn;
using llamood::Manner;
using llamood::Mix;
using llamood::Probe;
using llamood::RowInjector;
using llamood::RowLimiter;
using llamood::Stage;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

namespace {

std::vector<float> copied(const Bank& bank, const FloatArray& rows) {
    if (rows.ndim() != 2 || rows.shape(1) != bank.n_emotion()) {
        throw std::invalid_argument("expected rows of one weight per emotion");
    }
    return {rows.data(), rows.data() + rows.size()};
}

using Told = std::tuple<int, llama_token, py::bytes, std::string, py::object>;

// end: why the answer is over, if it is.
std::vector<Told> told(const std::vector<Drawn>& said) {
    std::vector<Told> all;
    for (const Drawn& drawn : said) {
        all.emplace_back(drawn.voice, drawn.token, py::bytes(drawn.piece), drawn.text,
                         llamood::end_of(drawn.end));
    }
    return all;
}

}  // namespace

void register_stage(py::module_& m) {
    m.def(
        "piece_of",
        [](std::uintptr_t unsafe_vocab, llama_token token) {
            return py::bytes(
                llamood::piece_of(reinterpret_cast<const llama_vocab*>(unsafe_vocab), token));
        },
        py::arg("unsafe_vocab"), py::arg("token"),
        "The bytes of one token; empty for those that only steer the conversation.");
    m.def(
        "span_of",
        [](std::uintptr_t unsafe_vocab, const std::vector<llama_token>& tokens,
           const py::bytes& text) {
            const auto* vocab = reinterpret_cast<const llama_vocab*>(unsafe_vocab);
            const llamood::Span span = llamood::span_of(vocab, tokens, text);
            return py::make_tuple(span.begin, span.end);
        },
        py::arg("unsafe_vocab"), py::arg("tokens"), py::arg("text"),
        "The positions, the first and the one after the last, in which a text lies in tokens.");
    py::class_<Stage>(m, "Stage")
        .def(py::init([](RowInjector& rows, RowLimiter& limiter, std::uintptr_t unsafe_ctx,
                         Probe* probe) {
                 return std::make_unique<Stage>(reinterpret_cast<llama_context*>(unsafe_ctx), rows,
                                                limiter, probe);
             }),
             py::arg("rows"), py::arg("limiter"), py::arg("unsafe_ctx"), py::kw_only(),
             py::arg("probe") = nullptr, py::keep_alive<1, 2>(), py::keep_alive<1, 3>(),
             py::keep_alive<1, 5>())
        .def("yield_to_others", &Stage::yield_to_others, py::arg("n_threads"),
             py::arg("n_threads_batch"))
        .def("n_cached", &Stage::n_cached, py::arg("voice"))
        .def("keep", &Stage::keep, py::arg("voice"), py::arg("n"),
             "Forget what a voice decoded from position n on; returns how many remain.")
        .def("share", &Stage::share, py::arg("source"), py::arg("target"), py::arg("begin"),
             py::arg("end"), "The target gets positions that the source has decoded.")
        .def(
            "begin",
            [](Stage& self, int voice, std::vector<llama_token> tokens, const FloatArray& rows,
               const std::shared_ptr<Bank>& bank, int first, int last, const Manner& manner,
               const std::vector<llama_token>& said) {
                const int most =
                    manner.max_tokens != 0 ? manner.max_tokens : std::numeric_limits<int>::max();
                self.begin(voice, std::move(tokens), copied(*bank, rows), {bank, {first, last}},
                           manner.sampling, {manner.stops, most, manner.max_seconds},
                           {said, 0, {}});
            },
            py::arg("voice"), py::arg("tokens"), py::arg("rows"), py::arg("bank"), py::arg("first"),
            py::arg("last"), py::arg("manner"), py::arg("said") = std::vector<llama_token>{},
            "Decode tokens, token i under row i, then draw the first of the answer, or the next "
            "after those that were said.")
        .def(
            "play",
            [](Stage& self, int voice, const FloatArray& rows, const std::shared_ptr<Bank>& bank,
               int first,
               int last) { self.play(voice, copied(*bank, rows), {bank, {first, last}}); },
            py::arg("voice"), py::arg("rows"), py::arg("bank"), py::arg("first"), py::arg("last"),
            "The rows of the coming tokens, in place of those given before.")
        .def("rest", &Stage::rest, py::arg("voice"),
             "Decode and draw no more; returns the end of what was said, where it was held back.")
        .def(
            "step",
            [](Stage& self, int n, int n_prompt) {
                std::vector<Drawn> drawn;
                {
                    const llamood::Released released;
                    drawn = self.step({n, n_prompt});
                }
                return told(drawn);
            },
            py::arg("n") = std::numeric_limits<int>::max(), py::kw_only(),
            py::arg("n_prompt") = std::numeric_limits<int>::max(),
            "Decode one batch of at most n tokens; returns (voice, token, piece, text, end) of "
            "what was drawn.")
        .def(
            "likely",
            [](const Stage& self, int voice) {
                std::vector<std::pair<llama_token, float>> likely;
                for (const auto& one : self.likely(voice)) {
                    likely.emplace_back(one.token, one.logprob);
                }
                return likely;
            },
            py::arg("voice"),
            "Of the token that the voice drew last: (token, log probability) of it, then of the "
            "likeliest.")
        .def("close", &Stage::close)
        .def_property_readonly("n_voice", &Stage::n_voice)
        .def_property_readonly("n_batch", &Stage::n_batch)
        .def_property_readonly("n_step", &Stage::n_step)
        .def_property_readonly("n_generating", &Stage::n_generating)
        .def_property_readonly("n_token", &Stage::n_token);
}
