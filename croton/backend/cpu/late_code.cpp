#include "croton/backend/cpu/late_code.hpp"

namespace croton::cpu {

void LateCode::set(SectionCodes code) {
    code_ = std::move(code);
    made_.store(true, std::memory_order_release);
}

const SectionCodes& LateCode::get() {
    if (made_.load(std::memory_order_acquire)) return code_;
    std::lock_guard lock(mutex_);
    if (!made_.load(std::memory_order_relaxed)) set(make_());
    return code_;
}

}  // namespace croton::cpu
