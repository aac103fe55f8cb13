#include "croton/backend/cpu/script.hpp"

#include <algorithm>

namespace croton::cpu {

namespace {
constexpr size_t most_calls = 32;
constexpr size_t most_words = 4096;
}  // namespace

char* Script::slot_memory(size_t bytes) {
    slots_.resize(bytes / sizeof(std::max_align_t) + 1);
    return reinterpret_cast<char*>(slots_.data());
}

char* Script::kept_memory(size_t bytes) {
    kept_.resize(bytes / sizeof(std::max_align_t) + 1);
    return reinterpret_cast<char*>(kept_.data());
}

void Script::add_fill(char* to, const Identity& identity, int64_t lanes) {
    fills_.push_back({to, &identity, lanes});
    ++filled_;
}

// Frames differ where calls begin elsewhere; how far they go stands in the call.
bool Script::same_frame(const int64_t* frame) const {
    static_assert(rows_word == 0 && count_word == 1);
    if (calls_.empty()) return false;
    auto last = words_.end() - program_.plan.words;
    return std::equal(last + 2, words_.end(), frame + 2);
}

void Script::add_call(SectionFunction function, const int64_t* frame, int64_t selector) {
    if (refused_ || calls_.size() == most_calls || words_.size() > most_words) return refuse();
    if (!same_frame(frame)) words_.insert(words_.end(), frame, frame + program_.plan.words);
    calls_.push_back({function, nullptr, frame[rows_word], frame[count_word], selector, filled_,
                      words_.size() - static_cast<size_t>(program_.plan.words)});
    filled_ = 0;
}

bool Script::finish() {
    for (auto& call : calls_) call.frame = words_.data() + call.first_word;
    return !refused_;
}

void Script::add_places(int operand, std::vector<void*>& places) {
    const Plan& plan = program_.plan;
    auto number = static_cast<size_t>(operand);
    int stream = plan.operand_streams[number];
    int word = stream >= 0                   ? plan.streams[static_cast<size_t>(stream)].word
               : number < plan.tables.size() ? plan.tables[number].word
                                             : -1;
    if (word < 0) return;
    for (auto frame = words_.begin(); frame != words_.end(); frame += plan.words)
        places.push_back(&*(frame + word));
}

bool Script::run() {
    if (fault_.any()) fault_ = {};
    const Fill* fill = fills_.data();
    for (const Call& call : calls_) {
        for (size_t n = 0; n < call.fills; ++n, ++fill) fill->identity->fill(fill->to, fill->lanes);
        call.frame[rows_word] = call.rows;
        call.frame[count_word] = call.count;
        call.function(call.frame, call.selector);
        if (fault_.stopped) break;
    }
    return fault_.any();
}

}  // namespace croton::cpu
