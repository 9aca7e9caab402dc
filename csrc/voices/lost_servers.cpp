#include "voices/lost_servers.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "ggml.h"

namespace llamood {

namespace {

std::mutex mutex;

// Never destroyed: a thread of llama.cpp may need it while the process ends.
std::string& named() {
    static auto* const servers = std::make_unique<std::string>().release();
    return *servers;
}

void tell(const char* message) {
    const bool is_lost = std::strstr(message, "ggml-rpc") != nullptr;
    if (!is_lost) {
        std::fprintf(stderr, "%s\n", message);
        return;  // and ggml aborts
    }
    const std::lock_guard<std::mutex> lock(mutex);
    std::fprintf(stderr,
                 "llamood: a server of the model is lost (%s): what it held is gone, and llama.cpp "
                 "cannot go on; start the server again, then this. (%s)\n",
                 named().c_str(), message);
    std::fflush(stderr);
    std::_Exit(1);
}

}  // namespace

void end_where_servers_fail(const std::string& servers) {
    const std::lock_guard<std::mutex> lock(mutex);
    std::string& known = named();
    if (known.find(servers) == std::string::npos) known += (known.empty() ? "" : ", ") + servers;
    ggml_set_abort_callback(tell);
}

}  // namespace llamood
