#include "voices/cores.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace llamood {

#if defined(__linux__)

int usable_cores() {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
        return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    std::set<std::string> cores;  // each as the system writes the processors that share it
    for (int number = 0; number < CPU_SETSIZE; ++number) {
        if (!CPU_ISSET(number, &usable)) continue;
        const std::string name = std::to_string(number);
        std::ifstream file("/sys/devices/system/cpu/cpu" + name + "/topology/thread_siblings_list");
        std::string siblings;
        std::getline(file, siblings);
        cores.insert(siblings.empty() ? name : siblings);
    }
    return std::max(1, static_cast<int>(cores.size()));
}

#else

int usable_cores() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

#endif

}  // namespace llamood
