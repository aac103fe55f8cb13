// Runs programs: the loop over steps, memory for outputs, and errors drawn with shapes.
#include "croton/runtime/executor.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>

#include "croton/base/memory.hpp"
#include "croton/graph/drawn.hpp"
#include "croton/graph/elements.hpp"
#include "croton/kernel/cost.hpp"
#include "croton/runtime/copies.hpp"
#include "croton/runtime/program.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::runtime {

bool (*interrupt_requested)() = nullptr;

namespace {
class Interrupts final : public kernel::Stop {
  public:
    bool asked() override { return interrupt_requested && interrupt_requested(); }
};

/// What one thread was told, all of them follow: only the main thread hears of Ctrl-C.
class SharedStop final : public kernel::Stop {
  public:
    bool asked() override {
        if (!told_ && interrupts().asked()) told_ = true;
        return told_;
    }

  private:
    std::atomic<bool> told_ = false;
};
}  // namespace

kernel::Stop& interrupts() {
    static Interrupts instance;
    return instance;
}

Frame::State::State(const Program& p, std::shared_ptr<Packs> shared)
    : program(p),
      refs(p.values.size()),
      owners(p.values.size()),
      slots(static_cast<size_t>(p.slots)),
      kernel_costs(p.kernels.size()),
      packs(shared ? std::move(shared) : std::make_shared<Packs>()) {
    for (size_t i = 0; i < p.values.size(); ++i)
        if (p.values[i].place == Place::Constant) refs[i] = ref(p.values[i].constant);
}

void Executor::bind() {
    for (size_t i = 0; i < p_.inputs.size(); ++i) at(p_.inputs[i]) = ref(s_.arguments[i]);
}

void Executor::run(Frame& frame) {
    release_owners();  // of a call that failed
    s_.replays.forget_left();
    CROTON_ASSERT(s_.arguments.size() == p_.inputs.size());
    // Whoever looks at each step wants to see each step.
    auto* entry = frame.after_step ? nullptr : s_.replays.entry(s_.arguments);
    bool recorded = entry && entry->recording;
    if (recorded && !misfit(entry->recording->refs)) return replay(frame, *entry->recording);
    std::optional<Recorder> recorder;
    if (entry && !recorded && entry->calls++ > 0) recorder.emplace(*this);
    bind();
    for (Buffer& buffer : s_.slots) buffer.wanted = 0;
    s_.workspace.wanted = s_.spare.wanted = s_.rows.wanted = 0;
    run_steps(frame, 0, recorder ? &*recorder : nullptr);
    whole_ = true;
    if (!recorder) return;
    entry->recording = recorder->finish();
    for (Buffer& buffer : s_.slots) buffer.wanted = 0;
    recorded_ = true;
}

void Executor::run_steps(Frame& frame, size_t first, Recorder* recorder) {
    size_t tail = std::min(p_.tail, p_.steps.size());
    auto begin = [&](size_t i, bool prepared) {
        if (interrupt_requested && !prepared && interrupt_requested())
            fail(ErrorKind::Interrupted, "interrupted before step ", i, " of ", p_.steps.size());
        if (recorder) recorder->before_step();
        timed(i, frame.timings, prepared);
        if (recorder) recorder->after_step(i);
        if (frame.after_step) frame.after_step(i, s_.refs);
    };
    for (size_t i = first; i < tail; ++i) begin(i, false);
    for (size_t i = tail; i < p_.steps.size(); ++i) {
        Sizes unused;
        try {
            const StepKind& kind = p_.steps[i].kind;
            if (auto call = std::get_if<ExternStep>(&kind))
                prepare(*call);
            else if (auto product = std::get_if<ContractStep>(&kind))
                prepare(*product);
            else
                prepare(std::get<KernelStep>(kind), unused);
        } catch (const Error& error) {
            fail_drawn(error, p_.steps[i]);
        }
    }
    check_destinations();
    for (size_t i = tail; i < p_.steps.size(); ++i) begin(i, true);
}

void Executor::timed(size_t number, std::vector<StepTiming>* timings, bool prepared) {
    using Clock = std::chrono::steady_clock;
    const Step& what = p_.steps[number];
    auto start = timings ? Clock::now() : Clock::time_point();
    try {
        if (prepared)
            run_prepared(what.kind);
        else
            std::visit([this](const auto& kind) { step(kind); }, what.kind);
    } catch (const Error& error) {
        fail_drawn(error, what);
    }
    if (timings)
        count_time(number, *timings, std::chrono::duration<double>(Clock::now() - start).count());
}

void Executor::run_prepared(const StepKind& kind) {
    if (auto call = std::get_if<ExternStep>(&kind)) return run_call(*call);
    if (auto product = std::get_if<ContractStep>(&kind)) return multiply(*product);
    const auto& kernel_step = std::get<KernelStep>(kind);
    Sizes extents;
    extents_of(kernel_step, extents);
    launch(kernel_step, extents);
}

void Executor::count_time(size_t number, std::vector<StepTiming>& timings, double seconds) {
    timings.resize(p_.steps.size());
    auto& timing = timings[number];
    timing.seconds += seconds;
    ++timing.calls;
    timing.bytes = 0;
    for (Id id : p_.steps[number].writes())
        if (value(id).place != Place::View)
            timing.bytes += element_count(at(id).shape) * dtype_size(at(id).dtype);
}

// The value that owns the memory `id` shows: a view that had to be packed owns its copy.
Id Executor::root(Id id) const {
    while (value(id).place == Place::View && !s_.owners[static_cast<size_t>(id)])
        id = value(id).source;
    return id;
}

// Whose memory the value shows, if that is somebody's who may share it with a result.
std::shared_ptr<const void> Executor::argument_owner(Id id) const {
    if (value(id).place != Place::Argument) return nullptr;
    auto k =
        static_cast<size_t>(std::find(p_.inputs.begin(), p_.inputs.end(), id) - p_.inputs.begin());
    bool allowed = k >= s_.permissions.borrow_from && k < s_.arguments.size();
    return allowed ? s_.arguments[k].owner() : nullptr;
}

std::vector<Array> Executor::results() {
    std::vector<Array> results;
    results.reserve(p_.outputs.size());
    SmallVector<Id, 8> given_away;
    auto borrow = s_.permissions.borrow;
    for (Id id : p_.outputs) {
        const TensorRef& r = at(id);
        size_t number = results.size();
        if (auto into = s_.permissions.into; number < into.size() && into[number].data) {
            deliver(number, r);
            results.push_back(Array::view(r.dtype, {0}, {0}, nullptr, nullptr));
            given_away.push_back(-1);
            continue;
        }
        Id owner = root(id);
        bool first = std::find(given_away.begin(), given_away.end(), owner) == given_away.end();
        auto memory = s_.owners[static_cast<size_t>(owner)];
        if (size_t i = results.size(); !memory && i < borrow.size() && borrow[i])
            memory = argument_owner(owner);
        Array shown = Array::view(r.dtype, r.shape, r.strides, r.data, memory);
        results.push_back(memory && first ? std::move(shown) : shown.copy());
        given_away.push_back(owner);
    }
    release_owners();
    return results;
}

std::span<TensorRef> Executor::gather(const std::vector<Id>& ids) {
    if (s_.inputs.size() < ids.size()) s_.inputs.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) s_.inputs[i] = at(ids[i]);
    return {s_.inputs.data(), ids.size()};
}

void Executor::own(Id id, std::shared_ptr<const void> owner) {
    s_.owners[static_cast<size_t>(id)] = std::move(owner);
    s_.owned.push_back(id);
}

void Executor::release_owners() {
    for (Id id : s_.owned) s_.owners[static_cast<size_t>(id)].reset();
    s_.owned.clear();
}

void* Executor::memory_for(Id id, int64_t bytes) {
    const Value& v = value(id);
    if (v.place == Place::Fresh) {
        auto memory = allocate_aligned(static_cast<size_t>(bytes));
        void* data = memory.get();
        own(id, std::move(memory));
        return data;
    }
    return slot_memory(v.slot, bytes);
}

void Buffer::make_room(int64_t bytes) {
    wanted = std::max(wanted, bytes);
    if (capacity >= bytes && memory) return;
    memory.reset();  // before the new one is there: the peak stays low
    capacity = 0;
    memory = allocate_lasting(static_cast<size_t>(bytes));
    capacity = bytes;
}

void* Executor::slot_memory(int slot, int64_t bytes) {
    Buffer& buffer = s_.slots[static_cast<size_t>(slot)];
    buffer.make_room(bytes);
    return buffer.memory.get();
}

void* Executor::workspace(int64_t bytes) {
    s_.workspace.make_room(bytes);
    return s_.workspace.memory.get();
}

char* Executor::spare(int64_t bytes) {
    s_.spare.make_room(bytes);
    return static_cast<char*>(s_.spare.memory.get());
}

void Executor::drop_large() {
    if (!whole_) return;
    for (Buffer& buffer : s_.slots)
        if (buffer.wanted == 0 || buffer.half_empty()) buffer = {};
    if (s_.workspace.half_empty()) s_.workspace = {};
    if (s_.spare.half_empty()) s_.spare = {};
    // (What does not come row by row lies in the workspace from now on.)
    if (recorded_ || s_.rows.half_empty()) s_.rows = {};
    // Calls to come have all they need but results: what calls before them took for a while goes.
    if (recorded_) drop_kept_memory();
}

// An update leaves its result in the memory of the variable it updates, if nobody else looks at it.
bool Executor::take_argument(Id id, TensorRef& r) {
    const Value& v = value(id);
    if (v.place != Place::Fresh || v.source < 0) return false;
    auto k = static_cast<size_t>(std::find(p_.inputs.begin(), p_.inputs.end(), v.source) -
                                 p_.inputs.begin());
    if (k >= s_.permissions.write.size() || !s_.permissions.write[k]) return false;
    const TensorRef& argument = at(v.source);
    if (!(argument.shape == r.shape) || !(argument.strides == r.strides)) return false;
    r.data = argument.data;
    own(id, s_.arguments[k].owner());
    return true;
}

// Memory that the caller has for an output, if it is as the output is.
bool Executor::take_destination(Id id, TensorRef& r) {
    if (value(id).place != Place::Fresh) return false;
    auto into = s_.permissions.into;
    for (size_t i = 0; i < into.size(); ++i) {
        if (p_.outputs[i] != id || !into[i].data) continue;
        if (!(into[i].shape == r.shape) || !(into[i].strides == r.strides)) return false;
        r.data = into[i].data;
        return true;
    }
    return false;
}

std::string Executor::name_of_result(size_t output) const {
    auto names = s_.permissions.into_names;
    return output < names.size() ? names[output] : cat("result ", output);
}

// The first result that has another shape than the memory that it is to be left in.
std::optional<size_t> Executor::misfit(std::span<const TensorRef> refs) const {
    auto into = s_.permissions.into;
    for (size_t i = 0; i < into.size(); ++i)
        if (into[i].data && !(into[i].shape == refs[static_cast<size_t>(p_.outputs[i])].shape))
            return i;
    return {};
}

// Before anything is written over arguments: all sizes are known by then.
void Executor::check_destinations() {
    auto i = misfit({refs_, p_.values.size()});
    if (!i) return;
    std::string now = shape_text(at(p_.outputs[*i]).shape);
    std::string memory = shape_text(s_.permissions.into[*i].shape);
    bool in_loop = !s_.permissions.into_names.empty();
    fail(ErrorKind::Shape, name_of_result(*i), " has shape ", now,
         in_loop ? cat(", it had shape ", memory, " before")
                 : cat(", the memory for it has shape ", memory));
}

void Executor::deliver(size_t output, const TensorRef& r) {
    const TensorRef& place = s_.permissions.into[output];
    if (place.data != r.data) copy_elements(place, r);
}

void Executor::make_output(Id id, const Sizes& shape) {
    TensorRef& r = at(id);
    r.dtype = value(id).type.dtype;
    int64_t bytes = byte_count(r.dtype, shape);
    r.shape = shape;
    r.strides = contiguous_strides(shape, dtype_size(r.dtype));
    if (take_argument(id, r) || take_destination(id, r)) return;
    r.data = memory_for(id, bytes);
}

// --- kernels ------------------------------------------------------------------------------------

namespace {
void join_extent(int64_t& extent, int64_t size, int axis) {
    if (size == extent || size == 1) return;
    if (extent != 1)
        fail(ErrorKind::Shape, "sizes ", extent, " and ", size, " do not broadcast in axis ", axis);
    extent = size;
}
}  // namespace

void Executor::extents_from_shape_op(const KernelStep& step, Sizes& extents) {
    auto inputs = gather(step.shape_inputs);
    Sizes shape;
    auto indexed = step.shape_op->kind<IndexedCompute>();
    indexed->shape({*step.shape_op, step.shape_attrs.get()}, inputs, {&shape, 1});
    for (size_t axis = 0; axis < shape.size(); ++axis)
        if (step.shape_map[axis] >= 0)
            join_extent(extents[static_cast<size_t>(step.shape_map[axis])], shape[axis],
                        static_cast<int>(axis));
}

// A loop runs as often as it is told, over sequences of just that length.
void Executor::extents_from_steps(const KernelStep& step, Sizes& extents) {
    int64_t steps = at(step.shape_inputs[0]).integer();
    auto axis = static_cast<size_t>(step.steps_axis);
    check_steps(steps);
    extents[axis] = steps;
    for (size_t i = 0; i + static_cast<size_t>(step.outputs) < step.operands.size(); ++i)
        if (int own = step.maps[i][axis]; own >= 0)
            check_sequence(value(step.operands[i]).name,
                           at(step.operands[i]).shape[static_cast<size_t>(own)], steps);
}

void Executor::extents_of(const KernelStep& step, Sizes& extents) {
    const auto& k = kernel_of(step);
    extents.resize(static_cast<size_t>(k.rank), 1);
    if (step.shape_op) extents_from_shape_op(step, extents);
    if (step.steps_axis >= 0) extents_from_steps(step, extents);
    for (size_t i = 0; i < step.operands.size(); ++i) {
        if (k.operands[i].kind != kernel::OperandKind::In) continue;
        const TensorRef& r = at(step.operands[i]);
        for (size_t axis = 0; axis < extents.size(); ++axis)
            if (int own = step.maps[i][axis]; own >= 0 && static_cast<int>(axis) != step.steps_axis)
                join_extent(extents[axis], r.shape[static_cast<size_t>(own)],
                            static_cast<int>(axis));
    }
    if (!step.reject_empty) return;
    int64_t outer = 1, inner = 1;
    for (int axis = 0; axis < k.rank; ++axis)
        (axis < k.outer ? outer : inner) *= extents[static_cast<size_t>(axis)];
    if (inner == 0 && outer > 0)
        fail(ErrorKind::Value, "a reduction over no elements has no value (zero-size array)");
}

void Executor::prepare(const KernelStep& step, Sizes& extents) {
    const auto& k = kernel_of(step);
    extents_of(step, extents);
    for (size_t i = 0; i < step.operands.size(); ++i) {
        if (k.operands[i].kind != kernel::OperandKind::Out) continue;
        Sizes shape;
        for (int axis : step.maps[i])
            shape.push_back(axis < 0 ? 1 : extents[static_cast<size_t>(axis)]);
        make_output(step.operands[i], shape);
    }
}

void Executor::step(const KernelStep& step) {
    Sizes extents;
    prepare(step, extents);
    launch(step, extents);
}

// All iterations, in additions. What an operand's element costs beside what is computed of it is
// that of a row in the caches.
int64_t Executor::cost_of(const KernelStep& step, const Sizes& extents) const {
    int& cost = s_.kernel_costs[static_cast<size_t>(step.kernel)];
    if (cost == 0) cost = kernel::cost_of(kernel_of(step)) + 2 * kernel::cost_of_keeping_in_row;
    return element_count(extents) * cost;
}

void Executor::launch(const KernelStep& step, const Sizes& extents) {
    kernel::Fault worst = with_launch(
        step, extents, [&](const kernel::Launch& what) { return run_pieces(step, what, extents); });
    if (worst.any()) fail_fault(step, worst);
}

kernel::Fault Executor::run_pieces(const KernelStep& step, kernel::Launch what,
                                   const Sizes& extents) {
    int64_t total = element_count(extents), first = extents.empty() ? 1 : extents[0];
    // Few iterations are not worth waking anybody for.
    if (!for_threads(step, extents) || (total < parallel_threshold && !worker_awake()))
        return p_.code->run(step.kernel, what, 0, first);
    std::mutex mutex;
    kernel::Fault one;
    SharedStop stop;
    what.stop = &stop;
    // At least half of what is worth a thread is worth a piece.
    const int64_t by_count = first * parallel_threshold / total / 2,
                  by_cost = first * (parallel_cost / 2) / cost_of(step, extents);
    parallel_for(first, std::max<int64_t>(1, std::min(by_count, by_cost)),
                 [&](int64_t begin, int64_t end) {
                     auto fault = p_.code->run(step.kernel, what, begin, end);
                     if (!fault.any()) return;
                     std::lock_guard lock(mutex);
                     one = fault;
                 });
    return one;
}

void Executor::fail_fault(const KernelStep& step, const kernel::Fault& fault) {
    if (fault.stopped) fail(ErrorKind::Interrupted, "interrupted in a ", step.what);
    const auto& table = value(step.operands[static_cast<size_t>(fault.operand)]);
    fail(ErrorKind::Index, "index ", fault.index, " is out of bounds for axis ", fault.axis,
         " with size ", fault.size, table.name.empty() ? "" : " of '" + table.name + "'");
}

// --- the other kinds ----------------------------------------------------------------------------

void Executor::step(const ViewStep& step) {
    auto inputs = gather(step.inputs);
    const auto* compute = step.op->kind<ViewCompute>();
    AttrView attrs{*step.op, step.attrs.get()};
    TensorRef& out = at(step.output);
    out.dtype = inputs[0].dtype;
    out.data = inputs[0].data;
    if (compute->view(attrs, inputs, out)) {
        if (value(step.output).place == Place::View) return;
        // The plan gave the view memory of its own: the viewed value may die before it.
        TensorRef shown = out;
        make_output(step.output, shown.shape);
        return copy_elements(out, shown);
    }
    Array packed = Array::empty(inputs[0].dtype, inputs[0].shape);
    out.data = packed.data();
    pack(step);
    inputs[0] = ref(packed);
    CROTON_ASSERT(compute->view(attrs, inputs, out));
    own(step.output, packed.owner());
}

// The viewed elements in C order, to where the view lies.
void Executor::pack(const ViewStep& step) {
    const TensorRef& from = at(step.inputs[0]);
    Sizes strides = contiguous_strides(from.shape, dtype_size(from.dtype));
    copy_elements({from.dtype, from.shape, strides, at(step.output).data}, from);
}

namespace {
// Symbols that only the compiler gave mean nothing to a user.
std::string plain_text(TensorType type) {
    for (auto& dim : type.dims)
        if (dim.symbolic()) dim = Dim();
    return type.text();
}
}  // namespace

// The code around an op relies on what its type says: rank, known sizes, sizes of its inputs.
void Executor::check_promised(const ExternStep& step, size_t i, const Sizes& shape) {
    const TensorType& type = value(step.outputs[i]).type;
    bool kept = shape.size() == type.dims.size();
    if (!kept)
        fail(ErrorKind::Type, "result ", i, " has shape ", shape_text(shape), ", its type is ",
             plain_text(type));
    for (size_t axis = 0; axis < shape.size(); ++axis) {
        Dim dim = type.dims[axis];
        if (dim.known()) kept &= dim.size() == shape[axis];
        if (!dim.symbolic()) continue;
        for (Id input : step.inputs)
            for (size_t own = 0; own < at(input).shape.size(); ++own)
                if (value(input).type.dims[own].code() == dim.code())
                    kept &= at(input).shape[own] == shape[axis];
    }
    if (!kept)
        fail(ErrorKind::Shape, "result ", i, " has shape ", shape_text(shape), ", its type is ",
             plain_text(type), " and has the sizes of an argument where it was given them");
}

// Memory for the results, where their sizes can be told beforehand.
void Executor::make_results(const ExternStep& step, const ExternCompute& code) {
    if (step.prologue && !replays_) size_rows(*step.prologue);
    if (!code.shape) return;
    auto inputs = gather(step.inputs);
    if (s_.shapes.size() < step.outputs.size()) s_.shapes.resize(step.outputs.size());
    std::span shapes(s_.shapes.data(), step.outputs.size());
    for (Sizes& shape : shapes) shape.clear();
    code.shape({*step.op, step.attrs.get()}, inputs, shapes);
    for (size_t i = 0; i < shapes.size(); ++i) make_output(step.outputs[i], shapes[i]);
}

// Memory for the results, and whatever can be told to be wrong before they are written.
void Executor::prepare(const ExternStep& step) {
    ExternCompute code = host_code(*step.op);
    make_results(step, code);
    if (code.check) code.check({*step.op, step.attrs.get()}, gather(step.inputs));
}

void Executor::step(const ExternStep& step) {
    make_results(step, host_code(*step.op));
    run_call(step);
}

void Executor::run_call(const ExternStep& step, RowSource* source) {
    auto inputs = gather(step.inputs);
    s_.outputs.resize(std::max(s_.outputs.size(), step.outputs.size()));
    std::span outputs(s_.outputs.data(), step.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
        outputs[i] = at(step.outputs[i]);
        outputs[i].dtype = value(step.outputs[i]).type.dtype;  // known before the sizes are
    }
    auto make = [&](size_t i, const Sizes& shape) {
        check_promised(step, i, shape);
        make_output(step.outputs[i], shape);
        outputs[i] = at(step.outputs[i]);
    };
    // By reference: what std::function copies is small enough to need no memory.
    ExternCall call{{*step.op, step.attrs.get()}, inputs, outputs, std::ref(make), source};
    host_code(*step.op).run(call);
}

void Executor::prepare(const ContractStep& step) {
    Sizes shape;
    const auto* compute = step.op->kind<ContractCompute>();
    compute->shape({*step.op, step.attrs.get()}, gather(step.inputs), {&shape, 1});
    make_output(step.output, shape);
    if (step.epilogue) prepare_results(*step.epilogue, step.output);
}

// Those beside the one in whose memory the product lies. Its sizes are theirs.
void Executor::prepare_results(const Epilogue& epilogue, Id product) {
    const KernelStep& kernel = epilogue.kernel;
    Sizes extents;
    try {
        extents_of(kernel, extents);
        CROTON_ASSERT(extents == at(product).shape);
    } catch (const Error& error) {
        std::span shown(kernel.operands.begin(), kernel.operands.end() - kernel.outputs);
        fail_drawn(error, shown, epilogue.label, epilogue.site, true);
    }
    for (Id id : std::span(kernel.operands.end() - kernel.outputs, kernel.operands.end()))
        if (id != product) make_output(id, extents);
}

void Executor::step(const ContractStep& step) {
    prepare(step);
    multiply(step);
}

namespace {
/// Runs a kernel over blocks of its index space. Rows count through all axes but the last.
class KernelOnBlocks final : public Finish {
  public:
    KernelOnBlocks(const KernelSet& code, int kernel, const kernel::Launch& whole, size_t rank,
                   size_t operands)
        : code_(code), kernel_(kernel), whole_(whole), rank_(rank), operands_(operands) {
        for (size_t axis = 0; axis + 2 < rank_; ++axis)
            for (size_t i = 0; i < operands_; ++i)
                evenly_ &= strides(i)[axis] == strides(i)[axis + 1] * whole_.extents[axis + 1];
    }

    void block(int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
        const int64_t height = evenly_ ? row + rows : whole_.extents[rank_ - 2];
        for (const int64_t end = row + rows; row < end;) {
            const int64_t count = std::min(end - row, height - row % height);
            run(row, count, column, columns);
            row += count;
        }
    }

  private:
    const int64_t* strides(size_t operand) const { return whole_.strides[operand]; }

    void run(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
        SmallVector<int64_t, 8> extents(rank_, 1);
        extents[rank_ - 2] = rows;
        extents[rank_ - 1] = columns;
        SmallVector<void*, 12> pointers(operands_, nullptr);
        for (size_t i = 0; i < operands_; ++i)
            pointers[i] = static_cast<std::byte*>(whole_.pointers[i]) + offset(i, row) +
                          column * strides(i)[rank_ - 1];
        const kernel::Launch part{extents.data(), pointers.data(), whole_.strides, whole_.sizes,
                                  whole_.stop};
        code_.run(kernel_, part, 0, extents[0]);  // no table, no loop: no fault
    }

    int64_t offset(size_t operand, int64_t row) const {
        const int64_t* by = strides(operand);
        if (evenly_) return row * by[rank_ - 2];
        int64_t sum = 0;
        for (size_t axis = rank_ - 1; axis-- > 0; row /= whole_.extents[axis])
            sum += row % whole_.extents[axis] * by[axis];
        return sum;
    }

    const KernelSet& code_;
    int kernel_;
    const kernel::Launch& whole_;
    size_t rank_, operands_;
    bool evenly_ =
        true;  ///< rows are as far apart in all operands, from one matrix to the next too
};
}  // namespace

// What the first cache holds is finished as well by one launch after it; so are products too small
// for threads to share, whose epilogue may be large enough.
bool Executor::finishes_blocks(const ContractStep& step) const {
    constexpr int64_t least_of_matrix = 1 << 12, least = 1 << 13, least_work = 1 << 22;
    const TensorRef& out = at(step.output);
    if (!step.epilogue || (out.dtype != DType::Float32 && out.dtype != DType::Float64))
        return false;
    const int64_t count = element_count(out.shape), depth = at(step.inputs[0]).shape.back(),
                  matrix = out.shape[out.shape.size() - 2] * out.shape.back();
    return matrix >= least_of_matrix && count >= least && count * depth >= least_work;
}

void Executor::multiply(const ContractStep& step) {
    if (!step.epilogue) return multiply(step, nullptr);
    const KernelStep& kernel = step.epilogue->kernel;
    const Sizes extents = at(step.output).shape;
    if (!finishes_blocks(step)) {
        multiply(step, nullptr);
        return launch(kernel, extents);
    }
    with_launch(kernel, extents, [&](const kernel::Launch& whole) {
        const KernelOnBlocks blocks(*p_.code, kernel.kernel, whole, extents.size(),
                                    kernel.operands.size());
        multiply(step, &blocks);
    });
}

// The product alone, but for what `finish` does to it.
void Executor::multiply(const ContractStep& step, const Finish* finish) {
    const auto& inputs = step.inputs;
    const std::shared_ptr<const PackedOperand> kept = packed(step);
    if (step.op->kind<ContractCompute>()->kind == ContractCompute::Kind::MatMul) {
        matmul(at(inputs[0]), at(inputs[1]), nullptr, 1, 0, at(step.output), kept.get(), finish);
        return;
    }
    matmul(at(inputs[0]), at(inputs[1]), &at(inputs[2]), real_element(at(inputs[3])),
           real_element(at(inputs[4])), at(step.output), kept.get(), finish);
}

// That of the constant or argument which the operand is, or shows a part of: not a copy elsewhere.
uint64_t Executor::version_of(Id operand) const {
    Id source = operand;
    while (value(source).place == Place::View) source = value(source).source;
    const Value& whole = value(source);
    if (whole.place == Place::Constant)
        return extent_of(whole.constant).holds(at(operand).data) ? Packs::version_of_constants : 0;
    const auto& versions = s_.permissions.versions;
    if (whole.place != Place::Argument || versions.empty()) return 0;
    auto k = static_cast<size_t>(std::find(p_.inputs.begin(), p_.inputs.end(), source) -
                                 p_.inputs.begin());
    if (k >= versions.size() || versions[k] == 0) return 0;
    return extent_of(s_.arguments[k]).holds(at(operand).data) ? versions[k] : 0;
}

// What is there of the product's operand that is worth having packed.
std::shared_ptr<const PackedOperand> Executor::packed(const ContractStep& step) const {
    const Packable can = packable(at(step.inputs[0]), at(step.inputs[1]), at(step.output));
    if (can.operand == Packable::neither) return nullptr;
    const bool left = can.operand == Packable::a_transposed;
    const Id operand = step.inputs[left ? 0 : 1];
    const uint64_t version = version_of(operand);
    if (version == 0) return nullptr;
    return s_.packs->find({operand, left, version, at(operand)}, can.pays);
}

Frame& Executor::inner_frame(size_t which, const Program& program) {
    if (s_.inner.size() <= which) s_.inner.resize(which + 1);
    if (!s_.inner[which]) s_.inner[which] = std::make_unique<Frame>(program);
    return *s_.inner[which];
}

void Executor::step(const BranchStep& step) {
    const TensorRef& c = at(step.condition);
    bool taken = Array::view(c.dtype, c.shape, c.strides, c.data, nullptr).item<bool>();
    size_t which = 2 * branch_++ + (taken ? 0 : 1);
    const auto& program = taken ? *step.then_program : *step.else_program;
    std::vector<Array> arguments;
    for (Id id : taken ? step.then_inputs : step.else_inputs) {
        const TensorRef& r = at(id);
        arguments.push_back(Array::view(r.dtype, r.shape, r.strides, r.data, nullptr));
    }
    auto results = inner_frame(which, program).run(arguments);
    for (size_t i = 0; i < step.outputs.size(); ++i) {
        at(step.outputs[i]) = ref(results[i]);
        own(step.outputs[i], results[i].owner());
    }
}

// The message, then the expression and its line, then each operand with shape, name and line.
void Executor::fail_drawn(const Error& error, const Step& step) {
    bool broadcasts =
        error.kind() == ErrorKind::Shape && std::holds_alternative<KernelStep>(step.kind);
    fail_drawn(error, step.reads(), step.label, step.site, broadcasts);
}

void Executor::fail_drawn(const Error& error, std::span<const Id> shown, const std::string& label,
                          const Site& site, bool broadcasts) {
    if (error.kind() == ErrorKind::Interrupted || is_drawn(error.what())) throw error;
    std::vector<DrawnValue> values;
    std::set<Id> seen;
    for (Id id : shown) {
        const Value& v = value(id);
        if (!seen.insert(id).second) continue;
        values.push_back(drawn_shape(v.name.empty() ? cat("%", id) : v.name, v.type.dtype,
                                     at(id).shape, v.site));
    }
    throw Error(error.kind(), drawn(error.what(), values, label, site, broadcasts));
}

// --- frames -------------------------------------------------------------------------------------

Frame::Frame(const Program& program, std::shared_ptr<Packs> packs)
    : state_(std::make_unique<State>(program, std::move(packs))) {}
Frame::~Frame() = default;

std::vector<Array> Frame::run(std::span<const Array> arguments, Permissions permissions) {
    state_->arguments = arguments;
    state_->permissions = permissions;
    Executor executor(*state_);
    executor.run(*this);
    auto results = executor.results();
    executor.drop_large();
    return results;
}

void Frame::forget_packed() { state_->packs->forget_arguments(); }

int64_t Frame::held_bytes() const {
    int64_t total = 0;
    total += state_->workspace.capacity + state_->spare.capacity + state_->rows.capacity +
             state_->packs->bytes();
    for (const auto& slot : state_->slots) total += slot.capacity;
    for (const auto& frame : state_->inner)
        if (frame) total += frame->held_bytes();
    return total;
}

}  // namespace croton::runtime
