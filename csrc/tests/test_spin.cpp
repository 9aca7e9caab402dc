// That threads of OpenMP which wait long leave their processor to others, once they are told to.
#include <omp.h>
#include <time.h>

#include <chrono>

#include "check.hpp"
#include "voices/spin.hpp"

namespace {

constexpr int n_barrier = 50;
constexpr std::chrono::milliseconds late(4);

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The share of the time that one thread waits for another in which it keeps its processor busy.
double busy_waiting() {
    double seconds = 0.0;
#pragma omp parallel num_threads(2)
    {
        const bool is_late = omp_get_thread_num() == 0;
        const double before = processor_seconds();
        for (int i = 0; i < n_barrier; ++i) {
            const auto until = std::chrono::steady_clock::now() + late;
            while (is_late && std::chrono::steady_clock::now() < until) {
            }
#pragma omp barrier
        }
        if (!is_late) seconds = processor_seconds() - before;
    }
    return seconds / std::chrono::duration<double>(late * n_barrier).count();
}

}  // namespace

int main() {
    (void)busy_waiting();  // the team is made
    CHECK(llamood::shorten_spins());
    CHECK(llamood::shorten_spins());
    const double share = busy_waiting();
    if (share > 0.3) std::fprintf(stderr, "busy for %.2f of the time\n", share);
    CHECK(share < 0.3);
    return check::result();
}
