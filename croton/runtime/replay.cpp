#include "croton/runtime/replay.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "croton/graph/elements.hpp"
#include "croton/runtime/executor.hpp"

namespace croton::runtime {

namespace {
constexpr size_t most_recordings = 4;
constexpr int most_times_left = 4;         // then the program's sizes are not worth recording
constexpr int64_t most_kept_bytes = 1024;  // of one step's results
constexpr int64_t interrupt_work = 1 << 16;
constexpr size_t most_packed_steps = 4096;  // packing takes the square of their number

// An address stands in each place, as a pointer or as a number.
void move(void* place, int64_t by) {
    int64_t address;
    std::memcpy(&address, place, sizeof address);
    address += by;
    std::memcpy(place, &address, sizeof address);
}
}  // namespace

// --- which recording ----------------------------------------------------------------------------

namespace {
bool matches(const std::vector<int64_t>& signature, std::span<const Array> arguments) {
    const int64_t *at = signature.data(), *end = at + signature.size();
    for (const Array& argument : arguments) {
        auto rank = static_cast<int64_t>(argument.shape().size());
        if (end - at <= 2 * rank || *at != rank) return false;
        const int64_t *shape = at + 1, *strides = shape + rank;
        at = strides + rank;
        if (!std::equal(shape, strides, argument.shape().begin())) return false;
        if (!std::equal(strides, at, argument.strides().begin())) return false;
    }
    return at == end;
}

void sign(std::vector<int64_t>& signature, std::span<const Array> arguments) {
    signature.clear();
    for (const Array& argument : arguments) {
        signature.push_back(argument.rank());
        signature.insert(signature.end(), argument.shape().begin(), argument.shape().end());
        signature.insert(signature.end(), argument.strides().begin(), argument.strides().end());
    }
}
}  // namespace

Replays::Entry* Replays::entry(std::span<const Array> arguments) {
    if (times_left_ == most_times_left) return nullptr;
    for (size_t i = 0; i < entries_.size(); ++i) {
        if (!matches(entries_[i]->signature, arguments)) continue;
        std::rotate(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(i),
                    entries_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        return entries_[0].get();
    }
    if (entries_.size() < most_recordings) entries_.push_back(std::make_unique<Entry>());
    std::rotate(entries_.begin(), entries_.end() - 1, entries_.end());
    Entry& entry = *entries_[0];
    sign(entry.signature, arguments);
    entry.calls = 0;
    entry.recording.reset();
    return &entry;
}

void Replays::leave() {
    left_ = std::move(entries_[0]->recording);
    if (++times_left_ == most_times_left) entries_.clear();
}

// --- recording ----------------------------------------------------------------------------------

Recorder::Recorder(Executor& executor)
    : e_(executor), p_(executor.p_), r_(std::make_unique<Recording>()) {
    size_t count = p_.values.size();
    r_->where.resize(count);
    known_.resize(count);
    needed_.resize(count);
    packed_.resize(count);
    late_.resize(p_.steps.size());
    if (p_.steps.size() > most_packed_steps) slot_blocks_.assign(static_cast<size_t>(p_.slots), -1);
    r_->roots.resize(p_.inputs.size() + 1);
    for (size_t i = 0; i < p_.inputs.size(); ++i) {
        where(p_.inputs[i]).root = static_cast<int>(i);
        r_->roots[i].at = static_cast<char*>(e_.s_.arguments[i].data());
    }
    for (size_t i = 0; i < count; ++i) {
        if (p_.values[i].place != Place::Constant) continue;
        known_[i] = true;
        r_->where[i].offset = reinterpret_cast<int64_t>(p_.values[i].constant.data());
    }
}

void Recorder::before_step() { reads_before_ = elements_read(); }

void Recorder::after_step(size_t number) {
    read_values_ = elements_read() != reads_before_;
    std::visit([&](const auto& step) { note(number, step); }, p_.steps[number].kind);
}

bool Recorder::all_known(std::span<const Id> ids) const {
    return std::all_of(ids.begin(), ids.end(), [this](Id id) { return known(id); });
}

int Recorder::add_root(char* at, int64_t bytes, Id value) {
    r_->roots.push_back({at, bytes, value, {}});
    return static_cast<int>(r_->roots.size()) - 1;
}

void Recorder::add(Kind kind, size_t number, size_t place, int64_t work) {
    bool comes_first = number < p_.tail || kind == Kind::Compare || kind == Kind::Prepare;
    auto& list = comes_first ? r_->actions : in_tail_;
    list.push_back(
        {kind, static_cast<uint32_t>(number), static_cast<uint32_t>(place), nullptr, work});
}

// Memory that make_output() finds for a result.
void Recorder::place_output(size_t number, Id id) {
    const TensorRef& r = e_.at(id);
    int64_t bytes = byte_count(r.dtype, r.shape);
    if (e_.value(id).place == Place::Slot) {
        size_t block = block_for(number, id);
        where(id).root = in_block - static_cast<int>(block);
        blocks_[block].bytes = std::max(blocks_[block].bytes, bytes);
        blocks_[block].last = std::max(blocks_[block].last, written(number));
    } else {
        where(id).root = add_root(static_cast<char*>(r.data), bytes, id);
        r_->fresh.push_back(where(id).root);
        bool may_be_argument = e_.value(id).source >= 0;
        if (!may_be_argument) results_.emplace_back(where(id).root, written(number));
    }
}

// That of the value whose memory this one may take over, if it is in the workspace, or a new one.
size_t Recorder::block_for(size_t number, Id id) {
    if (!slot_blocks_.empty()) {
        int& block = slot_blocks_[static_cast<size_t>(e_.value(id).slot)];
        if (block < 0) {
            block = static_cast<int>(blocks_.size());
            blocks_.push_back({0, 2 * p_.steps.size(), 0});
        }
        return static_cast<size_t>(block);
    }
    Id source = e_.value(id).source;
    if (source >= 0 && where(source).root <= in_block)
        return static_cast<size_t>(in_block - where(source).root);
    blocks_.push_back({written(number), written(number), 0});
    return blocks_.size() - 1;
}

void Recorder::add_whole(size_t number, std::span<const Id> outputs, Kind kind) {
    add(kind, number, r_->late_values.size(), interrupt_work);
    for (Id id : outputs) {
        const TensorRef& r = e_.at(id);
        where(id).root = add_root(static_cast<char*>(r.data), 0, id);
        r_->late_values.push_back({id, number, where(id).root, r.shape, r.strides});
    }
}

// Sizes of tables are read without their values being looked at.
bool Recorder::can_keep(const KernelStep& step) const {
    const auto& k = e_.kernel_of(step);
    const auto read = kernel::loaded_operands(k);
    int64_t bytes = 0;
    for (size_t i = 0; i < step.operands.size(); ++i) {
        Id id = step.operands[i];
        bool out = k.operands[i].kind == kernel::OperandKind::Out;
        if (out && e_.value(id).place != Place::Slot) return false;
        if (out) bytes += byte_count(e_.at(id).dtype, e_.at(id).shape);
        if (!out && read[i] && !known(id)) return false;
    }
    return bytes <= most_kept_bytes;
}

void Recorder::keep(Id id) {
    const TensorRef& r = e_.at(id);
    Array copy = Array::view(r.dtype, r.shape, r.strides, r.data, nullptr).copy();
    known_[static_cast<size_t>(id)] = true;
    where(id).offset = reinterpret_cast<int64_t>(copy.data());
    r_->kept.push_back(std::move(copy));
}

void Recorder::note(size_t number, const KernelStep& step) {
    bool sizes_vary = read_values_ && !all_known(step.shape_inputs);
    std::span outputs(step.operands.end() - step.outputs, step.operands.end());
    if (!sizes_vary && can_keep(step)) {
        for (Id id : outputs) keep(id);
        return;
    }
    Sizes extents;
    e_.extents_of(step, extents);
    if (sizes_vary) add(Kind::Compare, number, r_->extents.size(), 0);
    add_launch(number, step, extents);
    for (Id id : outputs) place_output(number, id);
}

// Whether a result of the call lies in the view's memory.
bool Recorder::returned(Id view) const {
    return std::any_of(p_.outputs.begin(), p_.outputs.end(), [&](Id id) {
        while (id != view && e_.value(id).place == Place::View) id = e_.value(id).source;
        return id == view;
    });
}

void Recorder::note(size_t number, const ViewStep& step) {
    std::span others(step.inputs.begin() + 1, step.inputs.end());
    bool varies = read_values_ && !all_known(others);
    bool view = e_.value(step.output).place == Place::View;
    bool plain = view && !e_.s_.owners[static_cast<size_t>(step.output)];
    // (Large programs have few blocks: packing takes time that grows with their square.)
    if (!varies && view && !plain && slot_blocks_.empty() && !returned(step.output)) {
        const TensorRef& r = e_.at(step.output);
        packed_[static_cast<size_t>(step.output)] = true;
        where(step.output).root = in_block - static_cast<int>(blocks_.size());
        blocks_.push_back({written(number), written(number), byte_count(r.dtype, r.shape)});
        return add(Kind::Pack, number, 0, element_count(r.shape));
    }
    if (varies || !plain) return add_whole(number, {&step.output, 1});
    auto from = static_cast<const char*>(e_.at(step.inputs[0]).data);
    where(step.output) = where(step.inputs[0]);
    where(step.output).offset += static_cast<const char*>(e_.at(step.output).data) - from;
    known_[static_cast<size_t>(step.output)] = known(step.inputs[0]);
}

// Small results that the same sizes give in every call: the vectors that reshape reads.
bool Recorder::can_keep(const ExternStep& step) const {
    bool pure = step.op->kind<IndexedCompute>() != nullptr;
    if (!pure || !(step.op->facts.by_sizes || all_known(step.inputs))) return false;
    int64_t bytes = 0;
    for (Id id : step.outputs) {
        if (e_.value(id).place != Place::Slot) return false;
        bytes += byte_count(e_.at(id).dtype, e_.at(id).shape);
    }
    return bytes <= most_kept_bytes;
}

void Recorder::note(size_t number, const ExternStep& step) {
    if (number < p_.tail && can_keep(step)) {
        for (Id id : step.outputs) keep(id);
        return;
    }
    if (number >= p_.tail) add_whole(number, step.outputs, Kind::Prepare);
    if (step.prologue) note_prologue(number, step);
    if (number < p_.tail) return add_whole(number, step.outputs);
    add(Kind::Call, number, 0, interrupt_work);
}

// What does not come row by row is launched before the call, as any kernel; rows have memory of the
// frame's.
void Recorder::note_prologue(size_t number, const ExternStep& step) {
    if (e_.comes_by_rows(step)) return;
    const Prologue& prologue = *step.prologue;
    const TensorRef& values = e_.at(prologue.values());
    where(prologue.values()).root = in_block - static_cast<int>(blocks_.size());
    blocks_.push_back({written(number), written(number), byte_count(values.dtype, values.shape)});
    add_launch(number, prologue.kernel, e_.extents_of(prologue));
}

void Recorder::note(size_t number, const ContractStep& step) {
    const Sizes& shape = e_.at(step.output).shape;
    int64_t work = element_count(shape);
    if (!e_.at(step.inputs[0]).shape.empty()) work *= e_.at(step.inputs[0]).shape.back();
    bool blocks = e_.finishes_blocks(step);
    add(blocks ? Kind::Finish : Kind::Multiply, number, 0, work / 8);
    late_[number] = reads_left_first(step);
    if (step.epilogue && !blocks) add_launch(number, step.epilogue->kernel, shape);
    for (Id id : p_.steps[number].writes()) place_output(number, id);
}

// The result may then lie over it. An addend is copied to where the product will lie.
bool Recorder::reads_left_first(const ContractStep& step) const {
    return step.op->kind<ContractCompute>()->kind == ContractCompute::Kind::MatMul &&
           runtime::reads_left_first(e_.at(step.inputs[0]), e_.at(step.inputs[1]),
                                     e_.at(step.output));
}

void Recorder::add_launch(size_t number, const KernelStep& step, const Sizes& extents) {
    add(e_.for_threads(step, extents) ? Kind::Share : Kind::Run, number, r_->extents.size(),
        element_count(extents));
    r_->extents.push_back(extents);
}

std::unique_ptr<Recording> Recorder::finish() {
    // What overwrites arguments comes last, after everything that might not go as recorded.
    r_->actions.insert(r_->actions.end(), in_tail_.begin(), in_tail_.end());
    settle_workspace();
    settle_addresses();
    follow_refs();
    prepare_launches();
    sort_places();
    return std::move(r_);
}

// A block lives from the step that writes it first to the last one that reads it or a view of it,
// be it one that is made anew in each call.
void Recorder::measure_blocks() {
    for (size_t number = 0; number < p_.steps.size(); ++number)
        for (Id id : p_.elements_read(p_.steps[number])) {
            const size_t until = read(number, id);
            while (e_.value(id).place == Place::View && !packed_[static_cast<size_t>(id)])
                id = e_.value(id).source;
            int root = where(id).root;
            if (root > in_block) continue;
            auto& last = blocks_[static_cast<size_t>(in_block - root)].last;
            last = std::max(last, until);
        }
}

// Until when the step reads the value.
size_t Recorder::read(size_t number, Id id) const {
    if (!late_[number]) return 2 * number + 1;
    const auto& step = std::get<ContractStep>(p_.steps[number].kind);
    bool again = step.inputs[1] == id;
    if (step.epilogue) {
        const auto& operands = step.epilogue->kernel.operands;
        again |= std::find(operands.begin(), operands.end(), id) != operands.end();
    }
    return 2 * number + (id == step.inputs[0] && !again ? 0 : 1);
}

// Results have memory from the beginning of a call: what is dead when they are written lies there.
void Recorder::lodge_blocks() {
    auto bytes = [this](int root) { return r_->roots[static_cast<size_t>(root)].bytes; };
    std::stable_sort(results_.begin(), results_.end(),
                     [&](const auto& a, const auto& b) { return bytes(a.first) > bytes(b.first); });
    constexpr int64_t worth_it = 1 << 16;
    for (auto [root, written] : results_)
        if (bytes(root) >= worth_it) lodge(root, written);
}

void Recorder::lodge(int result, size_t written) {
    Root& host = r_->roots[static_cast<size_t>(result)];
    const int64_t room = whole_lines(host.bytes);
    const auto root = static_cast<int>(r_->roots.size());
    const int64_t bytes = place_blocks(root, written, room);
    if (bytes == 0) return;
    host.bytes = room;
    add_root(host.at, bytes, -1);
    r_->lodgings.push_back({result, root, r_->lodged_bytes});
    r_->lodged_bytes += bytes;
}

// Lays those blocks that have no place yet and are dead before a step into a root, as far as there
// is room. Gives the bytes that they take.
int64_t Recorder::place_blocks(int root, size_t before, int64_t room) {
    std::vector<size_t> numbers;
    std::vector<Interval> intervals;
    for (size_t b = 0; b < blocks_.size(); ++b) {
        if (block_places_[b].root >= 0 || blocks_[b].last >= before) continue;
        numbers.push_back(b);
        intervals.push_back(blocks_[b]);
    }
    Packing packing = pack_intervals(intervals, room);
    for (size_t i = 0; i < numbers.size(); ++i)
        if (packing.offsets[i] >= 0) block_places_[numbers[i]] = {root, packing.offsets[i]};
    return packing.bytes;
}

void Recorder::settle_workspace() {
    measure_blocks();
    block_places_.resize(blocks_.size());
    lodge_blocks();
    auto number = static_cast<int>(p_.inputs.size());
    const int64_t bytes = place_blocks(number, SIZE_MAX, INT64_MAX);
    for (auto& place : r_->where) {
        if (place.root > in_block) continue;
        const auto& block = block_places_[static_cast<size_t>(in_block - place.root)];
        place = {block.root, place.offset + block.offset};
    }
    Root& root = r_->roots[static_cast<size_t>(number)];
    root.bytes = bytes;
    root.at = static_cast<char*>(e_.workspace(bytes));
}

// Where values will lie in calls to come.
void Recorder::settle_addresses() {
    r_->refs = e_.s_.refs;
    for (size_t i = 0; i < r_->refs.size(); ++i) r_->refs[i].data = r_->address(r_->where[i]);
}

// Addresses in refs that somebody looks at.
void Recorder::follow_refs() {
    for (const Action& action : r_->actions) {
        if (action.kind == Kind::Run) continue;
        const Step& step = p_.steps[action.step];
        for (Id id : step.reads()) need(id);
        for (Id id : step.writes()) need(id);
        if (auto call = std::get_if<ExternStep>(&step.kind); call && call->prologue)
            need(call->prologue->values());
    }
    for (Id id : p_.outputs) need(id);
    for (const auto& v : p_.values)
        if (v.place == Place::Fresh && v.source >= 0) need(v.source);
}

void Recorder::need(Id id) {
    auto n = static_cast<size_t>(id);
    if (needed_[n]) return;
    needed_[n] = true;
    int root = r_->where[n].root;
    if (root >= 0 && r_->roots[static_cast<size_t>(root)].value != id)  // else it is set
        moving_.emplace_back(root, &r_->refs[n].data);
}

void Recorder::prepare_launches() {
    std::vector<void*> places;
    e_.refs_ = r_->refs.data();
    for (Action& action : r_->actions) {
        if (action.kind != Kind::Run) continue;
        const KernelStep& step = *p_.steps[action.step].kernel();
        const Sizes& extents = r_->extents[action.number];
        r_->launches.push_back(e_.with_launch(step, extents, [&](const kernel::Launch& launch) {
            return prepare_launch(*p_.code, step.kernel, e_.kernel_of(step), launch);
        }));
        action.launch = r_->launches.back().get();
        for (size_t i = 0; i < step.operands.size(); ++i) {
            int root = where(step.operands[i]).root;
            if (root < 0) continue;
            places.clear();
            action.launch->add_places(static_cast<int>(i), places);
            for (void* place : places) moving_.emplace_back(root, place);
        }
    }
    e_.refs_ = e_.s_.refs.data();
}

void Recorder::sort_places() {
    std::stable_sort(moving_.begin(), moving_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    r_->places.reserve(moving_.size());
    for (size_t i = 0; i < moving_.size();) {
        size_t first = i;
        for (; i < moving_.size() && moving_[i].first == moving_[first].first; ++i)
            r_->places.push_back(moving_[i].second);
        r_->roots[static_cast<size_t>(moving_[first].first)].places = {r_->places.data() + first,
                                                                       i - first};
    }
}

// --- replaying ----------------------------------------------------------------------------------

void Recording::follow(int number, void* now) {
    Root& root = roots[static_cast<size_t>(number)];
    int64_t by = static_cast<char*>(now) - root.at;
    if (by == 0) return;
    root.at = static_cast<char*>(now);
    for (void* place : root.places) move(place, by);
}

void Executor::place_memory(Recording& r) {
    for (size_t i = 0; i < p_.inputs.size(); ++i)
        r.follow(static_cast<int>(i), s_.arguments[i].data());
    auto number = static_cast<int>(p_.inputs.size());
    int64_t bytes = r.roots[static_cast<size_t>(number)].bytes;
    if (bytes > 0) r.follow(number, workspace(bytes));
    for (int number : r.fresh) {
        Root& root = r.roots[static_cast<size_t>(number)];
        TensorRef& ref = at(root.value);
        root.given = take_argument(root.value, ref) || take_destination(root.value, ref);
        if (!root.given) ref.data = memory_for(root.value, root.bytes);
        r.follow(number, ref.data);
    }
    for (const auto& [result, root, elsewhere] : r.lodgings) {
        const Root& host = r.roots[static_cast<size_t>(result)];
        r.follow(root, host.given ? spare(r.lodged_bytes) + elsewhere : host.at);
    }
}

void Executor::replay(Frame& frame, Recording& r) {
    using Clock = std::chrono::steady_clock;
    refs_ = r.refs.data();
    replays_ = true;
    place_memory(r);
    int64_t work = 0;
    size_t timed_steps = 0, n = 0;
    auto start = Clock::time_point();
    auto count_until = [&](size_t end, double seconds) {
        for (; timed_steps < end; ++timed_steps)
            count_time(timed_steps, *frame.timings, timed_steps + 1 == end ? seconds : 0);
    };
    // A product and its epilogue are two actions of a step, a prologue and its call as well.
    auto same_step = [&](size_t one, size_t next) {
        return next < r.actions.size() && r.actions[one].step == r.actions[next].step;
    };
    try {
        for (; n < r.actions.size(); ++n) {
            const Action& action = r.actions[n];
            if (frame.timings && (n == 0 || !same_step(n - 1, n))) start = Clock::now();
            if (!act(action, r)) return leave(frame, r, action);
            if (frame.timings && !same_step(n, n + 1) && action.kind != Action::Kind::Compare &&
                action.kind != Action::Kind::Prepare)
                count_until(action.step + 1,
                            std::chrono::duration<double>(Clock::now() - start).count());
            work += action.work;
            if (work < interrupt_work) continue;
            work = 0;
            if (interrupt_requested && action.step < p_.tail && interrupt_requested())
                fail(ErrorKind::Interrupted, "interrupted after step ", action.step, " of ",
                     p_.steps.size());
        }
    } catch (const Error& error) {
        fail_drawn(error, p_.steps[r.actions[n].step]);
    }
    if (frame.timings) count_until(p_.steps.size(), 0);
}

// Whether the call is still the recorded one.
bool Executor::act(const Action& action, Recording& r) {
    const StepKind& kind = p_.steps[action.step].kind;
    switch (action.kind) {
        case Action::Kind::Run:
            if (action.launch->run())
                fail_fault(*p_.steps[action.step].kernel(), action.launch->fault());
            return true;
        case Action::Kind::Share:
            launch(*p_.steps[action.step].kernel(), r.extents[action.number]);
            return true;
        case Action::Kind::Multiply: multiply(std::get<ContractStep>(kind), nullptr); return true;
        case Action::Kind::Finish: multiply(std::get<ContractStep>(kind)); return true;
        case Action::Kind::Pack: pack(std::get<ViewStep>(kind)); return true;
        case Action::Kind::Whole:
            std::visit([this](const auto& step) { this->step(step); }, kind);
            return as_recorded(action, r);
        case Action::Kind::Prepare:
            prepare(std::get<ExternStep>(kind));
            return as_recorded(action, r);
        case Action::Kind::Call: run_call(std::get<ExternStep>(kind)); return true;
        case Action::Kind::Compare: {
            Sizes extents;
            extents_of(std::get<KernelStep>(kind), extents);
            return extents == r.extents[action.number];
        }
    }
    return true;
}

bool Executor::as_recorded(const Action& action, Recording& r) {
    bool same = true;
    for (size_t n = action.number; n < r.late_values.size(); ++n) {
        const auto& late = r.late_values[n];
        if (late.step != action.step) break;
        const TensorRef& now = at(late.id);
        r.follow(late.root, now.data);
        same &= now.shape == late.shape && now.strides == late.strides;
    }
    return same;
}

// From here on as in any call. The refs are the recording's, which is used for the last time.
void Executor::leave(Frame& frame, Recording& r, const Action& action) {
    for (size_t i = 0; i < r.refs.size(); ++i) refs_[i].data = r.address(r.where[i]);
    s_.replays.leave();
    replays_ = false;
    size_t next = action.step + (action.kind == Action::Kind::Whole ? 1 : 0);
    run_steps(frame, std::min(next, p_.tail), nullptr);
}

}  // namespace croton::runtime
