#include "croton/backend/cpu/tailor.hpp"

#include <algorithm>

#include "croton/base/error.hpp"
#include "croton/base/format.hpp"

namespace croton::cpu {

bool Fit::any() const {
    return streaming || whole_rows || by_products > 0 ||
           std::any_of(apart.begin(), apart.end(), [](int n) { return n > 1; });
}

std::string Fit::text() const {
    std::string result =
        cat(streaming ? "streaming" : "cached", heads ? " heads" : "", whole_rows ? " rows" : "");
    for (int items : apart) result += cat(" ", items);
    if (by_products > 0) result += cat(" products ", by_products);
    return result;
}

Plan tailored_plan(const Plan& plan, const Fit& fit) {
    Plan result = has_two_forms(plan) ? plan_of_form(plan, Form::Rows) : plan;
    result.tailored = true;
    result.whole_rows = fit.whole_rows;
    result.heads = fit.heads;
    result.by_products = fit.by_products;
    for (size_t s = 0; s < fit.apart.size(); ++s) {
        Stream& stream = result.streams[s];
        stream.apart = fit.apart[s];
        stream.streaming = fit.streaming && stream.kind == StreamKind::Out;
    }
    return result;
}

const KernelCode* Tailor::find(const Fit& fit, int64_t elements) {
    std::unique_lock lock(mutex_);
    Entry& entry = entry_of(fit);
    if (entry.made) return entry.code.function ? &entry.code : nullptr;
    entry.elements += elements;
    bool enough = entry.elements >= this->enough();
    if (entry.begun || (entry.looked && !enough)) return nullptr;
    entry.begun = true;
    lock.unlock();
    return make(entry, !enough);
}

// Kinds are few: steps of operands do not vary much. Entries stay where they are.
Tailor::Entry& Tailor::entry_of(const Fit& fit) {
    auto known = std::find_if(entries_.begin(), entries_.end(),
                              [&](const Entry& entry) { return entry.fit == fit; });
    if (known != entries_.end()) return *known;
    entries_.emplace_back().fit = fit;
    return entries_.back();
}

const KernelCode* Tailor::make(Entry& entry, bool only_known) {
    KernelCode code;
    try {
        code = make_(entry.fit, only_known);
    } catch (const Error&) {
        code = {};  // general code serves as well
    }
    std::lock_guard lock(mutex_);
    entry.code = std::move(code);
    entry.looked = true;
    entry.made = entry.begun = entry.code.function || !only_known;
    return entry.code.function ? &entry.code : nullptr;
}

}  // namespace croton::cpu
