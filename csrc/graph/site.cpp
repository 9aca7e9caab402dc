#include "graph/site.hpp"

#include <algorithm>
#include <vector>

namespace llamood {

namespace {

struct Place {
    const char* node;
    std::vector<const char*> archs;
};

// Site attn_out.
const std::vector<Place>& attention_places() {
    static const std::vector<Place> places = {
        {"ffn_inp", {"afmoe",         "apertus",      "arcee",          "arctic",
                     "baichuan",      "bailingmoe",   "bitnet",         "bloom",
                     "chameleon",     "chatglm",      "codeshell",      "cogvlm",
                     "dbrx",          "deci",         "deepseek",       "deepseek2",
                     "deepseek2-ocr", "deepseek32",   "dots1",          "dots3note",
                     "ernie4_5",      "ernie4_5-moe", "exaone",         "exaone-moe",
                     "exaone4",       "falcon-h1",    "glm-dsa",        "glm4",
                     "glm4moe",       "gpt-oss",      "gpt2",           "gptneox",
                     "granite",       "granite_swa",  "granitehybrid",  "granitemoe",
                     "graniteswitch", "grok",         "grovemoe",       "hunyuan-dense",
                     "hunyuan-moe",   "hunyuan_vl",   "hy_v3",          "internlm2",
                     "jais",          "jais2",        "kimi-linear",    "laguna",
                     "llama",         "llama4",       "maincoder",      "maple",
                     "mellum",        "mimo2",        "minicpm",        "minicpm3",
                     "minimax-m2",    "minimax-m3",   "mistral3",       "mistral4",
                     "mpt",           "muse-glimmer", "nanbeige",       "nemotron",
                     "olmo",          "olmo2",        "olmoe",          "openelm",
                     "orion",         "paddleocr",    "pangu-embedded", "plm",
                     "qwen",          "qwen2",        "qwen2moe",       "qwen2vl",
                     "qwen3",         "qwen3moe",     "qwen3vl",        "qwen3vlmoe",
                     "refact",        "seed_oss",     "smallthinker",   "smollm3",
                     "spark2_5",      "stablelm",     "starcoder",      "starcoder2",
                     "step35",        "talkie",       "xverse"}},
        {"sa_out", {"bailingmoe2", "gemma", "gemma2", "gemma3"}},
        {"attn_out", {"gemma4"}},
        {"attn_residual", {"plamo3", "qwen35", "qwen35moe", "qwen3next"}},
        {"l_out", {"cohere2", "cohere2moe", "command-r", "falcon", "phi2", "plamo"}},
    };
    return places;
}

}  // namespace

const char* node_of(Site site, const std::string& arch) {
    if (site == layer_out) return "l_out";
    for (const Place& place : attention_places()) {
        const auto& archs = place.archs;
        if (std::find(archs.begin(), archs.end(), arch) != archs.end()) return place.node;
    }
    return nullptr;
}

}  // namespace llamood
