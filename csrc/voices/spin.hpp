// How long OpenMP's threads, with which llama.cpp computes, spin at a barrier before they sleep.
//
// They meet at some hundred barriers a token. libgomp spins 300,000 times at each, unless it knows
// that there are more threads than processors, and then 1,000 times (gomp_managed_threads in
// config/linux/wait.h). Beside a program that keeps the processors busy the long way makes some
// tokens ten times as slow (docs/performance.md): a thread that spins has the processor that the
// one it waits for would need.
#pragma once

namespace llamood {

// Let the threads of every libgomp that the process has loaded spin briefly from now on, whatever
// the environment says: by a thread that holds a team of its own, which sleeps as long as the
// process lives, so that libgomp counts more threads than processors. libgomp reads the environment
// (GOMP_SPINCOUNT) as it is loaded, which is before a program that links to it can do anything. Any
// number of times, from any thread; the first does it. Returns whether there was one.
bool shorten_spins();

// The same, unless the environment says how threads are to wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT).
// Other threads are left as they are: KMP_BLOCKTIME, 0 or 200, made none of libomp's wait otherwise
// in a measurable way, and those of a ggml without OpenMP know no such setting. What helps there is
// fewer of them (crew_size.hpp).
void shorten_spins_unless_told();

}  // namespace llamood
