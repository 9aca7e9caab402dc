// What a test needs: it says what it expected and where, and goes on.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace check {

inline int n_fault = 0;

inline void that(bool is_so, const char* what, const char* file, int line) {
    if (is_so) return;
    ++n_fault;
    std::fprintf(stderr, "%s:%d: expected %s\n", file, line, what);
}

inline bool near(double one, double other, double tolerance = 1e-12) {
    return std::fabs(one - other) <= tolerance;
}

inline bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// What `work` throws, as text; "nothing" where it throws nothing.
template <class Work>
std::string thrown(Work work) {
    try {
        work();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

// The exit status of the program.
inline int result() {
    return n_fault == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(condition) check::that((condition), #condition, __FILE__, __LINE__)
