#include "croton/backend/cpu/level.hpp"

#include <algorithm>
#include <fstream>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"

namespace croton::cpu {

namespace {
#if defined(__x86_64__)
bool machine_has_avx2() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
}
bool machine_has_avx512() {
    return machine_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}
#else
bool machine_has_avx2() { return false; }
bool machine_has_avx512() { return false; }
#endif

Level sse2() { return {.name = "sse2", .cpu = "x86-64", .vector_bytes = 16}; }
Level avx2() {
    return {.name = "avx2",
            .cpu = "x86-64-v3",
            .vector_bytes = 32,
            .rounds = true,
            .f16c = true,
            .fuses = true};
}
Level avx512() {
    return {.name = "avx512",
            .cpu = "x86-64-v4",
            .vector_bytes = 64,
            .masks = true,
            .rounds = true,
            .f16c = true,
            .fuses = true};
}

// As the system tells it of the first core: a number of KiB. 0: it does not.
int64_t cache_bytes(int index) {
    std::ifstream file(cat("/sys/devices/system/cpu/cpu0/cache/index", index, "/size"));
    int64_t kibibytes = 0;
    file >> kibibytes;
    return kibibytes << 10;
}
}  // namespace

int64_t last_cache_bytes() {
    static const int64_t bytes = [] {
        int64_t most = 0;
        for (int index = 0; index < 8; ++index) most = std::max(most, cache_bytes(index));
        return most > 0 ? most : int64_t{32} << 20;
    }();
    return bytes;
}

Level find_level(std::string_view wanted) {
    auto require = [&](bool present, std::string_view what) {
        if (!present)
            fail(ErrorKind::Device, "the setting cpu_level=", wanted, " asks for ", what,
                 ", which this machine's processor lacks; set cpu_level=native or a lower level");
    };
    if (wanted == "avx512") {
        require(machine_has_avx512(), "AVX-512 (F, BW, CD, DQ, VL)");
        return avx512();
    }
    if (wanted == "avx2") {
        require(machine_has_avx2(), "AVX2 with FMA");
        return avx2();
    }
#if defined(__x86_64__)
    if (wanted == "sse2") return sse2();
    Level level = machine_has_avx512() ? avx512() : machine_has_avx2() ? avx2() : sse2();
#else
    if (wanted == "sse2") require(false, "SSE2");
    Level level = {.name = "generic", .vector_bytes = 16, .rounds = true};
#endif
    level.native = true;
    return level;
}

}  // namespace croton::cpu
