#pragma once
// What tests that run on several threads share.
#include <string>

#include "croton/base/settings.hpp"

namespace croton {

/// That many threads until it ends.
struct Threads {
    explicit Threads(const char* count) : before(get_setting("threads")) {
        set_setting("threads", count);
    }
    ~Threads() { set_setting("threads", before); }
    Threads(const Threads&) = delete;
    std::string before;
};

}  // namespace croton
