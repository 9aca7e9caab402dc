#include "voices/runner.hpp"

#include <future>
#include <stdexcept>
#include <utility>

#include "voices/faults.hpp"

namespace llamood {

Runner::Runner(Cast& cast) : cast_(cast) {
    for (const int voice : cast.voices()) {
        const bool is_speaking = cast.is_speaking(voice);
        voices_[voice] = {is_speaking ? 1 : 0, is_speaking};
    }
    thread_ = std::thread([this] { run(); });
}

Runner::~Runner() {
    stop();
}

Runner::Left Runner::stop() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_stopping_ = true;
    }
    has_asked_.notify_one();
    if (thread_.joinable()) thread_.join();
    return {std::move(events_), std::exchange(fault_, nullptr)};
}

// -- for whoever asks ------------------------------------------------------------------------

// With the mutex held.
Runner::Asked& Runner::at(int voice) {
    const auto found = voices_.find(voice);
    if (found == voices_.end()) throw std::out_of_range(not_there(voice));
    return found->second;
}

// With the mutex held.
void Runner::ask(Task task) {
    tasks_.push_back(std::move(task));
    has_asked_.notify_one();
}

void Runner::say(int voice, const std::string& text, std::optional<Manner> manner) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Asked& asked = at(voice);
    if (asked.is_speaking) throw Refused(is_speaking_already);
    ask([this, voice, text, manner = std::move(manner)](Cast&) { answer(voice, text, manner); });
    asked.is_speaking = true;
    ++asked.n_open;
}

void Runner::feel(int voice, std::shared_ptr<const Steering> steering) {
    const std::lock_guard<std::mutex> lock(mutex_);
    at(voice);
    ask([voice, steering = std::move(steering)](Cast& cast) { cast.feel(voice, steering); });
}

void Runner::pause(int voice, bool is_paused) {
    const std::lock_guard<std::mutex> lock(mutex_);
    at(voice);
    ask([voice, is_paused](Cast& cast) { cast.pause(voice, is_paused); });
}

void Runner::set_faces(int voice, std::shared_ptr<const FaceSet> faces) {
    const std::lock_guard<std::mutex> lock(mutex_);
    at(voice);
    ask([voice, faces = std::move(faces)](Cast& cast) { cast.set_faces(voice, faces); });
}

void Runner::interrupt(int voice) {
    const std::lock_guard<std::mutex> lock(mutex_);
    at(voice).is_speaking = false;
    ask([voice](Cast& cast) { cast.interrupt(voice); });
}

// Throws what the task throws.
void Runner::do_and_wait(Task task) {
    std::packaged_task<void(Cast&)> done(std::move(task));
    std::future<void> waiting = done.get_future();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ask([&done](Cast& cast) { done(cast); });
    }
    waiting.get();
}

int Runner::join(std::optional<std::string> system, std::shared_ptr<const Steering> steering,
                 Manner manner) {
    int voice = -1;
    do_and_wait([&](Cast& cast) {
        voice = cast.join(std::move(system), std::move(steering), std::move(manner))->number();
        const std::lock_guard<std::mutex> lock(mutex_);
        voices_[voice] = {};
    });
    return voice;
}

void Runner::leave(int voice) {
    do_and_wait([this, voice](Cast& cast) {
        cast.leave(voice);
        cast.drop(voice);
        const std::lock_guard<std::mutex> lock(mutex_);
        voices_.erase(voice);
        drop_events(events_, voice);
    });
}

SavedVoice Runner::saved(int voice, bool has_cache) {
    SavedVoice saved;
    do_and_wait([&](Cast& cast) { saved = cast.at(voice).saved(has_cache); });
    return saved;
}

int Runner::load(SavedVoice saved, const std::vector<std::shared_ptr<const Steering>>& steerings) {
    int voice = -1;
    do_and_wait([&](Cast& cast) {
        const auto loaded = cast.load(std::move(saved), steerings);
        voice = loaded->number();
        const bool is_speaking = loaded->is_speaking();
        const std::lock_guard<std::mutex> lock(mutex_);
        voices_[voice] = {is_speaking ? 1 : 0, is_speaking};
    });
    return voice;
}

std::optional<Event> Runner::poll() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (events_.empty()) {
        if (fault_ != nullptr) std::rethrow_exception(std::exchange(fault_, nullptr));
        return std::nullopt;
    }
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

// -- in the thread ---------------------------------------------------------------------------

void Runner::run() {
    bool goes_on = true;  // somebody may be speaking already
    while (true) {
        std::vector<Task> tasks;
        bool is_last = false;
        {
            std::unique_lock<std::mutex> lock(mutex_);
            if (!goes_on) {
                has_asked_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
            }
            tasks.swap(tasks_);
            is_last = is_stopping_;
        }
        for (const Task& task : tasks) carry_out(task);
        tell(said());
        if (is_last) return;
        goes_on = step();
    }
}

void Runner::carry_out(const Task& task) {
    try {
        task(cast_);
    } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        fault_ = std::current_exception();
    }
}

// Whether there is more to do at once.
bool Runner::step() {
    try {
        const bool goes_on = cast_.step();
        tell(said());
        return goes_on;
    } catch (...) {
        tell(said());
        const std::lock_guard<std::mutex> lock(mutex_);
        fault_ = std::current_exception();
        return false;
    }
}

void Runner::answer(int voice, const std::string& text, std::optional<Manner> manner) {
    try {
        cast_.say(voice, text, std::move(manner));
    } catch (const std::exception& refusal) {
        Event event;
        event.voice = voice;
        event.text = refusal.what();
        event.end = End::refused;
        tell({std::move(event)});
    }
}

std::vector<Event> Runner::said() {
    std::vector<Event> events;
    while (auto event = cast_.poll()) events.push_back(std::move(*event));
    return events;
}

void Runner::tell(std::vector<Event> events) {
    if (events.empty()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (Event& event : events) {
        const auto asked = voices_.find(event.voice);
        if (event.end != End::none && asked != voices_.end() && --asked->second.n_open == 0) {
            asked->second.is_speaking = false;
        }
        events_.push_back(std::move(event));
    }
}

}  // namespace llamood
