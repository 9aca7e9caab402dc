#include "voices/spin.hpp"

#if defined(__linux__)

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace llamood {

namespace {

// GOMP_parallel of libgomp: fn(data) in a team of n_threads, flags 0.
using Parallel = void (*)(void (*fn)(void*), void* data, unsigned n_threads, unsigned flags);

void do_nothing(void*) {}

int note(dl_phdr_info* object, std::size_t, void* paths) {
    if (object->dlpi_name != nullptr) {
        static_cast<std::vector<std::string>*>(paths)->emplace_back(object->dlpi_name);
    }
    return 0;
}

// The files of all libraries in this process whose name begins so.
std::vector<std::string> loaded(const std::string& beginning) {
    std::vector<std::string> paths;
    dl_iterate_phdr(note, &paths);
    const auto is_other = [&beginning](const std::string& path) {
        return path.substr(path.rfind('/') + 1).rfind(beginning, 0) != 0;
    };
    paths.erase(std::remove_if(paths.begin(), paths.end(), is_other), paths.end());
    return paths;
}

// Null where the library is not what its name says.
Parallel parallel_of(const std::string& path) {
    // Never closed: a team of it sleeps.
    void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    void* symbol = library == nullptr ? nullptr : dlsym(library, "GOMP_parallel");
    return reinterpret_cast<Parallel>(symbol);
}

// A team that sleeps for ever. No signal of the program is handled by its threads.
void hold_team(Parallel parallel) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::promise<void> is_held;
    const unsigned n = std::max(std::thread::hardware_concurrency(), 1U);
    try {
        std::thread([parallel, n, &is_held] {
            parallel(do_nothing, nullptr, n + 1, 0);
            is_held.set_value();
            while (true) pause();
        }).detach();
        is_held.get_future().wait();
    } catch (const std::system_error&) {
        // No thread could be had. Then nobody waits more briefly, and all else goes on.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool is_set(const char* name) {
    return std::getenv(name) != nullptr;
}

}  // namespace

bool shorten_spins() {
    static const bool is_done = [] {
        bool is_any = false;
        for (const std::string& path : loaded("libgomp")) {
            const Parallel parallel = parallel_of(path);
            if (parallel == nullptr) continue;
            hold_team(parallel);
            is_any = true;
        }
        return is_any;
    }();
    return is_done;
}

void shorten_spins_unless_told() {
    if (!is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT")) shorten_spins();
}

}  // namespace llamood

#else

namespace llamood {

bool shorten_spins() {
    return false;
}

void shorten_spins_unless_told() {}

}  // namespace llamood

#endif
