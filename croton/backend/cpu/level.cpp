#include "croton/backend/cpu/level.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <fstream>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"
#include "croton/base/hash.hpp"

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

// What LLVM decides the processor's name and features by. Virtual machines are slow to tell.
#if defined(__x86_64__)
std::string describe_machine() {
    struct Leaf {
        unsigned leaf, subleaf;
        unsigned of_core = 0;  ///< bits of ebx that differ between cores
    };
    constexpr Leaf leaves[] = {{0, 0},    {1, 0, ~0U}, {7, 0},    {7, 1},          {0xd, 1, ~0U},
                               {0x14, 0}, {0x19, 0},   {0x24, 0}, {0x80000001, 0}, {0x80000008, 0}};
    const unsigned most[] = {__get_cpuid_max(0, nullptr), __get_cpuid_max(0x80000000, nullptr)};
    std::string text;
    for (const Leaf& leaf : leaves) {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (leaf.leaf > most[leaf.leaf >> 31]) continue;
        __cpuid_count(leaf.leaf, leaf.subleaf, a, b, c, d);
        text += cat(leaf.leaf, ":", a, ",", b & ~leaf.of_core, ",", c, ",", d, " ");
    }
    return text;
}
#else
std::string describe_machine() {
    std::ifstream file("/proc/cpuinfo");
    std::string text, line;
    while (std::getline(file, line) && !line.empty()) text += line + "\n";
    return text;
}
#endif

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

const std::string& machine_identity() {
    static const std::string& identity = *new std::string(content_hash(describe_machine()));
    return identity;
}

std::vector<Level> portable_levels() {
#if defined(__x86_64__)
    return {sse2(), avx2(), avx512()};
#else
    return {};
#endif
}

std::optional<Level> portable(const Level& level) {
#if defined(__x86_64__)
    if (!level.native) return level;
    // Wider than what find_level asks for: of a virtual machine anything may have been taken away.
    if (level.name == "avx512" && __builtin_cpu_supports("x86-64-v4")) return avx512();
    if (level.name == "avx2" && __builtin_cpu_supports("x86-64-v3")) return avx2();
    if (level.name == "sse2") return sse2();
#endif
    (void)level;
    return {};
}

}  // namespace croton::cpu
