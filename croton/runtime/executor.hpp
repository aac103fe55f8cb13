#pragma once
// Inside of the runtime: what a running call works with. executor.cpp runs steps from their
// descriptions (loop.cpp those that repeat others, prologue.cpp host code that a kernel feeds),
// replay.cpp from what an earlier call of the same shapes left ready.
#include "croton/runtime/blas.hpp"
#include "croton/runtime/packs.hpp"
#include "croton/runtime/program.hpp"
#include "croton/runtime/replay.hpp"

namespace croton::runtime {

struct Buffer {
    std::shared_ptr<void> memory;
    int64_t capacity = 0;
    int64_t wanted = 0;  ///< at most, since a call last began from the descriptions

    void make_room(int64_t bytes);
    bool half_empty() const { return capacity > small_buffer && wanted <= capacity / 2; }
    /// What has no more bytes stays as large as it has ever been.
    static constexpr int64_t small_buffer = 16 << 20;
};

struct Frame::State {
    State(const Program& program, std::shared_ptr<Packs> packs);
    const Program& program;
    std::vector<TensorRef> refs;                      // of calls that are not replayed
    std::vector<std::shared_ptr<const void>> owners;  // of Fresh values and of packed views
    std::vector<Id> owned;                            // values that have an owner now
    std::vector<Buffer> slots;                        // of calls that are not replayed
    Buffer workspace;                                 // of those that are
    Buffer spare;  // of what would lie in results' memory, where that is the caller's
    Buffer rows;   // of the prologue that runs
    std::span<const Array> arguments;  // of the running call
    Permissions permissions;
    std::vector<std::unique_ptr<Frame>> inner;  // of branches: then at 2 i, else at 2 i + 1
    std::vector<TensorRef> inputs, outputs;     // of the step that runs
    std::vector<Sizes> shapes;                  // of its results
    Replays replays;
    std::vector<int> kernel_costs;  // of an iteration of each kernel; 0: not asked for yet
    std::shared_ptr<Packs> packs;
};

/// Index error for a negative number of steps of a loop; Shape error for a sequence that has not
/// one position a step.
void check_steps(int64_t steps);
void check_sequence(const std::string& name, int64_t positions, int64_t steps);

/// Hands interrupt_requested on to kernels, for good.
kernel::Stop& interrupts();

/// Work below this many kernel iterations stays on one thread, if each of them is cheap.
constexpr int64_t parallel_threshold = 1 << 15;
/// Additions (kernel/cost.hpp) that take some five microseconds: enough for a thread that is awake.
constexpr int64_t parallel_cost = 1 << 19;

class Executor {
  public:
    explicit Executor(Frame::State& state)
        : s_(state), p_(state.program), refs_(state.refs.data()) {}

    void run(Frame& frame);
    std::vector<Array> results();
    /// Gives up memory that a call found half empty or will not need again; after its results are
    /// taken.
    void drop_large();

  private:
    friend class Recorder;
    friend class KernelRows;

    TensorRef& at(Id id) { return refs_[static_cast<size_t>(id)]; }
    const TensorRef& at(Id id) const { return refs_[static_cast<size_t>(id)]; }
    const Value& value(Id id) const { return p_.values[static_cast<size_t>(id)]; }
    const kernel::Kernel& kernel_of(const KernelStep& step) const {
        return p_.kernels[static_cast<size_t>(step.kernel)];
    }
    std::span<TensorRef> gather(const std::vector<Id>& ids);
    void make_output(Id id, const Sizes& shape);
    void* memory_for(Id id, int64_t bytes);
    void* slot_memory(int slot, int64_t bytes);
    void* workspace(int64_t bytes);
    char* spare(int64_t bytes);
    bool take_argument(Id id, TensorRef& r);
    bool take_destination(Id id, TensorRef& r);
    std::optional<size_t> misfit(std::span<const TensorRef> refs) const;
    void check_destinations();
    void deliver(size_t output, const TensorRef& r);
    std::string name_of_result(size_t output) const;
    void own(Id id, std::shared_ptr<const void> owner);
    void release_owners();

    void bind();
    void run_steps(Frame& frame, size_t first, Recorder* recorder);
    void timed(size_t number, std::vector<StepTiming>* timings, bool prepared);
    void count_time(size_t number, std::vector<StepTiming>& timings, double seconds);
    void run_prepared(const StepKind& kind);
    void prepare(const KernelStep& step, Sizes& extents);
    void step(const KernelStep& step);
    void step(const ViewStep& step);
    void pack(const ViewStep& step);
    void step(const ExternStep& step);
    void make_results(const ExternStep& step, const ExternCompute& code);
    void prepare(const ExternStep& step);
    void run_call(const ExternStep& step);
    void run_call(const ExternStep& step, RowSource* source);
    void size_rows(const Prologue& prologue);
    Sizes extents_of(const Prologue& prologue) const;
    bool comes_by_rows(const ExternStep& step) const;
    int64_t rows_at_once(const Prologue& prologue) const;
    void run_by_rows(const ExternStep& step);
    void check_promised(const ExternStep& step, size_t i, const Sizes& shape);
    void prepare(const ContractStep& step);
    void prepare_results(const Epilogue& epilogue, Id product);
    void step(const ContractStep& step);
    void multiply(const ContractStep& step);
    void multiply(const ContractStep& step, const Finish* finish);
    bool finishes_blocks(const ContractStep& step) const;
    std::shared_ptr<const PackedOperand> packed(const ContractStep& step) const;
    uint64_t version_of(Id operand) const;
    void step(const BranchStep& step);
    void step(const LoopStep& step);  // in loop.cpp

    void extents_of(const KernelStep& step, Sizes& extents);
    void extents_from_shape_op(const KernelStep& step, Sizes& extents);
    void extents_from_steps(const KernelStep& step, Sizes& extents);
    int64_t cost_of(const KernelStep& step, const Sizes& extents) const;
    bool for_threads(const KernelStep& step, const Sizes& extents) const {
        return step.splittable && extents[0] > 1 &&
               (element_count(extents) >= parallel_threshold ||
                cost_of(step, extents) >= parallel_cost);
    }
    template <class Use>
    auto with_launch(const KernelStep& step, const Sizes& extents, Use use);
    void launch(const KernelStep& step, const Sizes& extents);
    kernel::Fault run_pieces(const KernelStep& step, kernel::Launch what, const Sizes& extents);
    [[noreturn]] void fail_fault(const KernelStep& step, const kernel::Fault& fault);
    [[noreturn]] void fail_drawn(const Error& error, const Step& step);
    [[noreturn]] void fail_drawn(const Error& error, std::span<const Id> shown,
                                 const std::string& label, const Site& site, bool broadcasts);
    Frame& inner_frame(size_t which, const Program& program);
    Id root(Id id) const;
    std::shared_ptr<const void> argument_owner(Id id) const;

    // --- replay.cpp
    void replay(Frame& frame, Recording& recording);
    void place_memory(Recording& recording);
    bool act(const Action& action, Recording& recording);
    bool as_recorded(const Action& action, Recording& recording);
    void leave(Frame& frame, Recording& recording, const Action& action);

    Frame::State& s_;
    const Program& p_;
    TensorRef* refs_;
    size_t branch_ = 0;
    bool whole_ = false;     ///< all steps have run from their descriptions
    bool recorded_ = false;  ///< this call left a recording
    bool replays_ = false;   ///< sizes are as recorded
};

// Calls use(kernel::Launch) with what it points to on the stack.
template <class Use>
auto Executor::with_launch(const KernelStep& step, const Sizes& extents, Use use) {
    const auto& k = kernel_of(step);
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
    return use(kernel::Launch{extents.data(), pointers.data(), strides.data(), sizes.data(),
                              &interrupts()});
}

}  // namespace croton::runtime
