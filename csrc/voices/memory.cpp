#include "voices/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "voices/faults.hpp"
#include "voices/shared_context.hpp"

namespace llamood {

namespace {

constexpr int kept_free = 4;  // for an answer of no known length, this part of what it remembers

bool has_room(std::size_t n_token, int room, int n_ctx) {
    return n_token > 0 && static_cast<long long>(n_token) + room <= n_ctx;
}

}  // namespace

Memory::Memory(std::optional<std::string> system, Overflow overflow)
    : overflow_(overflow), n_system_(system.has_value() ? 1 : 0) {
    if (system.has_value()) messages_.push_back({"system", std::move(*system)});
}

void Memory::restore(std::vector<Message> messages, bool has_system) {
    if (has_system && (messages.empty() || messages[0].role != "system")) {
        throw std::invalid_argument("messages: the first should be the system prompt");
    }
    messages_ = std::move(messages);
    n_system_ = has_system ? 1 : 0;
}

Plan Memory::plan(const SharedContext& shared, const std::string& text, Manner manner) const {
    const int n_ctx = shared.n_ctx();
    const bool drops = overflow_ == Overflow::drop;
    const int open = drops ? n_ctx / kept_free : 1;
    const int room = manner.max_tokens > 0 ? manner.max_tokens : open;
    Plan plan{messages_, {}, 0, std::move(manner), text, nullptr};
    plan.messages->push_back({"user", text});
    while (true) {
        plan.tokens = shared.chat(*plan.messages);
        if (has_room(plan.tokens.size(), room, n_ctx)) return plan;
        std::vector<Message> fewer;
        if (drops) fewer = without_oldest_turn(*plan.messages);
        if (fewer.empty()) {
            throw ModelFault(
                (plan.forgotten > 0 ? "this message alone has " : "the conversation has ") +
                std::to_string(plan.tokens.size()) + " tokens and the answer may have " +
                std::to_string(room) + ", but a voice can remember " + std::to_string(n_ctx) +
                "; raise n_ctx, lower max_tokens" +
                (drops ? "" : ", or " + shared.advice().to_drop));
        }
        plan.messages = std::move(fewer);
        ++plan.forgotten;
    }
}

// Without the oldest question and what was answered to it; empty where there is only one.
std::vector<Message> Memory::without_oldest_turn(const std::vector<Message>& messages) const {
    const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(n_system_);
    const auto is_question = [](const Message& message) { return message.role == "user"; };
    const auto first = std::find_if(begin, messages.end(), is_question);
    if (first == messages.end()) return {};
    const auto second = std::find_if(first + 1, messages.end(), is_question);
    if (second == messages.end()) return {};
    std::vector<Message> fewer(messages.begin(), begin);
    fewer.insert(fewer.end(), second, messages.end());
    return fewer;
}

void Memory::add(std::vector<Message> messages, std::string answer) {
    messages_ = std::move(messages);
    messages_.push_back({"assistant", std::move(answer)});
}

Plan plan_of(const SharedContext& shared, std::vector<llama_token> prompt, Manner manner,
             std::optional<std::string> said) {
    const int room = std::max(manner.max_tokens, 1);
    if (!has_room(prompt.size(), room, shared.n_ctx())) {
        throw ModelFault("the prompt has " + std::to_string(prompt.size()) +
                         " tokens and the answer may have " + std::to_string(room) +
                         "; expected at least one, and together at most " +
                         std::to_string(shared.n_ctx()) +
                         ": shorten the prompt, lower max_tokens, or open the model with a larger "
                         "n_ctx");
    }
    return {std::nullopt, std::move(prompt), 0, std::move(manner), std::move(said), nullptr};
}

}  // namespace llamood
