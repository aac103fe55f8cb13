#include "croton/backend/cpu/emit_section.hpp"

#include "croton/backend/cpu/quotients.hpp"

namespace croton::cpu {

using namespace llvm;
using kernel::SectionKind;

SectionEmitter::SectionEmitter(Module& module, const kernel::Kernel& kernel, const Plan& plan,
                               const Level& level, Maths& maths, size_t section, bool lanes)
    : module_(module),
      kernel_(kernel),
      plan_(plan),
      level_(level),
      section_(kernel.sections[section]),
      uses_(plan.sections[section]),
      b_(module.getContext()),
      scalars_(b_, level, maths),
      dtypes_(kernel::value_dtypes(kernel)),
      definitions_(static_cast<size_t>(kernel.values)),
      width_(plan.scalar ? 1u : static_cast<unsigned>(level.vector_bytes / plan.lane_bytes)),
      positions_(kernel, section, lanes),
      lanes_form_(lanes || section_.kind == SectionKind::Loop) {
    for (const auto& s : kernel.sections)
        for (const auto& i : s.body)
            if (i.result >= 0) definitions_[static_cast<size_t>(i.result)] = &i;
    bool one_by_one = section_.kind == SectionKind::Loop && !lanes;
    if (one_by_one || runs_once()) width_ = 1;
    if (shares_quotients())
        width_ *= vectors_side_by_side;
    else if (width_ > 1 && (waits_for_itself() || (is_long() && section_.across.empty())))
        width_ *= 2;
}

void SectionEmitter::emit(Function& function, BasicBlock& start, ConstantInt* one_by_one) {
    open(function, start);
    if (one_by_one && width_ > 1) one_by_one_ = b_.CreateICmpEQ(function.getArg(1), one_by_one);
    start_streams(lanes_form_);
    if (lanes_form_)
        emit_lanes();
    else if (runs_once())
        emit_once();
    else
        emit_nest();
    b_.CreateRetVoid();
}

BasicBlock* SectionEmitter::emit(Function& function, BasicBlock* block, const Row& row) {
    row_ = &row;
    open(function, *row.entry);
    b_.SetInsertPoint(block);
    start_streams(false);
    if (runs_once())
        emit_once();
    else
        emit_nest();
    return b_.GetInsertBlock();
}

bool SectionEmitter::serves_one_by_one() const {
    bool has_rest = width_ == 1 || !level_.masks || masked_throughout();
    return section_.kind == SectionKind::Loop && has_rest;
}

void SectionEmitter::open(Function& function, BasicBlock& start) {
    function_ = &function;
    frame_ = function.getArg(0);
    entry_ = &start;
    b_.SetInsertPoint(entry_);
    zeros_ = nullptr;
    words_.clear();
    live_.assign(plan_.streams.size(), {});
}

IRBuilder<> SectionEmitter::at_function_entry() {
    BasicBlock& first = function_->getEntryBlock();
    return IRBuilder<>(&first, first.begin());
}

AllocaInst* SectionEmitter::variable(Type* type) {
    variables_.push_back(at_function_entry().CreateAlloca(type));
    return variables_.back();
}

Value* SectionEmitter::word(int number) {
    // All words are read in the entry block, where they are visible to every use.
    Value*& known = words_[number];
    if (known) return known;
    auto* end = entry_->getTerminator();
    IRBuilder<> entry(entry_, end ? end->getIterator() : entry_->end());
    auto* type = entry.getInt64Ty();
    known = entry.CreateLoad(
        type, entry.CreateConstInBoundsGEP1_64(type, frame_, static_cast<uint64_t>(number)));
    return known;
}

// --- streams

void SectionEmitter::start_streams(bool lanes) {
    used_.clear();
    auto use = [&](const std::vector<int>& list) {
        used_.insert(used_.end(), list.begin(), list.end());
    };
    use(uses_.ins);
    use(uses_.outs);
    use(uses_.numbers);
    use(uses_.reads);
    use(uses_.writes);
    if (lanes)
        for (const auto& a : uses_.accumulators) {
            used_.push_back(a.slot);
            if (a.position_slot >= 0) used_.push_back(a.position_slot);
        }
    for (int s : used_) row_ ? start_in_row(s) : start_stream(s, lanes);
    if (row_) start_slots();
    std::erase_if(used_, [&](int s) { return !live_[static_cast<size_t>(s)].at; });
}

void SectionEmitter::start_stream(int s, bool lanes) {
    bool rows_form = uses_.kind == SectionKind::Reduce && !lanes;
    const Stream& stream = plan_.streams[static_cast<size_t>(s)];
    Live& live = live_[static_cast<size_t>(s)];
    Value* where = word(stream.word);
    bool address = moves_as_address(stream);
    if (address) where = b_.CreateIntToPtr(where, b_.getPtrTy());
    bool read_slot = stream.kind == StreamKind::Slot && rows_form;
    if (stream.uniform || read_slot) {
        scalars_.set_width(1);
        live.uniform = load_from(where, stream.dtype, nullptr);
        return;
    }
    live.step = word(stream.word + 1);
    live.row = word(stream.word + 2);
    live.vector_step = b_.CreateMul(live.step, lanes_at_once());
    Type* type = address ? static_cast<Type*>(b_.getPtrTy()) : b_.getInt64Ty();
    live.at = variable(type);
    live.outer_at = variable(type);
    b_.CreateStore(where, live.outer_at);
    scalars_.set_width(width_);
    if (!address) live.offsets = b_.CreateMul(scalars_.iota(), scalars_.splat(live.step));
    bool may_broadcast =
        stream.kind == StreamKind::In ||
        (stream.kind == StreamKind::Slot && !lanes && uses_.kind != SectionKind::Reduce);
    bool written = std::find(uses_.writes.begin(), uses_.writes.end(), s) != uses_.writes.end();
    if (may_broadcast && !written && width_ > 1 && stream.apart == 1) {
        auto* buffer =
            at_function_entry().CreateAlloca(scalars_.widened(scalars_.memory_type(stream.dtype)));
        buffer->setAlignment(Align(64));
        live.buffer = buffer;
    }
}

// A stream whose steps are in the code.
void SectionEmitter::start_in_row(int s) {
    const Stream& stream = plan_.streams[static_cast<size_t>(s)];
    Live& live = live_[static_cast<size_t>(s)];
    AllocaInst* place = row_->places[static_cast<size_t>(s)];
    bool stands = stream.uniform || stream.apart == 0;
    scalars_.set_width(1);
    if (stream.kind == StreamKind::Slot) {
        live.base = place;
        bool read = std::find(uses_.reads.begin(), uses_.reads.end(), s) != uses_.reads.end();
        if (read) live.uniform = load_from(place, stream.dtype, nullptr);
        return;
    }
    Value* where = b_.CreateLoad(place->getAllocatedType(), place);
    if (stream.kind == StreamKind::In && stands) {
        live.uniform = load_from(where, stream.dtype, nullptr);
    } else if (moves_as_address(stream)) {
        live.base = where;
        if (stream.kind == StreamKind::In)
            live.ahead = b_.CreateGEP(b_.getInt8Ty(), where, word(stream.word + 2));
    } else {
        live.step = b_.getInt64(static_cast<uint64_t>(stream.apart));
        live.vector_step = b_.CreateMul(live.step, b_.getInt64(width_));
        live.row = b_.getInt64(0);
        live.at = variable(b_.getInt64Ty());
        live.outer_at = place;
        scalars_.set_width(width_);
        live.offsets = b_.CreateMul(scalars_.iota(), scalars_.splat(live.step));
    }
}

void SectionEmitter::start_slots() {
    scalars_.set_width(1);
    for (size_t n = 0; n < uses_.accumulators.size(); ++n) {
        const auto& where = uses_.accumulators[n];
        Value* nothing = scalars_.identity(section_.accumulators[n].combine, where.state).re;
        b_.CreateStore(scalars_.to_memory(where.state, nothing),
                       row_->places[static_cast<size_t>(where.slot)]);
        if (where.position_slot >= 0)
            b_.CreateStore(b_.getInt64(INT64_MAX),
                           row_->places[static_cast<size_t>(where.position_slot)]);
    }
}

// The place of the lanes that are next.
Value* SectionEmitter::where(int stream) {
    const Live& live = live_[static_cast<size_t>(stream)];
    if (live.base) return lanes_on(live.base, stream);
    return b_.CreateLoad(b_.getPtrTy(), live.at);
}

Value* SectionEmitter::lanes_on(Value* base, int stream) {
    const Stream& what = plan_.streams[static_cast<size_t>(stream)];
    if (what.kind == StreamKind::Slot) return base;
    auto step = static_cast<uint64_t>(what.item) * static_cast<uint64_t>(what.apart);
    Value* row = b_.CreateGEP(b_.getInt8Ty(), base, b_.CreateMul(lanes_before_, b_.getInt64(step)));
    return b_.CreateConstGEP1_64(b_.getInt8Ty(), row, copies_before_ * width_ * step);
}

// Before the innermost loop: streams that stand still get a vector full of their element.
void SectionEmitter::fill_buffers() {
    for (int s : used_) {
        Live& live = live_[static_cast<size_t>(s)];
        if (!live.buffer) continue;
        when(b_.CreateICmpEQ(live.step, b_.getInt64(0)), [&] {
            Type* type = scalars_.memory_type(plan_.streams[static_cast<size_t>(s)].dtype);
            Value* element = b_.CreateLoad(type, b_.CreateLoad(b_.getPtrTy(), live.at));
            b_.CreateAlignedStore(b_.CreateVectorSplat(width_, element), live.buffer, Align(64));
            b_.CreateStore(live.buffer, live.at);
        });
    }
}

// Where a round has fewer lanes than a vector, what there is of each stream is brought into its
// buffer, so that every round loads whole vectors: a masked load beside stores costs some thirty
// cycles (tanh of float32: 0.74 ns an element with masked loads, 0.23 with these).
void SectionEmitter::fill_rests(Value* mask, Value* left) {
    when(b_.CreateICmpSLT(left, b_.getInt64(width_)), [&] {
        for (int s : used_) {
            Live& live = live_[static_cast<size_t>(s)];
            if (!live.buffer) continue;
            DType dtype = plan_.streams[static_cast<size_t>(s)].dtype;
            Type* type = scalars_.widened(scalars_.memory_type(dtype));
            auto align = Align(static_cast<uint64_t>(dtype_size(dtype)));
            Value* rest = b_.CreateMaskedLoad(type, b_.CreateLoad(b_.getPtrTy(), live.at), align,
                                              mask, Constant::getNullValue(type));
            b_.CreateAlignedStore(rest, live.buffer, Align(64));
            b_.CreateStore(live.buffer, live.at);
        }
    });
}

static void move(IRBuilder<>& b, Value* variable, Value* by) {
    auto* type = cast<AllocaInst>(variable)->getAllocatedType();
    Value* at = b.CreateLoad(type, variable);
    b.CreateStore(type->isPointerTy() ? b.CreateGEP(b.getInt8Ty(), at, by) : b.CreateAdd(at, by),
                  variable);
}

// Streams stand where a loop over lanes begins.
void SectionEmitter::start_row() {
    for (int s : used_) {
        Live& live = live_[static_cast<size_t>(s)];
        auto* type = cast<AllocaInst>(live.at)->getAllocatedType();
        b_.CreateStore(b_.CreateLoad(type, live.outer_at), live.at);
    }
}

void SectionEmitter::move_rows(Value* count) {
    for (int s : used_) {
        Live& live = live_[static_cast<size_t>(s)];
        move(b_, live.at, b_.CreateMul(live.row, count));
    }
}

void SectionEmitter::advance(unsigned lanes) {
    for (int s : used_) {
        Live& live = live_[static_cast<size_t>(s)];
        move(b_, live.at, lanes == 1 ? live.step : live.vector_step);
    }
}

void SectionEmitter::advance_outer(bool by_row, unsigned lanes) {
    for (int s : used_) {
        Live& live = live_[static_cast<size_t>(s)];
        move(b_, live.outer_at, by_row ? live.row : lanes == 1 ? live.step : live.vector_step);
    }
}

// --- reading ahead

// The lines of a vector, so far ahead.
void SectionEmitter::prefetch_stream(int stream, Value* ahead) {
    constexpr unsigned line = 64;
    const Live& live = live_[static_cast<size_t>(stream)];
    Value* then = live.ahead ? lanes_on(live.ahead, stream)
                             : b_.CreateGEP(b_.getInt8Ty(), where(stream), ahead);
    auto bytes = width_ * static_cast<unsigned>(plan_.streams[static_cast<size_t>(stream)].item);
    for (unsigned n = 0; n < bytes; n += line) prefetch(then, n);
}

bool SectionEmitter::writes_operands() const {
    return std::any_of(uses_.outs.begin(), uses_.outs.end(), [&](int s) {
        return plan_.streams[static_cast<size_t>(s)].kind == StreamKind::Out;
    });
}

bool SectionEmitter::streams_operands() const {
    return std::any_of(uses_.outs.begin(), uses_.outs.end(),
                       [&](int s) { return plan_.streams[static_cast<size_t>(s)].streaming; });
}

// Operands that move and that no section before has brought near.
std::vector<int> SectionEmitter::fresh_operands() const {
    std::vector<int> fresh;
    for (int s : uses_.ins) {
        const Live& live = live_[static_cast<size_t>(s)];
        bool moves = live.at || live.base;
        auto reads = [&](const SectionPlan& section) {
            return std::find(section.ins.begin(), section.ins.end(), s) != section.ins.end();
        };
        auto reader = std::find_if(plan_.sections.begin(), plan_.sections.end(), reads);
        bool first = &*reader == &uses_;
        if (moves && first && plan_.streams[static_cast<size_t>(s)].kind == StreamKind::In)
            fresh.push_back(s);
    }
    return fresh;
}

// Columns are walked down a few rows at a time, in which no hardware sees that memory is read from
// end to end: the lines as many rows further on are asked for, which the next call will read. (Sums
// over axis 0 of 4096 x 2048 numbers: 62 GB/s, 17 without.)
void SectionEmitter::prefetch_next_rows() {
    for (int s : fresh_operands())
        prefetch_stream(s, b_.CreateMul(live_[static_cast<size_t>(s)].row, word(rows_word)));
}

// Where a row is read and nothing else happens to memory, the hardware stops at the ends of pages
// and begins again with each row. A nest of one row says in the place of its row step how far on
// what is read soon lies.
void SectionEmitter::prefetch_row() {
    for (int s : fresh_operands()) prefetch_stream(s, live_[static_cast<size_t>(s)].row);
}

// --- loops

// At least once.
void SectionEmitter::loop(Value* first, Value* last, Value* step,
                          const std::function<void(Value*)>& body) {
    auto* head = BasicBlock::Create(module_.getContext(), "loop", function_);
    auto* before = b_.GetInsertBlock();
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    auto* i = b_.CreatePHI(b_.getInt64Ty(), 2);
    i->addIncoming(first, before);
    body(i);
    Value* next = b_.CreateAdd(i, step, "", true, true);
    i->addIncoming(next, b_.GetInsertBlock());
    auto* done = BasicBlock::Create(module_.getContext(), "done", function_);
    b_.CreateCondBr(b_.CreateICmpSLT(next, last), head, done);
    b_.SetInsertPoint(done);
}

void SectionEmitter::when(Value* condition, const std::function<void()>& body) {
    auto* inside = BasicBlock::Create(module_.getContext(), "when", function_);
    auto* after = BasicBlock::Create(module_.getContext(), "after", function_);
    b_.CreateCondBr(condition, inside, after);
    b_.SetInsertPoint(inside);
    body();
    b_.CreateBr(after);
    b_.SetInsertPoint(after);
}

// All rows, of no steps too, in stretches of some ten microseconds: between them the launch may be
// told to stop. States keep their registers within a stretch.
void SectionEmitter::loop_in_order(const std::function<void(Value*)>& body) {
    constexpr size_t stretch_weight = 1 << 16;
    size_t most = std::max<size_t>(1, stretch_weight / std::max<size_t>(1, weight()));
    Value *rows = word(rows_word), *zero = b_.getInt64(0), *stretch = b_.getInt64(most);
    when(b_.CreateICmpSGT(rows, zero), [&] {
        loop(zero, rows, stretch, [&](Value* first) {
            when(b_.CreateICmpSGT(first, zero), [&] { return_if_stopped(); });
            Value* left = b_.CreateSub(rows, first);
            left = b_.CreateBinaryIntrinsic(Intrinsic::umin, left, stretch);
            loop(zero, left, b_.getInt64(1), body);
        });
    });
}

void SectionEmitter::return_if_stopped() {
    auto callee = module_.getOrInsertFunction(
        "croton_ask_to_stop",
        FunctionType::get(b_.getInt8Ty(), {b_.getPtrTy(), b_.getPtrTy()}, false));
    Value* stop = b_.CreateIntToPtr(word(stop_word), b_.getPtrTy());
    Value* fault = b_.CreateIntToPtr(word(fault_word), b_.getPtrTy());
    Value* answer = b_.CreateCall(callee, {stop, fault});
    auto* stopped = BasicBlock::Create(module_.getContext(), "stopped", function_);
    auto* on = BasicBlock::Create(module_.getContext(), "on", function_);
    b_.CreateCondBr(b_.CreateICmpNE(answer, b_.getInt8(0)), stopped, on);
    b_.SetInsertPoint(stopped);
    b_.CreateRetVoid();
    b_.SetInsertPoint(on);
}

Value* SectionEmitter::tail_mask(Value* left) {
    // Compared in lanes of the kernel's own width: one instruction on machines with masks.
    Type* lane = b_.getIntNTy(static_cast<unsigned>(8 * plan_.lane_bytes));
    scalars_.set_width(width_);
    Value* numbers = b_.CreateTrunc(scalars_.iota(), scalars_.widened(lane));
    left = b_.CreateBinaryIntrinsic(Intrinsic::umin, left, b_.getInt64(width_));
    return b_.CreateICmpULT(numbers, scalars_.splat(b_.CreateTrunc(left, lane)));
}

// About how many instructions the body has.
size_t SectionEmitter::weight() const {
    size_t weight = 0;
    for (const auto& i : section_.body) {
        weight += kernel::is_function(i.op) ? 16 : is_rematerialised(i.op) ? 0 : 1;
        bool scattered =
            i.op == kernel::OpCode::load_at_ && positions_.reach(i) == Reach::Scattered;
        if (scattered) weight += 16;
    }
    return weight * std::max<size_t>(1, section_.accumulators.size());
}

// A body that computes long from little, as random draws do: the processor does not reach the next
// round before this one ends, and waits for each result. Two vectors side by side fill the gaps.
bool SectionEmitter::is_long() const {
    return uses_.kind == SectionKind::Map && weight() > 100 && uses_.ins.size() * 50 < weight();
}

// A step of a loop waits for the one before it: a second vector of lanes fills its gaps. (Four do
// more for many lanes and less for ten. Without masks, lanes that fill no vector go one by one, and
// there would be more of them.)
bool SectionEmitter::waits_for_itself() const {
    return lanes_form_ && section_.kind == SectionKind::Loop && level_.masks;
}

// Copies of a light body in one iteration. Of a fold, each with its own accumulators: the latency
// of adding is hidden behind the others. Of large maps, as tailored code is made for them:
// processors guess by the place in the code what a load will read next, and where rows are short
// (tiles of what is read transposed) they guess less badly for loads that seldom pass the end of a
// row.
unsigned SectionEmitter::unrolling() const {
    if (width_ == 1) return 1;
    const bool light = weight() <= 6, medium = weight() <= 16;
    if (uses_.kind == SectionKind::Reduce) return light ? 4 : medium ? 2 : 1;
    if (shares_quotients()) return 1;
    if (uses_.kind == SectionKind::Map && plan_.tailored) return light ? 8 : medium ? 2 : 1;
    return 1;
}

// A heavy body is there once, its stores masked in every round: that costs it next to nothing, and
// a second copy would cost half of the compilation. (Masked loads and additions are not for
// nothing.)
bool SectionEmitter::masked_throughout() const {
    bool folds_lanes = uses_.kind == SectionKind::Reduce && !lanes_form_;
    if (shares_quotients()) return true;
    return level_.masks && width_ > 1 && weight() > 16 && !folds_lanes && !plan_.tailored;
}

// Vectors of lanes that are some items apart are read together with the gap behind the last one: so
// there must be an item beyond.
bool SectionEmitter::reads_gaps() const {
    return std::any_of(uses_.ins.begin(), uses_.ins.end(),
                       [&](int s) { return plan_.streams[static_cast<size_t>(s)].apart > 1; });
}

// One outer index, be it that there is no other or that rows go by one after the other: no loops,
// no vectors.
void SectionEmitter::emit_once() {
    scalars_.set_width(1);
    start_row();
    lanes_before_ = b_.getInt64(0);
    copies_before_ = 0;
    emit_body(nullptr);
}

// Of a row that begins within a line, the lanes before the next line begins, so that whole lines
// follow. Gives their number.
Value* SectionEmitter::emit_head(Value* count) {
    constexpr uint64_t line = 64;
    int out = uses_.outs.front();
    auto item = static_cast<uint64_t>(plan_.streams[static_cast<size_t>(out)].item);
    Value* place = b_.CreatePtrToInt(where(out), b_.getInt64Ty());
    Value* bytes = b_.CreateAnd(b_.CreateNeg(place), b_.getInt64(line - 1));
    Value* lanes = b_.CreateUDiv(bytes, b_.getInt64(item), "", true);
    lanes = b_.CreateBinaryIntrinsic(Intrinsic::umin, lanes, count);
    unsigned width = level_.masks ? width_ : 1;
    when(b_.CreateICmpNE(lanes, b_.getInt64(0)), [&] {
        loop(b_.getInt64(0), lanes, b_.getInt64(width), [&](Value* done) {
            Value* left = b_.CreateSub(lanes, done);
            left = b_.CreateBinaryIntrinsic(Intrinsic::umin, left, b_.getInt64(width));
            lanes_before_ = done;
            Value* mask = width > 1 ? tail_mask(left) : nullptr;
            scalars_.set_width(width);
            emit_body(mask);
            for (int s : used_) {
                Live& live = live_[static_cast<size_t>(s)];
                move(b_, live.at, b_.CreateMul(live.step, left));
            }
        });
    });
    scalars_.set_width(width_);
    return lanes;
}

// rows times count, lanes along count.
void SectionEmitter::emit_nest() {
    Value* count = word(count_word);
    Value *zero = b_.getInt64(0), *one = b_.getInt64(1);
    bool reduce = uses_.kind == SectionKind::Reduce;
    bool reads_ahead = reduce && (!writes_operands() || streams_operands());
    unsigned copies = unrolling();
    start_groups();
    scalars_.set_width(width_);
    std::vector<std::vector<Running>> running(copies);
    std::vector<Running> rest;
    if (reduce) {
        for (auto& copy : running) copy = start_accumulators();
        scalars_.set_width(1);
        if (!level_.masks && width_ > 1) rest = start_accumulators();
    }
    auto whole = [&](Value* lanes, unsigned vectors) {
        Value* safe = reads_gaps() ? b_.CreateSub(lanes, one) : lanes;
        return b_.CreateAnd(safe, b_.getInt64(~(uint64_t{width_} * vectors - 1)));
    };
    Value *first = zero, *by_vectors = whole(count, 1), *by_copies = whole(count, copies);
    auto run = [&](unsigned width, std::vector<Running>* folded, Value* mask, Value* before,
                   unsigned copy = 0) {
        scalars_.set_width(width);
        lanes_before_ = before;
        copies_before_ = copy;
        if (reads_ahead && width > 1) prefetch_row();
        emit_body(mask);
        if (reduce) fold(*folded, mask);
        advance(width);
    };
    auto one_row = [&](Value* row) {
        start_row();
        lanes_before_ = zero;
        copies_before_ = 0;
        if (has_far_rows() && !row_)
            when(b_.CreateICmpUGE(count, b_.getInt64(width_)), [&] { prefetch_runs(row); });
        fill_buffers();
        scalars_.set_width(width_);
        start_runs(count);
        if (shares_quotients()) {
            emit_groups(count);
            advance_outer(true, 0);
            return;
        }
        if (masked_throughout()) {
            loop(zero, count, b_.getInt64(width_), [&](Value* done) {
                Value* left = b_.CreateSub(count, done);
                Value* mask = tail_mask(left);
                fill_rests(mask, left);
                run(width_, &running[0], mask, done);
            });
            advance_outer(true, 0);
            return;
        }
        if (plan_.heads && uses_.kind == SectionKind::Map && streams_operands()) {
            first = emit_head(count);
            Value* left = b_.CreateSub(count, first);
            by_vectors = b_.CreateAdd(first, whole(left, 1));
            by_copies = b_.CreateAdd(first, whole(left, copies));
        }
        if (copies > 1)
            when(b_.CreateICmpSGT(by_copies, first), [&] {
                loop(first, by_copies, b_.getInt64(width_ * copies), [&](Value* done) {
                    for (unsigned c = 0; c < copies; ++c)
                        run(width_, &running[c], nullptr, done, c);
                });
            });
        Value* from = copies > 1 ? by_copies : first;
        when(b_.CreateICmpSLT(from, by_vectors), [&] {
            loop(from, by_vectors, b_.getInt64(width_),
                 [&](Value* done) { run(width_, &running[0], nullptr, done); });
        });
        if (width_ > 1)
            when(b_.CreateICmpSLT(by_vectors, count), [&] {
                if (level_.masks)
                    run(width_, &running[0], tail_mask(b_.CreateSub(count, by_vectors)),
                        by_vectors);
                else
                    loop(by_vectors, count, one,
                         [&](Value* done) { run(1, &rest, nullptr, done); });
            });
        advance_outer(true, 0);
    };
    row_ ? one_row(zero) : loop(zero, word(rows_word), one, one_row);
    if (reduce) finish_accumulators(running, width_, rest);
}

// One vector of columns: its running values stay in registers while the rows go by. `lanes`: how
// many of its columns there are.
void SectionEmitter::emit_lane_chunk(Value* mask, Value* lanes) {
    bool in_order = section_.kind == SectionKind::Loop;
    auto running = in_order ? start_states() : start_accumulators();
    start_row();
    if (in_order)
        load_states(running, mask);
    else
        load_accumulators(running, mask);
    unsigned width = scalars_.width();
    states_ = in_order ? &running : nullptr;
    auto all_rows = [&](const std::function<void(Value*)>& body) {
        if (in_order)
            loop_in_order(body);
        else
            loop(b_.getInt64(0), word(rows_word), b_.getInt64(1), body);
    };
    all_rows([&](Value*) {
        // Each row keeps its own place; a broadcast element is spread out anew.
        std::vector<Value*> kept;
        for (int s : used_) {
            Live& live = live_[static_cast<size_t>(s)];
            kept.push_back(b_.CreateLoad(cast<AllocaInst>(live.at)->getAllocatedType(), live.at));
        }
        if (width > 1 && !in_order) prefetch_next_rows();
        if (width > 1) fill_buffers();
        if (width > 1 && masked_throughout()) fill_rests(mask, lanes);
        if (width > 1) start_runs(lanes);
        lanes_before_ = b_.getInt64(0);
        copies_before_ = 0;
        emit_body(mask);
        if (in_order)
            step_states(running);
        else
            fold(running, mask);
        for (size_t n = 0; n < used_.size(); ++n) {
            Live& live = live_[static_cast<size_t>(used_[n])];
            b_.CreateStore(kept[n], live.at);
            move(b_, live.at, live.row);
        }
    });
    states_ = nullptr;
    store_accumulators(running, mask);
    advance_outer(false, width);
}

// How many lanes a masked vector takes: one where they are not neighbours in memory.
Value* SectionEmitter::lanes_at_once() {
    Value* all = b_.getInt64(width_);
    return one_by_one_ && level_.masks ? b_.CreateSelect(one_by_one_, b_.getInt64(1), all) : all;
}

void SectionEmitter::emit_lanes() {
    Value *zero = b_.getInt64(0), *one = b_.getInt64(1), *whole = lanes_at_once();
    Value* count = word(count_word);
    Value* by_vectors = b_.CreateAnd(count, b_.getInt64(~(uint64_t{width_} - 1)));
    if (one_by_one_) by_vectors = b_.CreateSelect(one_by_one_, zero, by_vectors);
    auto run_masked = [&](Value* done) {
        Value* left = b_.CreateSub(count, done);
        left = b_.CreateBinaryIntrinsic(Intrinsic::umin, left, whole);
        emit_lane_chunk(tail_mask(left), left);
    };
    if (masked_throughout()) {
        loop(zero, count, whole, run_masked);
        return;
    }
    when(b_.CreateICmpSGT(by_vectors, zero), [&] {
        loop(zero, by_vectors, whole, [&](Value*) {
            scalars_.set_width(width_);
            emit_lane_chunk(nullptr, whole);
        });
    });
    if (width_ == 1) return;
    when(b_.CreateICmpSLT(by_vectors, count), [&] {
        if (level_.masks) return run_masked(by_vectors);
        loop(by_vectors, count, one, [&](Value*) {
            scalars_.set_width(1);
            emit_lane_chunk(nullptr, one);
        });
    });
}

}  // namespace croton::cpu
