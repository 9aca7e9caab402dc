// A mood over the tokens of one answer: what was asked and what is applied at each of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "steering/phrase_matcher.hpp"
#include "steering/steering.hpp"

namespace llamood {

constexpr std::int64_t block_size = 256;  // tokens that are evaluated ahead

// Token 0 is the last one of the prompt; token t is the t-th generated one. The row of a token can
// be asked for once the tokens up to it were heard, where the mood listens, and in any order; where
// readings are held or waited for, only once the token before it was decoded. Rows never depend on
// how many are asked for at once. Of one answer only one thread may ask at a time.
class Performance {
  public:
    // What a token is asked and given. limited: what the limits leave of what is asked. held: of
    // each reading that is held. steering: under which it was made.
    struct Row {
        std::vector<double> asked;
        std::vector<double> limited;
        std::vector<double> applied;
        std::vector<Regulation> held;
        std::shared_ptr<const Steering> steering;
    };
    // From which token on only this part of the mood is left.
    struct Softened {
        std::int64_t first;
        double factor;
    };
    // Where it stands, so that another goes on as this one would. begin: the token at which its
    // mood began; told: of that mood, what was told of its limits; said: what of_user has said.
    // rows: of its first tokens; those that are equal share one.
    struct State {
        std::int64_t begin = 0;
        bool is_felt = false;
        std::vector<double> before;
        Missed told;
        std::optional<Read> said;
        Flips flips;
        std::vector<std::shared_ptr<const Row>> rows;
        std::vector<Softened> softened;
    };

    // Told what a limit takes away: of each limit once while a mood is felt, and of all that it
    // takes from the tokens that are known then.
    using Notify = std::function<void(const Notice&)>;
    // What is read of the answer up to a token, smoothed, or nothing.
    using Reading = std::function<Read(std::int64_t token)>;
    // What is read of what was said to who answers, its mean; asked when the prompt is decoded.
    using UserReading = std::function<Read()>;

    // before: (n_emotion), the weights that were applied last, as multiples of the vectors as
    // stored; where the mood has inertia it moves on from there. reading, of_user: needed by a
    // mood that holds readings, or waits for them.
    Performance(std::shared_ptr<const Steering> steering, std::vector<double> before,
                Notify notify = {}, Reading reading = {}, UserReading of_user = {});

    // Where it stands when the first `n` tokens are known.
    State state(std::int64_t n) const;
    // Go on from there in the mood of now, these being the bytes of the tokens that were generated.
    // Throws std::invalid_argument for a state that is none of such a mood.
    void restore(State state, const std::vector<std::string>& pieces);

    const Steering& steering() const { return *steering_; }
    // Whether some mood was felt until now, at some token.
    bool is_felt() const { return is_felt_; }
    // Generated tokens that have been heard.
    std::int64_t n_heard() const { return matcher_.n_heard(); }

    // Another mood, of the same emotions, from `token` on, where its own token 0 is. Whatever that
    // throws there leaves all as it was.
    void change(std::shared_ptr<const Steering> steering, std::int64_t token);

    // Go back to `token`, the last one that is kept, and leave only `factor` of the mood, 0 to 1,
    // from there on; of a mood that steers the prompt too, from its beginning on.
    void soften(std::int64_t token, double factor);

    // The bytes of generated token `token` (from 1 on): the next to hear, or one to hear anew,
    // which takes those after it back.
    void hear(std::int64_t token, const std::string& piece);

    // What is added at a token.
    Blend blend(std::int64_t token);
    // Whether what is added changes no more from `token` on.
    bool is_still(std::int64_t token);
    // (n_emotion): the weights applied at a token, and those asked.
    std::vector<float> row(std::int64_t token);
    std::vector<float> asked(std::int64_t token);
    // Of `n` tokens from `token` on: the weights applied, rows (n, n_emotion), and the keys (n) of
    // their blends.
    void block(std::int64_t token, std::int64_t n, float* rows, std::int64_t* keys);
    // (n_emotion): those applied, as multiples of the vectors as stored.
    std::vector<double> after(std::int64_t token);
    // How many times as much as reads fluently is added at a token, see Steering::overdose.
    std::optional<double> overdose(std::int64_t token);

  private:
    std::vector<double> applied(std::int64_t token);
    double factor(std::int64_t token) const;
    const Row& at(std::int64_t token);
    void fill(std::int64_t n);
    std::shared_ptr<const Row> made_row(std::int64_t token, Missed& missed);
    std::vector<double> last() const;
    std::vector<Regulation> regulated(const Read& read, std::int64_t token);
    void open(const Read& read, std::int64_t token);
    const Read& said();
    Regulation so_far(std::size_t i, std::int64_t token) const;
    void forget(std::int64_t n);

    std::shared_ptr<const Steering> steering_;
    bool is_felt_;
    std::int64_t begin_ = 0;  // the token at which this mood began
    std::vector<double> before_;
    Notify notify_;
    Missed told_;  // of this mood
    Reading reading_;
    UserReading of_user_;
    std::optional<Read> said_;                      // what that says
    Flips flips_;                                   // of this mood
    std::vector<std::shared_ptr<const Row>> rows_;  // tokens whose rows are equal share one
    std::vector<Softened> softened_;
    PhraseMatcher matcher_;
};

}  // namespace llamood
