// Loops: the step that runs a program again and again.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "croton/graph/drawn.hpp"
#include "croton/graph/elements.hpp"
#include "croton/runtime/executor.hpp"
#include "croton/runtime/threads.hpp"

namespace croton::runtime {

namespace {
Array view_of(const TensorRef& r) {
    return Array::view(r.dtype, r.shape, r.strides, r.data, nullptr);
}

Sizes with_front(int64_t count, const Sizes& shape) {
    Sizes all{count};
    for (int64_t size : shape) all.push_back(size);
    return all;
}

char* row(const Array& stack, int64_t i) {
    return static_cast<char*>(stack.data()) + i * stack.strides()[0];
}

constexpr int64_t first_rows = 64;        // of stacks of loops that may stop early
constexpr int64_t interrupt_every = 256;  // steps
}  // namespace

void check_steps(int64_t steps) {
    if (steps < 0) fail(ErrorKind::Value, "a loop was asked to run ", steps, " steps");
}

void check_sequence(const std::string& name, int64_t positions, int64_t steps) {
    if (positions == steps) return;
    fail(ErrorKind::Shape, "a loop of ", steps, " steps reads ",
         name.empty() ? std::string("a sequence") : cat("'", name, "'"), ", which has ", positions,
         " positions along its first axis");
}

/// One run of a loop. States lie in rows of their traces, or in buffers that take turns.
class LoopRun {
  public:
    LoopRun(const LoopStep& step, Frame& frame, std::vector<TensorRef> inputs)
        : step_(step), body_(*step.body), frame_(frame), inputs_(std::move(inputs)) {}

    /// Final states or traces, stacks, and the number of steps done if the loop may stop.
    std::vector<Array> run() {
        begin();
        while (done_ < count_ && !stopped_) {
            if (done_ % interrupt_every == 0 && interrupt_requested && interrupt_requested())
                fail(ErrorKind::Interrupted, "interrupted in ", this_step());
            if (done_ % rouse_every == 1)
                take_step_and_rouse();
            else
                take_step();
        }
        if (done_ == 0) learn_stacks();
        frame_.forget_packed();
        return results();
    }

  private:
    /// Memory for a state that is not traced; free once no state lies in it.
    struct Buffer {
        Array memory;
        bool used = false;
    };

    size_t states() const { return static_cast<size_t>(step_.states); }
    size_t elements() const { return static_cast<size_t>(step_.sequences); }
    size_t stacks() const { return body_.outputs.size() - states() - (step_.until ? 1 : 0); }

    void begin() {
        count_ = inputs_[0].integer();
        check_steps(count_);
        for (size_t i = 1; i < inputs_.size(); ++i) arguments_.push_back(view_of(inputs_[i]));
        sequences_.assign(arguments_.begin() + long(states()),
                          arguments_.begin() + long(states() + elements()));
        for (size_t j = 0; j < elements(); ++j) {
            const Array& sequence = sequences_[j];
            check_sequence(step_.names[1 + states() + j], sequence.shape(0), count_);
            Sizes shape(sequence.shape().begin() + 1, sequence.shape().end()),
                strides(sequence.strides().begin() + 1, sequence.strides().end());
            arguments_[states() + j] =
                Array::view(sequence.dtype(), shape, strides, sequence.data(), nullptr);
        }
        versions_.resize(arguments_.size(), new_version());
        std::fill_n(versions_.begin(), states() + elements(), 0);
        into_.resize(body_.outputs.size());
        buffers_.resize(states());
        for (size_t i = 0; i < states(); ++i) {
            Array& initial = arguments_[i];
            traces_.emplace_back(Array::view(initial.dtype(), {}, {}, nullptr, nullptr));
            into_[i] = {initial.dtype(), initial.shape(),
                        contiguous_strides(initial.shape(), dtype_size(initial.dtype())), nullptr};
            if (!step_.traced[i]) continue;
            traces_[i] = Array::empty(initial.dtype(), with_front(1 + rows(), initial.shape()));
            Array first = Array::view(initial.dtype(), initial.shape(), into_[i].strides,
                                      traces_[i].data(), nullptr);
            first.assign(initial);
            initial = std::move(first);
        }
        stacks_.assign(stacks(), Array::view(DType::Bool, {}, {}, nullptr, nullptr));
    }

    std::string this_step() const {
        bool open = count_ == std::numeric_limits<int64_t>::max();  // as many as it takes
        return open ? cat("step ", done_) : cat("step ", done_, " of ", count_);
    }

    // Steps that take a while have work to share, though none of it may be worth waking a thread
    // for. Workers that were kept from it for a moment have gone to sleep since.
    void take_step_and_rouse() {
        using Clock = std::chrono::steady_clock;
        const auto start = Clock::now();
        take_step();
        constexpr auto a_while = std::chrono::microseconds(10);
        if (Clock::now() - start >= a_while && count_ - done_ >= rouse_every / 2) rouse_workers();
    }
    static constexpr int64_t rouse_every = 16;

    int64_t rows() const { return step_.until ? std::min(count_, first_rows) : count_; }

    void take_step() {
        for (size_t j = 0; j < elements(); ++j) move(arguments_[states() + j], sequences_[j]);
        for (size_t i = 0; i < states(); ++i) into_[i].data = place_for(i);
        for (size_t j = 0; j < stacks() && done_ > 0; ++j)
            into_[states() + j].data = row(room(stacks_[j], done_ + 1), stack_row(j));
        std::vector<Array> made;
        try {
            made = frame_.run(
                arguments_,
                {.into = into_, .into_names = step_.result_names, .versions = versions_});
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::Interrupted) throw;
            throw Error(error.kind(),
                        cat("in ", this_step(), " of ", body_.name, ": ", error.what()));
        }
        if (done_ == 0) begin_stacks(made);
        if (step_.until) stopped_ = made.back().item<bool>();
        turn();
        ++done_;
    }

    // The element of this step.
    void move(Array& element, const Array& sequence) const {
        element = Array::view(element.dtype(), element.shape(), element.strides(),
                              row(sequence, done_), nullptr);
    }

    // States that are handed on as they are (older taps) need no memory: they change places.
    int passed_on(size_t i) const { return step_.passed_on[i]; }

    void* place_for(size_t i) {
        if (step_.traced[i]) return row(room(traces_[i], done_ + 2), done_ + 1);
        if (int from = passed_on(i); from >= 0) return arguments_[static_cast<size_t>(from)].data();
        return buffer_for(i);
    }

    void* buffer_for(size_t i) {
        for (Buffer& buffer : buffers_[i])
            if (!in_use(buffer.memory.data())) return buffer.memory.data();
        const TensorRef& like = into_[i];
        buffers_[i].push_back({Array::empty(like.dtype, like.shape)});
        return buffers_[i].back().memory.data();
    }

    bool in_use(const void* data) const {
        for (size_t i = 0; i < states(); ++i)
            if (arguments_[i].data() == data) return true;
        return false;
    }

    void begin_stacks(const std::vector<Array>& made) {
        for (size_t j = 0; j < stacks(); ++j) {
            const Array& first = made[states() + j];
            stacks_[j] = Array::empty(first.dtype(), with_front(rows(), first.shape()));
            into_[states() + j] = {first.dtype(), first.shape(),
                                   contiguous_strides(first.shape(), dtype_size(first.dtype())),
                                   stacks_[j].data()};
            if (count_ == 0) continue;  // there is no row to fill
            Array::view(first.dtype(), first.shape(), into_[states() + j].strides,
                        row(stacks_[j], stack_row(j)), nullptr)
                .assign(first);
        }
    }

    // A loop that reads from the end fills its stacks from the end.
    bool backwards(size_t j) const { return step_.backwards[j] && count_ > 0; }
    int64_t stack_row(size_t j) const { return backwards(j) ? count_ - 1 - done_ : done_; }

    // What the step made is what the next one reads.
    void turn() {
        std::vector<Array>& next = next_states_;
        next.clear();
        for (size_t i = 0; i < states(); ++i) {
            const TensorRef& made = into_[i];
            if (int from = passed_on(i); from >= 0 && !step_.traced[i])
                next.push_back(arguments_[static_cast<size_t>(from)]);
            else
                next.push_back(
                    Array::view(made.dtype, made.shape, made.strides, made.data, nullptr));
        }
        std::move(next.begin(), next.end(), arguments_.begin());
    }

    // Room for so many rows: loops that may stop begin with few.
    Array& room(Array& stack, int64_t wanted) {
        if (stack.shape(0) >= wanted) return stack;
        Sizes shape = stack.shape();
        shape[0] = std::max(wanted, 2 * shape[0]);
        Array larger = Array::empty(stack.dtype(), shape);
        std::memcpy(larger.data(), stack.data(), static_cast<size_t>(stack.nbytes()));
        auto from = static_cast<char*>(stack.data());
        for (size_t i = 0; i < states(); ++i) {  // states lie in traces, older ones too
            Array& state = arguments_[i];
            std::ptrdiff_t offset = static_cast<char*>(state.data()) - from;
            if (offset < 0 || offset >= stack.nbytes()) continue;
            state = Array::view(state.dtype(), state.shape(), state.strides(),
                                static_cast<char*>(larger.data()) + offset, nullptr);
        }
        stack = std::move(larger);
        return stack;
    }

    // A loop of no steps: sizes of what would be stacked come from types, or from a body that runs
    // over zeros.
    void learn_stacks() {
        if (stacks() == 0) return;
        for (size_t j = 0; j < elements(); ++j) {
            Array& element = arguments_[states() + j];
            element = Array::zeros(element.dtype(), element.shape());
        }
        for (TensorRef& place : into_) place.data = nullptr;
        begin_stacks(frame_.run(arguments_));
    }

    std::vector<Array> results() {
        std::vector<Array> made;
        for (size_t i = 0; i < states(); ++i)
            made.push_back(step_.traced[i] ? front(traces_[i], done_ + 1) : final_state(i));
        for (size_t j = 0; j < stacks(); ++j)
            made.push_back(backwards(j) ? turned(stacks_[j]) : front(stacks_[j], done_));
        if (step_.until) made.push_back(Array::scalar(done_));
        return made;
    }

    static Array turned(const Array& stack) {
        Sizes strides = stack.strides();
        strides[0] = -strides[0];
        return Array::view(stack.dtype(), stack.shape(), strides, row(stack, stack.shape(0) - 1),
                           stack.owner());
    }

    static Array front(const Array& stack, int64_t rows) {
        Sizes shape = stack.shape();
        shape[0] = rows;
        return Array::view(stack.dtype(), shape, stack.strides(), stack.data(), stack.owner());
    }

    // A state in a buffer of its own is given away; any other is copied.
    Array final_state(size_t i) {
        const Array& state = arguments_[i];
        for (auto& list : buffers_)
            for (Buffer& buffer : list)
                if (buffer.memory.data() == state.data() && !buffer.used) {
                    buffer.used = true;
                    return Array::view(state.dtype(), state.shape(), state.strides(), state.data(),
                                       buffer.memory.owner());
                }
        return state.copy();
    }

    const LoopStep& step_;
    const Program& body_;
    Frame& frame_;
    std::vector<TensorRef> inputs_;
    std::vector<Array> arguments_, next_states_;  ///< of the body
    std::vector<Array> sequences_, traces_, stacks_;
    std::vector<uint64_t> versions_;            ///< of arguments_: one for this run's constants
    std::vector<std::vector<Buffer>> buffers_;  ///< of each state
    std::vector<TensorRef> into_;               ///< where the body leaves its results
    int64_t count_ = 0, done_ = 0;
    bool stopped_ = false;
};

void Executor::step(const LoopStep& step) {
    size_t which = 2 * branch_++;
    auto inputs = gather(step.inputs);
    LoopRun run(step, inner_frame(which, *step.body),
                std::vector<TensorRef>(inputs.begin(), inputs.end()));
    std::vector<Array> made = run.run();
    for (size_t i = 0; i < made.size(); ++i) {
        at(step.outputs[i]) = ref(made[i]);
        own(step.outputs[i], made[i].owner());
    }
}

}  // namespace croton::runtime
