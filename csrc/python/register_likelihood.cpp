#include <llama.h>
#include <pybind11/numpy.h>

#include <cstdint>
#include <stdexcept>

#include "python/register.hpp"
#include "python/released.hpp"
#include "voices/likelihood.hpp"

namespace py = pybind11;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

namespace {

py::array_t<double> log_sums(const FloatArray& logits) {
    if (logits.ndim() != 2 || logits.shape(1) == 0) {
        throw std::invalid_argument("expected logits (n, n_vocab)");
    }
    const auto n = static_cast<std::size_t>(logits.shape(0));
    const auto n_vocab = static_cast<std::size_t>(logits.shape(1));
    py::array_t<double> found(logits.shape(0));
    const float* from = logits.data();
    double* to = found.mutable_data();
    const llamood::Released released;
    for (std::size_t i = 0; i < n; ++i) to[i] = llamood::log_sum(from + i * n_vocab, n_vocab);
    return found;
}

double last_logprob(std::uintptr_t unsafe_ctx, int token) {
    auto* ctx = reinterpret_cast<llama_context*>(unsafe_ctx);
    const llamood::Released released;
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(ctx)));
    const float* logits = llama_get_logits_ith(ctx, -1);
    if (logits == nullptr || token < 0 || token >= n_vocab) {
        throw std::invalid_argument("expected a token, and a decode that gave logits");
    }
    return logits[token] - llamood::log_sum(logits, static_cast<std::size_t>(n_vocab));
}

}  // namespace

void register_likelihood(py::module_& m) {
    m.def("log_sums", &log_sums, py::arg("logits"),
          "float64 (n,): of logits (n, n_vocab) the logarithm of the sum of their exponentials.");
    m.def("last_logprob", &last_logprob, py::arg("unsafe_ctx"), py::arg("token"),
          "Of a token after the last one that was decoded, the logarithm of its probability.");
}
