// What `_core` was compiled to call of llama.cpp: the kinds of what its functions take and return,
// and where the members of its structs lie. llama_cpp declares the same of the llama.cpp that it
// brings, by hand and by ctypes; llamood.trial compares the two.
//
// A kind is "p" for a pointer, "v" for nothing, or "i", "f", "s" (an integer, a number, a struct)
// with its size in bytes. Every function of llama.h that the module takes is here;
// tests/trial/test_trial.py holds that against the module's symbols.
#include <llama.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "python/register.hpp"

namespace {

template <typename Type>
std::string kind() {
    if constexpr (std::is_void_v<Type>) {
        return "v";
    } else if constexpr (std::is_pointer_v<Type>) {
        return "p";
    } else {
        const char* family = std::is_floating_point_v<Type> ? "f"
                             : std::is_class_v<Type>        ? "s"
                                                            : "i";
        return family + std::to_string(sizeof(Type));
    }
}

// What it returns, then what it takes.
template <typename Result, typename... Taken>
std::vector<std::string> kinds(Result (*)(Taken...)) {
    return {kind<Result>(), kind<Taken>()...};
}

#define FUNCTION(name) {#name, kinds(&name)}
#define MEMBER(type, name) {#name, offsetof(type, name)}

std::map<std::string, std::vector<std::string>> functions() {
    return {
        FUNCTION(llama_batch_free),
        FUNCTION(llama_batch_get_one),
        FUNCTION(llama_batch_init),
        FUNCTION(llama_context_default_params),
        FUNCTION(llama_decode),
        FUNCTION(llama_free),
        FUNCTION(llama_get_logits_ith),
        FUNCTION(llama_get_memory),
        FUNCTION(llama_get_model),
        FUNCTION(llama_init_from_model),
        FUNCTION(llama_memory_seq_cp),
        FUNCTION(llama_memory_seq_pos_max),
        FUNCTION(llama_memory_seq_pos_min),
        FUNCTION(llama_memory_seq_rm),
        FUNCTION(llama_model_desc),
        FUNCTION(llama_model_get_vocab),
        FUNCTION(llama_model_has_encoder),
        FUNCTION(llama_model_is_hybrid),
        FUNCTION(llama_model_is_recurrent),
        FUNCTION(llama_model_n_embd),
        FUNCTION(llama_model_n_layer),
        FUNCTION(llama_model_n_swa),
        FUNCTION(llama_model_size),
        FUNCTION(llama_n_batch),
        FUNCTION(llama_n_ctx),
        FUNCTION(llama_n_ctx_seq),
        FUNCTION(llama_n_seq_max),
        FUNCTION(llama_n_ubatch),
        FUNCTION(llama_sampler_accept),
        FUNCTION(llama_sampler_apply),
        FUNCTION(llama_sampler_chain_add),
        FUNCTION(llama_sampler_chain_default_params),
        FUNCTION(llama_sampler_chain_init),
        FUNCTION(llama_sampler_free),
        FUNCTION(llama_sampler_get_seed),
        FUNCTION(llama_sampler_init_dist),
        FUNCTION(llama_sampler_init_grammar),
        FUNCTION(llama_sampler_init_greedy),
        FUNCTION(llama_sampler_init_min_p),
        FUNCTION(llama_sampler_init_penalties),
        FUNCTION(llama_sampler_init_temp),
        FUNCTION(llama_sampler_init_top_k),
        FUNCTION(llama_sampler_init_top_p),
        FUNCTION(llama_sampler_init_typical),
        FUNCTION(llama_set_adapter_cvec),
        FUNCTION(llama_set_n_threads),
        FUNCTION(llama_state_seq_get_data),
        FUNCTION(llama_state_seq_get_size),
        FUNCTION(llama_state_seq_set_data),
        FUNCTION(llama_synchronize),
        FUNCTION(llama_token_to_piece),
        FUNCTION(llama_tokenize),
        FUNCTION(llama_vocab_is_control),
        FUNCTION(llama_vocab_is_eog),
        FUNCTION(llama_vocab_n_tokens),
    };
}

// With its size under "".
using Layout = std::map<std::string, std::size_t>;

std::map<std::string, Layout> structs() {
    using Params = llama_context_params;
    using Batch = llama_batch;
    using Datum = llama_token_data;
    using Data = llama_token_data_array;
    using Chain = llama_sampler_chain_params;
    return {
        {"llama_context_params",
         {{"", sizeof(Params)},
          MEMBER(Params, n_ctx),
          MEMBER(Params, n_batch),
          MEMBER(Params, n_ubatch),
          MEMBER(Params, n_threads),
          MEMBER(Params, n_threads_batch),
          MEMBER(Params, cb_eval),
          MEMBER(Params, cb_eval_user_data)}},
        {"llama_batch",
         {{"", sizeof(Batch)},
          MEMBER(Batch, n_tokens),
          MEMBER(Batch, token),
          MEMBER(Batch, embd),
          MEMBER(Batch, pos),
          MEMBER(Batch, n_seq_id),
          MEMBER(Batch, seq_id),
          MEMBER(Batch, logits)}},
        {"llama_token_data",
         {{"", sizeof(Datum)}, MEMBER(Datum, id), MEMBER(Datum, logit), MEMBER(Datum, p)}},
        {"llama_token_data_array",
         {{"", sizeof(Data)},
          MEMBER(Data, data),
          MEMBER(Data, size),
          MEMBER(Data, selected),
          MEMBER(Data, sorted)}},
        {"llama_sampler_chain_params", {{"", sizeof(Chain)}, MEMBER(Chain, no_perf)}},
    };
}

}  // namespace

void register_interface(pybind11::module_& m) {
    m.def("interface_functions", &functions);
    m.def("interface_structs", &structs);
}
