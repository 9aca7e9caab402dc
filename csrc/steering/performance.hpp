// A mood over the tokens of one answer: what was asked and what is applied at each of them. The
// same in Python is python/llamood/moods/performance.py.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "steering/phrase_matcher.hpp"
#include "steering/steering.hpp"

namespace llamood {

// Token 0 is the last one of the prompt; token t is the t-th generated one. The row of a token can
// be asked for once the tokens up to it were heard, where the mood listens, and in any order. Of
// one answer only one thread may ask at a time.
class Performance {
  public:
    // before: (n_emotion), the weights that were applied last, which a mood with inertia moves on
    // from. notify: is told what a limit takes away, once of each emotion.
    Performance(std::shared_ptr<const Steering> steering, std::vector<double> before,
                std::function<void(const Notice&)> notify = {});

    const Steering& steering() const { return *steering_; }

    // Another mood, of the same emotions, from `token` on, where its own token 0 is.
    void change(std::shared_ptr<const Steering> steering, std::int64_t token);

    // The bytes of generated token `token` (from 1 on): the next to hear, or one to hear anew,
    // which takes those after it back.
    void hear(std::int64_t token, const std::string& piece);

    // (n_emotion): the weights applied at a token, those asked, and those applied as exactly as
    // `before` takes them.
    std::vector<float> row(std::int64_t token);
    std::vector<float> asked(std::int64_t token);
    const std::vector<double>& after(std::int64_t token);

  private:
    struct Row {
        std::vector<double> asked;
        std::vector<double> applied;
    };

    const Row& at(std::int64_t token);
    std::shared_ptr<const Row> made_row(std::int64_t token);
    void forget(std::int64_t n);

    std::shared_ptr<const Steering> steering_;
    std::int64_t begin_ = 0;  // the token at which this mood began
    std::vector<double> before_;
    std::function<void(const Notice&)> notify_;
    std::set<std::string> noticed_;
    std::vector<std::shared_ptr<const Row>> rows_;  // tokens whose rows are equal share one
    PhraseMatcher matcher_;
};

}  // namespace llamood
