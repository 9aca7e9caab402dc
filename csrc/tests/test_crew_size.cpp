// How many threads are taken on machines that are idle, busy, and idle again; all of them made up.
#include "check.hpp"
#include "voices/crew_size.hpp"

using llamood::CrewSize;

namespace {

// A step takes a second of one core, in equal parts. Others take half of all cores but `n_free`, so
// that a thread there keeps the rest waiting.
struct Machine {
    int n_free;

    double seconds(int n) const { return (n > n_free ? 2.6 : 1.0) / n; }
    int best(int most) const {
        int found = 1;
        for (int n = 1; n <= most; ++n) {
            if (seconds(n) < seconds(found)) found = n;
        }
        return found;
    }
    double busy(int n) const { return n > n_free ? 0.5 * seconds(n) : seconds(n); }
};

// The size after so many steps, and how many of them were taken with another.
struct Told {
    int size;
    int n_other;
};

Told after(CrewSize& crew, const Machine& machine, int n_step, int n_token = 1) {
    int n_other = 0;
    for (int i = 0; i < n_step; ++i) {
        const int n = crew.get();
        crew.note(n_token, machine.seconds(n), machine.busy(n));
        n_other += n != crew.get() ? 1 : 0;
    }
    return {crew.get(), n_other};
}

void stays_where_nobody_else_is() {
    for (const int most : {1, 2, 3, 8}) {
        CrewSize crew(most);
        const Told told = after(crew, {most}, 500);
        CHECK(told.size == most);
        CHECK(told.n_other == 0);
    }
}

void leaves_and_comes_back() {
    for (const int most : {2, 3, 8}) {
        for (const int n_free : {1, most - 1}) {
            CrewSize crew(most);
            after(crew, {most}, 50);
            after(crew, {n_free}, 300);
            int n_best = 0;  // of 200 steps; now and then others are tried
            for (int i = 0; i < 200; ++i) {
                n_best += crew.get() == Machine{n_free}.best(most) ? 1 : 0;
                after(crew, {n_free}, 1);
            }
            CHECK(n_best > 170);
            after(crew, {most}, 600);
            CHECK(crew.get() == most);
        }
    }
}

// Two threads that wait for each other, but are faster together than one.
void stays_where_fewer_are_slower() {
    CrewSize crew(2);
    int n_two = 0;
    for (int i = 0; i < 400; ++i) {
        const int n = crew.get();
        n_two += n == 2 ? 1 : 0;
        crew.note(1, n == 2 ? 0.8 : 1.0, n == 2 ? 0.4 : 0.9);
    }
    CHECK(n_two > 360);
}

// Steps of other sizes take other times, which says nothing of threads.
void compares_only_what_is_alike() {
    CrewSize crew(2);
    for (int i = 0; i < 400; ++i) {
        const double scale = i % 3 + 1.0;
        crew.note(i % 3 + 1, scale, 0.1 * scale);
        CHECK(crew.get() == 2);
    }
}

}  // namespace

int main() {
    stays_where_nobody_else_is();
    leaves_and_comes_back();
    stays_where_fewer_are_slower();
    compares_only_what_is_alike();
    return check::result();
}
