#pragma once
// How much memory something takes at most.
#include <fstream>
#include <string>

namespace croton::test {

/// A line of /proc/self/status in bytes.
inline int64_t status(const std::string& line) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;)
        if (word == line + ":") {
            int64_t kilobytes = 0;
            file >> kilobytes;
            return kilobytes * 1024;
        }
    return -1;
}

/// By how many bytes the process is larger than now, at the most, while `work` runs.
template <class Work>
int64_t growth(const Work& work) {
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak counts from here
    int64_t before = status("VmRSS");
    work();
    return status("VmHWM") - before;
}

}  // namespace croton::test
