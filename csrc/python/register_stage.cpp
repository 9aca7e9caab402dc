#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "graph/probe.hpp"
#include "graph/row_injector.hpp"
#include "python/register.hpp"
#include "voices/stage.hpp"

namespace py = pybind11;
using llamood::Bank;
using llamood::Drawn;
using llamood::Mix;
using llamood::Probe;
using llamood::RowInjector;
using llamood::Sampling;
using llamood::Stage;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

namespace {

std::vector<float> copied(const Bank& bank, const FloatArray& rows) {
    if (rows.ndim() != 2 || rows.shape(1) != bank.n_emotion()) {
        throw std::invalid_argument("expected rows of one weight per emotion");
    }
    return {rows.data(), rows.data() + rows.size()};
}

// end: why the answer is over, if it is.
using Told = std::tuple<int, llama_token, py::bytes, std::string, std::optional<std::string>>;

std::vector<Told> told(const std::vector<Drawn>& said) {
    static constexpr std::array<const char*, 7> ends{nullptr,       "stop",   "length", "time",
                                                     "interrupted", "failed", "refused"};
    std::vector<Told> all;
    for (const Drawn& drawn : said) {
        const char* end = ends[static_cast<std::size_t>(drawn.end)];
        all.emplace_back(drawn.voice, drawn.token, py::bytes(drawn.piece), drawn.text,
                         end == nullptr ? std::nullopt : std::optional<std::string>(end));
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
    py::class_<Stage>(m, "Stage")
        .def(py::init([](RowInjector& rows, std::uintptr_t unsafe_ctx, Probe* probe) {
                 return std::make_unique<Stage>(reinterpret_cast<llama_context*>(unsafe_ctx), rows,
                                                probe);
             }),
             py::arg("rows"), py::arg("unsafe_ctx"), py::kw_only(), py::arg("probe") = nullptr,
             py::keep_alive<1, 2>(), py::keep_alive<1, 4>())
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
               const std::shared_ptr<Bank>& bank, int first, int last, float temperature, int top_k,
               float top_p, float min_p, float typical_p, float repeat_penalty,
               float frequency_penalty, float presence_penalty, int last_n_tokens,
               std::uint32_t seed, std::string grammar, int n_likely,
               std::vector<std::string> stops, int max_tokens, double max_seconds,
               const std::vector<llama_token>& said) {
                const Sampling sampling{temperature,
                                        top_k,
                                        top_p,
                                        min_p,
                                        typical_p,
                                        repeat_penalty,
                                        frequency_penalty,
                                        presence_penalty,
                                        last_n_tokens,
                                        seed,
                                        std::move(grammar),
                                        n_likely};
                self.begin(voice, std::move(tokens), copied(*bank, rows), {bank, {first, last}},
                           sampling, {std::move(stops), max_tokens, max_seconds}, said);
            },
            py::arg("voice"), py::arg("tokens"), py::arg("rows"), py::arg("bank"), py::arg("first"),
            py::arg("last"), py::kw_only(), py::arg("temperature"), py::arg("top_k"),
            py::arg("top_p"), py::arg("min_p"), py::arg("typical_p"), py::arg("repeat_penalty"),
            py::arg("frequency_penalty"), py::arg("presence_penalty"), py::arg("last_n_tokens"),
            py::arg("seed"), py::arg("grammar"), py::arg("n_likely"), py::arg("stops"),
            py::arg("max_tokens"), py::arg("max_seconds"),
            py::arg("said") = std::vector<llama_token>{},
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
            [](Stage& self, int n) {
                std::vector<Drawn> drawn;
                {
                    const py::gil_scoped_release release;
                    drawn = self.step(n);
                }
                return told(drawn);
            },
            py::arg("n") = std::numeric_limits<int>::max(),
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
        .def_property_readonly("n_token", &Stage::n_token);
}
