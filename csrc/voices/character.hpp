// One voice of a cast: the answer that it gives, its mood, and what it has cached.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "voices/event.hpp"
#include "voices/memory.hpp"
#include "voices/reader.hpp"
#include "voices/saved_voice.hpp"
#include "voices/shared_context.hpp"
#include "voices/turn.hpp"

namespace llamood {

constexpr const char* is_speaking_already =
    "this voice is speaking; interrupt it first, or let it end";

// A voice that is about to decode so many tokens that another's prompt begins with, too.
struct Lead {
    int voice;
    int n;
};

// Whatever is asked while it waits for something, a mood's function say, may end its turn: it is
// as if nothing more had been drawn then.
class Character {
  public:
    using Others = std::vector<const Character*>;

    // manner: of its answers, unless another is asked for. care: what becomes of them where they
    // collapse; none for nothing.
    Character(SharedContext& shared, int number, std::optional<std::string> system,
              std::shared_ptr<const Steering> steering, Manner manner, Overflow overflow,
              std::optional<Care> care);

    int number() const { return number_; }
    const std::shared_ptr<const Steering>& steering() const { return steering_; }
    // (n_emotion), as multiples of the vectors as stored: the weights applied last, from which a
    // mood with inertia moves on.
    const std::vector<double>& felt() const { return felt_; }
    // Of its answer, as of an event; none where it is not read.
    const std::optional<std::vector<double>>& reading() const { return reading_; }
    // What its face shows; none where it is not read.
    std::optional<Shown> face() const;
    // From the next token on. faces: of the emotions at hand; null for those of what is read.
    void set_faces(std::shared_ptr<const FaceSet> faces) {
        faces_ = faces == nullptr ? shared_.faces() : std::move(faces);
    }
    // Null where it is not read.
    Reader* reader() const { return reader_.get(); }
    // What it remembers of the conversation.
    const std::vector<Message>& messages() const;

    bool is_speaking() const { return turn_ != nullptr; }
    // Whether its prompt is not on the stage yet.
    bool is_waiting() const { return turn_ != nullptr && turn_->is_waiting; }
    // Whether its prompt is being decoded.
    bool is_prompting() const;
    // Tokens that it has drawn in its last answer, with those that it took back.
    int n_draw() const { return n_draw_; }

    // What is decoded, or will be, and the key of the blend of each position.
    const std::vector<llama_token>& tokens() const { return tokens_; }
    const std::vector<std::int64_t>& keys() const { return keys_; }
    // How many positions it has decoded; and of these tokens in these blends.
    int n_cached() const;
    int n_common(const std::vector<llama_token>& tokens,
                 const std::vector<std::int64_t>& keys) const;

    // Throws Refused while it speaks.
    void require_silent() const;

    // The answer to a text, or to a prompt of its own. Changes nothing. Throws Refused while it
    // speaks and for a grammar that llama.cpp does not take, and ModelFault where there is no room.
    Plan plan(const std::string& text, std::optional<Manner> manner = std::nullopt) const;
    Plan plan_prompt(std::vector<llama_token> prompt, Manner manner,
                     std::optional<std::string> said = std::nullopt) const;

    // Give the answer. others: from whom to take over what they have decoded already. Returns who
    // of them is about to decode much of the same; start() is to be called when that one has done
    // so, or is_prompting() no more. Where this, or start(), throws, the turn is to be abandoned.
    std::optional<Lead> begin(Plan plan, const Others& others);
    // Decode the prompt.
    void start(const Others& others);

    // What can be told now that it drew this: nothing while the answer smells of collapse, or of
    // this token where that is drawn anew.
    std::vector<Event> hear(const Drawn& drawn);
    // Say no more; what was said until now stays. None where it does not speak.
    std::optional<Event> interrupt();
    // The turn went wrong: it is as if it had not been.
    void abandon();
    // Forget everything.
    void leave();

    // From the next token on, also in the middle of an answer. felt: what to have felt before the
    // next one, unless it is to be remembered. Where the mood throws at once, nothing changes.
    void feel(std::shared_ptr<const Steering> steering,
              std::optional<std::vector<double>> felt = std::nullopt);
    // Add nothing from the next token of this answer on, or the mood again: time goes on in it
    // meanwhile.
    void pause(bool is_paused);

    // What of its moods is not given, and nobody was told.
    std::vector<std::string> news();

    // All that it takes to go on from here, with what is cached or without. Throws MoodError for a
    // mood that has no written form.
    SavedVoice saved(bool has_cache) const;
    // A voice that has only just joined is this one. steerings: of its moods, the last of them its
    // own. What is cached is decoded anew where it is not known here. Returns as begin() does;
    // where this throws, the voice is to leave.
    std::optional<Lead> restore(SavedVoice saved,
                                const std::vector<std::shared_ptr<const Steering>>& steerings,
                                const Others& others);

    // Of an answer that it could begin here. notify: told what limits take away.
    Performance performance(std::shared_ptr<const Steering> steering, std::vector<double> before,
                            int position, Performance::Notify notify) const;

    // What was said to it last, as read: of each emotion the mean z-score. Empty where it does not
    // answer that now, before that is decoded, and where nothing is read.
    Read said() const;

  private:
    using TurnPtr = std::shared_ptr<Turn>;  // kept by whoever waits for something in it

    void require_able(const Manner& manner) const;
    TurnPtr turn_of(Plan plan, std::vector<std::string> notices = {});
    std::string origin() const;
    SavedAnswer saved_answer(std::vector<JsonValue>& moods) const;
    bool mixes() const;
    SavedCache saved_cache(bool is_whole) const;
    void restore_cache(SavedCache cache);
    void restore_answer(SavedAnswer saved,
                        const std::vector<std::shared_ptr<const Steering>>& steerings);
    Plan saved_plan(SavedAnswer saved) const;
    void foresee(const Steering& steering);
    void notice(const Notice& notice);
    int n_same(const std::vector<llama_token>& tokens, const std::vector<std::int64_t>& keys) const;
    std::optional<Lead> lead(const std::vector<std::int64_t>& wanted, const Others& others) const;
    int borrow(int n, const std::vector<std::int64_t>& wanted, const Others& others);
    void again(const TurnPtr& turn);
    void resume(const TurnPtr& turn);
    void speak(Turn& turn, int n, std::vector<const Blend*> blends, int n_known);
    std::vector<std::size_t> ends(int n, int n_known);
    int n_decoded(const Turn& turn) const;
    void go_on(const TurnPtr& turn);
    void play(const TurnPtr& turn);
    // caps: of each token.
    Mix mix(const Steering& steering, std::vector<CapsPtr> caps) const;
    void note(int position, const std::vector<const Blend*>& blends);
    Event event(Turn& turn, const Drawn& drawn);
    Event ended(const Turn& turn, End end) const;
    Shown shown(const Turn* turn, const std::vector<double>& reading) const;
    std::vector<Event> rescue(const TurnPtr& turn, const Rescue& rescue);
    std::string end(bool tells_rest);

    SharedContext& shared_;
    int number_;
    Memory memory_;
    std::shared_ptr<const Steering> steering_;
    Manner manner_;
    std::optional<Care> care_;
    std::vector<double> felt_;
    std::unique_ptr<Reader> reader_;
    std::optional<std::vector<double>> reading_;
    std::shared_ptr<const FaceSet> faces_;
    Face face_;
    TurnPtr turn_;
    int n_draw_ = 0;
    std::set<std::string> noticed_;  // of what
    std::vector<std::string> news_;
    // Of these the first Stage::n_cached are decoded.
    std::vector<llama_token> tokens_;
    std::vector<std::int64_t> keys_;
    std::vector<llama_pos> begins_;  // of a voice that was saved, see Stage::begins
    int n_known_ = 0;                // of its tokens_, that these are of
};

}  // namespace llamood
