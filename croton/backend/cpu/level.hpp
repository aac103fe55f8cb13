#pragma once
// Which instructions generated code may use.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace croton::cpu {

struct Level {
    std::string name;     ///< sse2, avx2, avx512 or generic: what `native` stands for here
    std::string cpu;      ///< LLVM's processor name, unless `native`
    std::string machine;  ///< native: what tells this machine's processor from others
    int vector_bytes = 16;
    bool masks = false;   ///< masked loads and stores of every element size (AVX-512)
    bool rounds = false;  ///< floor, ceil, trunc, rint are instructions (SSE4.1)
    bool f16c = false;    ///< float16 conversions are instructions
    bool fuses = false;   ///< a * b + c with one rounding is an instruction
    bool native = false;  ///< the machine's own processor and features are to be used
    bool is_x86() const { return name != "generic"; }
    /// What tells compiled code of one level from another's in this process.
    std::string key() const { return name + "/" + (native ? "native" : cpu); }
};

/// What tells this machine's processor from others: a hash of what it says of itself.
const std::string& machine_identity();

/// The levels that kernels are precompiled for: each runs on every processor that has it.
std::vector<Level> portable_levels();
/// The one of them whose code may stand for this machine's: a native level less what its processor
/// has beyond. Nothing if there is none.
std::optional<Level> portable(const Level& level);

/// The level for a value of the setting cpu_level. Device error if this machine lacks it.
Level find_level(std::string_view wanted);

/// Bytes of this machine's last cache, as far as one core may use it.
int64_t last_cache_bytes();

}  // namespace croton::cpu
