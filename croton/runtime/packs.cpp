#include "croton/runtime/packs.hpp"

#include <algorithm>

namespace croton::runtime {

bool Packs::Entry::shows(const Wanted& wanted) const {
    return version == wanted.version && seen.data == wanted.now.data &&
           seen.shape == wanted.now.shape && seen.strides == wanted.now.strides;
}

std::shared_ptr<const PackedOperand> Packs::find(const Wanted& wanted, bool pays) {
    std::lock_guard lock(mutex_);
    auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.operand == wanted.operand && entry.left == wanted.left;
    });
    if (known != entries_.end() && known->shows(wanted)) {
        if (!known->packed && pays)
            known->packed = std::make_shared<PackedOperand>(wanted.now, wanted.left);
        return known->packed;
    }
    Entry entry{wanted.operand, wanted.left, wanted.version, wanted.now};
    if (known != entries_.end())
        *known = std::move(entry);
    else if (pays)
        entries_.push_back(std::move(entry));
    return nullptr;
}

void Packs::forget_arguments() {
    std::lock_guard lock(mutex_);
    std::erase_if(entries_,
                  [](const Entry& entry) { return entry.version != version_of_constants; });
}

void Packs::forget() {
    std::lock_guard lock(mutex_);
    entries_.clear();
}

int64_t Packs::bytes() const {
    std::lock_guard lock(mutex_);
    int64_t total = 0;
    for (const Entry& entry : entries_)
        if (entry.packed) total += entry.packed->bytes();
    return total;
}

}  // namespace croton::runtime
