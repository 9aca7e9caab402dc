// A cast that steps in a thread of its own, so that whoever speaks to it never waits for a decode.
//
// The cast belongs to that thread. What is asked of it waits in a queue until the step that runs is
// over; what its voices say waits in another until it is polled. What can be known at once is
// thrown at once: whether a voice is there, and whether it speaks, going by what it was asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "voices/cast.hpp"

namespace llamood {

class Runner {
  public:
    // The cast must stay, and be left alone, until this has stopped.
    explicit Runner(Cast& cast);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    // As those of Cast, but that they wait for no step. Where a voice cannot answer for want of
    // room, or cannot as it was asked to, an event says so (End::refused).
    void say(int voice, const std::string& text, std::optional<Manner> manner = std::nullopt);
    void feel(int voice, std::shared_ptr<const Steering> steering);
    void pause(int voice, bool is_paused);
    void set_faces(int voice, std::shared_ptr<const FaceSet> faces);
    void interrupt(int voice);

    // These wait for the step that runs.
    int join(std::optional<std::string> system, std::shared_ptr<const Steering> steering,
             Manner manner);
    // With those of its events that were not polled.
    void leave(int voice);
    SavedVoice saved(int voice, bool has_cache);
    int load(SavedVoice saved, const std::vector<std::shared_ptr<const Steering>>& steerings);

    // The next thing that somebody said. Throws what a step threw, once.
    std::optional<Event> poll();

    // What was said and not polled, and what a step threw that nobody was told.
    struct Left {
        std::deque<Event> events;
        std::exception_ptr fault;
    };

    // Do what was asked, and step no more; returns what is left. Who speaks goes on speaking where
    // the cast is stepped again.
    Left stop();

  private:
    using Task = std::function<void(Cast&)>;

    // What was asked of a voice. n_open: answers that are not over; is_speaking: whether the last
    // of them was not interrupted.
    struct Asked {
        int n_open = 0;
        bool is_speaking = false;
    };

    void run();
    void carry_out(const Task& task);
    bool step();
    void answer(int voice, const std::string& text, std::optional<Manner> manner);
    void do_and_wait(Task task);
    Asked& at(int voice);
    void ask(Task task);
    void tell(std::vector<Event> events);
    // What is in the cast's own queue.
    std::vector<Event> said();

    Cast& cast_;
    std::mutex mutex_;  // of all that follows; never held while the cast does something
    std::condition_variable has_asked_;
    std::vector<Task> tasks_;
    std::map<int, Asked> voices_;
    std::deque<Event> events_;
    std::exception_ptr fault_;
    bool is_stopping_ = false;
    std::thread thread_;  // the last, as it uses all others
};

}  // namespace llamood
