#pragma once
// Where machine code of kernels comes from, before anybody compiles: code in use in this process,
// the set that came with Croton, the disk cache.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "croton/backend/cpu/jit.hpp"

namespace croton::cpu {

/// The code that a plan of the kernel stands for, or nothing. Entries that are not what they should
/// be count as missing.
std::optional<KernelCode> find_code(const kernel::Kernel& kernel, const Plan& plan,
                                    const Level& level);

/// The same under a key of the caller's own, from the disk cache alone.
std::optional<KernelCode> find_kept_code(const std::string& key, const Level& level);

/// Links an object and keeps it on disk: the code of each key, in the order of its placements.
std::vector<KernelCode> keep_code(std::span<const std::string> keys, Object object,
                                  const Level& level);

/// An object of one kernel as the set of precompiled ones holds it.
std::string packed_code(const Object& object);

}  // namespace croton::cpu
