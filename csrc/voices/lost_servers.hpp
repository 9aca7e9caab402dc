// What becomes of a process whose model lies on other machines (llama.cpp's RPC servers) when one
// of them is lost. llama.cpp has no error for that: its dispatcher thread calls GGML_ABORT, which
// writes where in its sources that is, starts a debugger for a stack, and aborts.
#pragma once

#include <string>

namespace llamood {

// From now on such an end is a line on stderr that names `servers`, and exit code 1, without what
// runs at exit, as the thread that waits for the server waits for ever. Any other GGML_ABORT writes
// its message and aborts, as before but for the stack. Servers that were named before are kept.
void end_where_servers_fail(const std::string& servers);

}  // namespace llamood
