// How many threads are fastest where a model runs on processors. The same in Python is
// python/llamood/cores.py.
#pragma once

namespace llamood {

// Processor cores that this process may use, each once: a second thread of a core has no second
// unit to multiply with. Where the system does not tell which share a core, all processors count.
int usable_cores();

}  // namespace llamood
