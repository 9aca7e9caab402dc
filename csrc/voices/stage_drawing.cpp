// What a stage draws after a batch: whose tokens, and what they add to their answers.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "voices/stage.hpp"

namespace llamood {

std::vector<Drawn> Stage::draw(const std::vector<Share>& shares) {
    std::vector<Drawn> said;
    int last = -1;  // token of the batch
    for (const Share& share : shares) {
        Voice& voice = voices_[share.voice];
        last += static_cast<int>(share.n);
        if (voice.is_prompting()) {
            voice.prompt.n_done += share.n;
            if (voice.is_prompting()) continue;
        } else {
            auto& rows = voice.coming.rows;
            auto& mix = voice.coming.mix;
            rows.erase(rows.begin(), rows.begin() + mix.bank->n_emotion());
            if (!mix.caps.empty()) mix.caps.erase(mix.caps.begin());
        }
        const float* logits = llama_get_logits_ith(ctx_, last);
        voice.drawer->begin(logits);
        if (!voice.drawer->has_grammar()) {
            voice.drawer->go_on();
            said.push_back(heard(share.voice, logits));
        } else if (voice.n_likely >= 0) {
            voice.logits.assign(logits, logits + llama_vocab_n_tokens(vocab_));
        }
    }
    draw_by_grammars(said);
    return said;
}

void Stage::draw_by_grammars(std::vector<Drawn>& said) {
    const Clock::time_point until = Clock::now() + decoded_in_ / 2;
    const auto n_speaking = std::count_if(voices_.begin(), voices_.end(),
                                          [](const Voice& voice) { return voice.is_speaking(); });
    auto n_due = std::count_if(voices_.begin(), voices_.end(),
                               [](const Voice& voice) { return voice.is_drawing(); });
    for (int number = next_to_draw(); number >= 0; number = next_to_draw()) {
        Voice& voice = voices_[number];
        if (voice.drawer->go_on()) said.push_back(heard(number, voice.logits.data()));
        if (n_speaking > 1 && --n_due <= 0 && Clock::now() >= until) return;
    }
}

int Stage::next_to_draw() {
    for (int i = 0; i < n_voice(); ++i) {
        const int number = (drawing_turn_ + i) % n_voice();
        if (!voices_[number].is_drawing()) continue;
        drawing_turn_ = (number + 1) % n_voice();
        return number;
    }
    return -1;
}

Drawn Stage::heard(int number, const float* logits) {
    Voice& voice = voices_[number];
    voice.drawn = voice.drawer->token();
    const bool has_failed = voice.drawn == LLAMA_TOKEN_NULL;
    if (!has_failed && voice.n_likely >= 0) {
        likely_[number] =
            likely_of(voice.drawn, voice.n_likely, logits, llama_vocab_n_tokens(vocab_));
    }
    Drawn drawn = has_failed ? Drawn{number, voice.drawn, "", "", End::failed} : told(number);
    if (drawn.end != End::none) drawn.text += rest(number);
    return drawn;
}

const std::vector<Likely>& Stage::likely(int voice) const {
    require_open();
    return likely_.at(static_cast<std::size_t>(voice));
}

Drawn Stage::told(int number) {
    Voice& voice = voices_[number];
    Drawn drawn{number, voice.drawn, piece_of(vocab_, voice.drawn), "", End::none};
    --voice.n_left;
    if (llama_vocab_is_eog(vocab_, voice.drawn)) {
        drawn.end = End::stop;
        return drawn;
    }
    drawn.text = voice.text_stream.hear(drawn.piece);
    if (voice.text_stream.is_stopped()) {
        drawn.end = End::stop;
    } else if (voice.n_left == 0) {
        drawn.end = End::length;
    } else if (Clock::now() >= voice.deadline) {
        drawn.end = End::time;
    }
    return drawn;
}

}  // namespace llamood
