// Runs programs: the loop over steps, memory for outputs, and errors drawn with shapes.
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>

#include "croton/graph/drawn.hpp"
#include "croton/runtime/blas.hpp"
#include "croton/runtime/program.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::runtime {

bool (*interrupt_requested)() = nullptr;

namespace {
struct Buffer {
    std::shared_ptr<void> memory;
    int64_t capacity = 0;
};
}  // namespace

struct Frame::State {
    explicit State(const Program& p)
        : program(p),
          refs(p.values.size()),
          owners(p.values.size()),
          slots(static_cast<size_t>(p.slots)) {}
    const Program& program;
    std::vector<TensorRef> refs;
    std::vector<std::shared_ptr<const void>> owners;  // of Fresh values
    std::vector<Buffer> slots;
    std::span<const Array> arguments;  // of the running call
    Permissions permissions;
    std::vector<std::unique_ptr<Frame>> inner;  // of branches: then at 2 i, else at 2 i + 1
};

// Work below this many kernel iterations stays on one thread.
constexpr int64_t parallel_threshold = 1 << 15;

class Executor {
  public:
    explicit Executor(Frame::State& state) : s_(state), p_(state.program) {}

    void bind(std::span<const Array> arguments);
    void run(Frame& frame);
    std::vector<Array> results();

  private:
    TensorRef& at(Id id) { return s_.refs[static_cast<size_t>(id)]; }
    const Value& value(Id id) const { return p_.values[static_cast<size_t>(id)]; }
    std::vector<TensorRef> gather(const std::vector<Id>& ids);
    void make_output(Id id, const Sizes& shape);
    void* memory_for(Id id, int64_t bytes);
    bool take_argument(Id id, TensorRef& r);

    void timed(size_t number, std::vector<StepTiming>* timings, bool prepared);
    void prepare(const KernelStep& step, Sizes& extents);
    void step(const KernelStep& step);
    void step(const ViewStep& step);
    void step(const ExternStep& step);
    void prepare(const ExternStep& step);
    void run_call(const ExternStep& step);
    void check_promised(const ExternStep& step, size_t i, const Sizes& shape);
    void step(const ContractStep& step);
    void step(const BranchStep& step);

    void extents_of(const KernelStep& step, Sizes& extents);
    void extents_from_shape_op(const KernelStep& step, Sizes& extents);
    void launch(const KernelStep& step, const Sizes& extents);
    [[noreturn]] void fail_fault(const KernelStep& step, const kernel::Fault& fault);
    [[noreturn]] void fail_drawn(const Error& error, const Step& step);
    Frame& inner_frame(size_t which, const Program& program);
    Id root(Id id) const;
    std::shared_ptr<const void> argument_owner(Id id) const;

    Frame::State& s_;
    const Program& p_;
    size_t branch_ = 0;
};

void Executor::bind(std::span<const Array> arguments) {
    CROTON_ASSERT(arguments.size() == p_.inputs.size());
    for (size_t i = 0; i < arguments.size(); ++i) at(p_.inputs[i]) = ref(arguments[i]);
    for (size_t i = 0; i < p_.values.size(); ++i)
        if (p_.values[i].place == Place::Constant) s_.refs[i] = ref(p_.values[i].constant);
}

void Executor::run(Frame& frame) {
    for (auto& owner : s_.owners) owner.reset();  // of a call that failed
    size_t tail = std::min(p_.tail, p_.steps.size());
    auto begin = [&](size_t i, bool prepared) {
        if (interrupt_requested && !prepared && interrupt_requested())
            fail(ErrorKind::Interrupted, "interrupted before step ", i, " of ", p_.steps.size());
        timed(i, frame.timings, prepared);
        if (frame.after_step) frame.after_step(i, s_.refs);
    };
    for (size_t i = 0; i < tail; ++i) begin(i, false);
    for (size_t i = tail; i < p_.steps.size(); ++i) {
        Sizes unused;
        try {
            if (auto call = std::get_if<ExternStep>(&p_.steps[i].kind))
                prepare(*call);
            else
                prepare(std::get<KernelStep>(p_.steps[i].kind), unused);
        } catch (const Error& error) {
            fail_drawn(error, p_.steps[i]);
        }
    }
    for (size_t i = tail; i < p_.steps.size(); ++i) begin(i, true);
}

void Executor::timed(size_t number, std::vector<StepTiming>* timings, bool prepared) {
    using Clock = std::chrono::steady_clock;
    const Step& what = p_.steps[number];
    auto start = timings ? Clock::now() : Clock::time_point();
    try {
        if (auto call = std::get_if<ExternStep>(&what.kind); call && prepared) {
            run_call(*call);
        } else if (prepared) {
            const auto& kernel_step = std::get<KernelStep>(what.kind);
            Sizes extents;
            extents_of(kernel_step, extents);
            launch(kernel_step, extents);
        } else {
            std::visit([this](const auto& kind) { step(kind); }, what.kind);
        }
    } catch (const Error& error) {
        fail_drawn(error, what);
    }
    if (!timings) return;
    timings->resize(p_.steps.size());
    auto& timing = (*timings)[number];
    timing.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    ++timing.calls;
    timing.bytes = 0;
    for (Id id : what.writes())
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
        Id owner = root(id);
        bool first = std::find(given_away.begin(), given_away.end(), owner) == given_away.end();
        auto memory = s_.owners[static_cast<size_t>(owner)];
        if (size_t i = results.size(); !memory && i < borrow.size() && borrow[i])
            memory = argument_owner(owner);
        Array shown = Array::view(r.dtype, r.shape, r.strides, r.data, memory);
        results.push_back(memory && first ? std::move(shown) : shown.copy());
        given_away.push_back(owner);
    }
    for (auto& owner : s_.owners) owner.reset();
    return results;
}

std::vector<TensorRef> Executor::gather(const std::vector<Id>& ids) {
    std::vector<TensorRef> result;
    result.reserve(ids.size());
    for (Id id : ids) result.push_back(at(id));
    return result;
}

void* Executor::memory_for(Id id, int64_t bytes) {
    const Value& v = value(id);
    if (v.place == Place::Fresh) {
        auto memory = allocate_aligned(static_cast<size_t>(bytes));
        void* data = memory.get();
        s_.owners[static_cast<size_t>(id)] = std::move(memory);
        return data;
    }
    Buffer& buffer = s_.slots[static_cast<size_t>(v.slot)];
    if (buffer.capacity < bytes || !buffer.memory) {
        buffer.memory.reset();  // before the new one is there: the peak stays low
        buffer.capacity = 0;
        buffer.memory = allocate_aligned(static_cast<size_t>(bytes));
        buffer.capacity = bytes;
    }
    return buffer.memory.get();
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
    s_.owners[static_cast<size_t>(id)] = s_.arguments[k].owner();
    return true;
}

void Executor::make_output(Id id, const Sizes& shape) {
    TensorRef& r = at(id);
    r.dtype = value(id).type.dtype;
    int64_t bytes = byte_count(r.dtype, shape);
    r.shape = shape;
    r.strides = contiguous_strides(shape, dtype_size(r.dtype));
    if (take_argument(id, r)) return;
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

void Executor::extents_of(const KernelStep& step, Sizes& extents) {
    const auto& k = p_.kernels[static_cast<size_t>(step.kernel)];
    extents.resize(static_cast<size_t>(k.rank), 1);
    if (step.shape_op) extents_from_shape_op(step, extents);
    for (size_t i = 0; i < step.operands.size(); ++i) {
        if (k.operands[i].kind != kernel::OperandKind::In) continue;
        const TensorRef& r = at(step.operands[i]);
        for (size_t axis = 0; axis < extents.size(); ++axis)
            if (int own = step.maps[i][axis]; own >= 0)
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
    const auto& k = p_.kernels[static_cast<size_t>(step.kernel)];
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

void Executor::launch(const KernelStep& step, const Sizes& extents) {
    const auto& k = p_.kernels[static_cast<size_t>(step.kernel)];
    size_t count = step.operands.size();
    SmallVector<void*, 12> pointers(count, nullptr);
    SmallVector<const int64_t*, 12> strides(count, nullptr), sizes(count, nullptr);
    SmallVector<int64_t, 48> own(count * extents.size(), 0);
    for (size_t i = 0; i < count; ++i) {
        const TensorRef& r = at(step.operands[i]);
        pointers[i] = r.data;
        int64_t* mine = own.data() + i * extents.size();
        strides[i] = mine;
        sizes[i] = r.shape.data();
        switch (k.operands[i].kind) {
            case kernel::OperandKind::Table: strides[i] = r.strides.data(); break;
            case kernel::OperandKind::In:
                for (size_t axis = 0; axis < extents.size(); ++axis)
                    if (int a = step.maps[i][axis]; a >= 0 && r.shape[static_cast<size_t>(a)] != 1)
                        mine[axis] = r.strides[static_cast<size_t>(a)];
                break;
            case kernel::OperandKind::Out:
                for (size_t a = 0; a < step.maps[i].size(); ++a)
                    if (step.maps[i][a] >= 0) mine[step.maps[i][a]] = r.strides[a];
                break;
        }
    }
    kernel::Launch what{extents.data(), pointers.data(), strides.data(), sizes.data()};
    int64_t total = element_count(extents), first = extents.empty() ? 1 : extents[0];
    if (!step.splittable || total < parallel_threshold || first < 2) {
        auto fault = p_.code->run(step.kernel, what, 0, first);
        if (fault.operand >= 0) fail_fault(step, fault);
        return;
    }
    std::mutex mutex;
    kernel::Fault worst;
    parallel_for(first, std::max<int64_t>(1, first * parallel_threshold / total / 2),
                 [&](int64_t begin, int64_t end) {
                     auto fault = p_.code->run(step.kernel, what, begin, end);
                     if (fault.operand < 0) return;
                     std::lock_guard lock(mutex);
                     worst = fault;
                 });
    if (worst.operand >= 0) fail_fault(step, worst);
}

void Executor::fail_fault(const KernelStep& step, const kernel::Fault& fault) {
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
        Array::view(out.dtype, out.shape, out.strides, out.data, nullptr)
            .assign(Array::view(shown.dtype, shown.shape, shown.strides, shown.data, nullptr));
        return;
    }
    Array source =
        Array::view(inputs[0].dtype, inputs[0].shape, inputs[0].strides, inputs[0].data, nullptr);
    Array packed = source.copy();
    inputs[0] = ref(packed);
    out.data = packed.data();
    CROTON_ASSERT(compute->view(attrs, inputs, out));
    s_.owners[static_cast<size_t>(step.output)] = packed.owner();
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

// Memory for the results, and whatever can be told to be wrong before they are written.
void Executor::prepare(const ExternStep& step) {
    auto inputs = gather(step.inputs);
    ExternCompute code = host_code(*step.op);
    AttrView attrs{*step.op, step.attrs.get()};
    std::vector<Sizes> shapes(step.outputs.size());
    code.shape(attrs, inputs, shapes);
    for (size_t i = 0; i < shapes.size(); ++i) make_output(step.outputs[i], shapes[i]);
    code.check(attrs, inputs);
}

void Executor::step(const ExternStep& step) {
    ExternCompute code = host_code(*step.op);
    if (code.shape) {
        auto inputs = gather(step.inputs);
        std::vector<Sizes> shapes(step.outputs.size());
        code.shape({*step.op, step.attrs.get()}, inputs, shapes);
        for (size_t i = 0; i < shapes.size(); ++i) make_output(step.outputs[i], shapes[i]);
    }
    run_call(step);
}

void Executor::run_call(const ExternStep& step) {
    auto inputs = gather(step.inputs);
    ExternCompute code = host_code(*step.op);
    AttrView attrs{*step.op, step.attrs.get()};
    std::vector<TensorRef> outputs = gather(step.outputs);
    for (size_t i = 0; i < outputs.size(); ++i)  // known before the sizes are
        outputs[i].dtype = value(step.outputs[i]).type.dtype;
    ExternCall call{attrs, inputs, outputs, [&](size_t i, const Sizes& shape) {
                        check_promised(step, i, shape);
                        make_output(step.outputs[i], shape);
                        outputs[i] = at(step.outputs[i]);
                    }};
    code.run(call);
}

void Executor::step(const ContractStep& step) {
    auto inputs = gather(step.inputs);
    const auto* compute = step.op->kind<ContractCompute>();
    Sizes shape;
    compute->shape({*step.op, step.attrs.get()}, inputs, {&shape, 1});
    make_output(step.output, shape);
    if (compute->kind == ContractCompute::Kind::MatMul) {
        matmul(inputs[0], inputs[1], nullptr, 1, 0, at(step.output));
        return;
    }
    auto number = [](const TensorRef& r) {
        return Array::view(r.dtype, r.shape, r.strides, r.data, nullptr).item<double>();
    };
    matmul(inputs[0], inputs[1], &inputs[2], number(inputs[3]), number(inputs[4]), at(step.output));
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
        s_.owners[static_cast<size_t>(step.outputs[i])] = results[i].owner();
    }
}

// The message, then the expression and its line, then each operand with shape, name and line.
void Executor::fail_drawn(const Error& error, const Step& step) {
    if (error.kind() == ErrorKind::Interrupted || is_drawn(error.what())) throw error;
    std::vector<DrawnValue> values;
    std::set<Id> seen;
    for (Id id : step.reads()) {
        const Value& v = value(id);
        if (!seen.insert(id).second) continue;
        values.push_back(drawn_shape(v.name.empty() ? cat("%", id) : v.name, v.type.dtype,
                                     at(id).shape, v.site));
    }
    bool broadcast =
        error.kind() == ErrorKind::Shape && std::holds_alternative<KernelStep>(step.kind);
    throw Error(error.kind(), drawn(error.what(), values, step.label, step.site, broadcast));
}

// --- frames -------------------------------------------------------------------------------------

Frame::Frame(const Program& program) : state_(std::make_unique<State>(program)) {}
Frame::~Frame() = default;

std::vector<Array> Frame::run(std::span<const Array> arguments, Permissions permissions) {
    state_->arguments = arguments;
    state_->permissions = permissions;
    Executor executor(*state_);
    executor.bind(arguments);
    executor.run(*this);
    return executor.results();
}

int64_t Frame::held_bytes() const {
    int64_t total = 0;
    for (const auto& slot : state_->slots) total += slot.capacity;
    for (const auto& frame : state_->inner)
        if (frame) total += frame->held_bytes();
    return total;
}

}  // namespace croton::runtime
