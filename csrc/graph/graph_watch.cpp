#include "graph/graph_watch.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace llamood {

bool NodeName::is(const char* other) const {
    return std::strncmp(stem, other, static_cast<std::size_t>(stem_length)) == 0 &&
           other[stem_length] == '\0';
}

namespace {

// False for nodes whose name does not end in "-<layer>".
bool parse(const ggml_tensor* node, NodeName& name) {
    const char* text = ggml_get_name(node);
    const char* dash = std::strrchr(text, '-');
    if (dash == nullptr || dash[1] < '0' || dash[1] > '9') return false;
    char* end = nullptr;
    const long layer = std::strtol(dash + 1, &end, 10);
    if (*end != '\0' || layer > 1 << 20) return false;
    name = {text, static_cast<int>(dash - text), static_cast<int>(layer)};
    return true;
}

}  // namespace

bool GraphWatch::callback(ggml_tensor* node, bool ask, void* self) {
    const auto& watchers = static_cast<GraphWatch*>(self)->watchers_;
    const auto is_idle = [](const GraphWatcher* watcher) { return watcher->idle(); };
    NodeName name{};
    if (std::all_of(watchers.begin(), watchers.end(), is_idle) || !parse(node, name)) return !ask;
    if (ask) {
        bool wanted = false;
        for (GraphWatcher* watcher : watchers) wanted |= watcher->ask(node, name);
        return wanted;
    }
    for (GraphWatcher* watcher : watchers) watcher->see(node, name);
    // False leaves out the rest of the graph, as far as it is computed on this node's device; the
    // decode goes well all the same (ggml_backend_sched, llama.cpp 0c1e570).
    return !std::all_of(watchers.begin(), watchers.end(), [&](const GraphWatcher* watcher) {
        return watcher->idle() || watcher->ends(name);
    });
}

void GraphWatch::add(GraphWatcher* watcher) {
    const auto only_reads = [](const GraphWatcher* known) { return !known->changes(); };
    const auto first = std::find_if(watchers_.begin(), watchers_.end(), only_reads);
    watchers_.insert(watcher->changes() ? first : watchers_.end(), watcher);
}

void GraphWatch::remove(GraphWatcher* watcher) {
    watchers_.erase(std::remove(watchers_.begin(), watchers_.end(), watcher), watchers_.end());
}

}  // namespace llamood
