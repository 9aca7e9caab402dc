// The interpreter's lock, let go of for as long as a `Released` is there.
//
// While Python ends, a daemon thread that wants the lock again is ended there and then: until
// Python 3.13 by unwinding its stack (pthread_exit), later by sleeping for ever. That passes this
// destructor, which so must be allowed to throw. pybind11's gil_scoped_release is not: there the
// unwinding ends in std::terminate, for which ggml has a handler that starts a debugger and writes
// a stack to the terminal of a program that was ending well.
#pragma once

#include <pybind11/pybind11.h>

namespace llamood {

class Released {
  public:
    Released() : thread_(PyEval_SaveThread()) {}
    ~Released() noexcept(false) { PyEval_RestoreThread(thread_); }

    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;

  private:
    PyThreadState* thread_;
};

}  // namespace llamood
