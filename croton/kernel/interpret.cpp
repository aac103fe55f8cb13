#include "croton/kernel/interpret.hpp"

#include <cstring>

#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/kernel/folds.hpp"
#include "croton/kernel/scalar.hpp"

namespace croton::kernel {

namespace {

/// The state of one run: where the loops are and what has been computed.
struct Machine {
    const Kernel& kernel;
    const Launch& launch;
    std::vector<Slot> values;
    std::vector<char*> places;  ///< per operand: its element at the current index
    Sizes index;
    Fault fault;
};

struct Step {
    void (*run)(Machine&, const Step&);
    const Instruction* what;
    size_t result, a, b, c;  ///< value ids; 0 where there is none
};
using Action = decltype(Step::run);

// --- sources, stores and conversions

// Inside kernels there is no 16-bit float.
template <class T>
using Computed = std::conditional_t<detail::is_half_type<T>, float, T>;

template <class T>
Computed<T> read(const char* place) {
    if constexpr (std::is_same_v<T, bool>) {
        return *place != 0;  // foreign memory may hold any byte
    } else {
        T stored;
        std::memcpy(&stored, place, sizeof stored);
        return convert_number<Computed<T>>(stored);
    }
}

template <class T>
void load(Machine& m, const Step& s) {
    m.values[s.result].set(read<T>(m.places[static_cast<size_t>(s.what->operand)]));
}

template <class T>
void store(Machine& m, const Step& s) {
    auto value = convert_number<T>(m.values[s.a].get<Computed<T>>());
    std::memcpy(m.places[static_cast<size_t>(s.what->operand)], &value, sizeof value);
}

template <class T>
void load_at(Machine& m, const Step& s) {
    auto operand = static_cast<size_t>(s.what->operand);
    const char* place = m.places[operand];
    for (size_t axis = 0; axis < s.what->arguments.size(); ++axis) {
        auto at = m.values[static_cast<size_t>(s.what->arguments[axis])].get<int64_t>();
        int64_t size = m.launch.sizes[operand][axis];
        if (at < 0 || at >= size) {
            if (m.fault.operand < 0 && at != nowhere)
                m.fault = {static_cast<int>(operand), static_cast<int>(axis), at, size};
            m.values[s.result].set(Computed<T>());
            return;
        }
        place += at * m.launch.strides[operand][axis];
    }
    m.values[s.result].set(read<T>(place));
}

void read_index(Machine& m, const Step& s) {
    m.values[s.result].set(m.index[static_cast<size_t>(s.what->axis)]);
}
void read_extent(Machine& m, const Step& s) {
    m.values[s.result].set(m.launch.extents[s.what->axis]);
}
void read_size(Machine& m, const Step& s) {
    m.values[s.result].set(m.launch.sizes[s.what->operand][s.what->axis]);
}
void copy_bits(Machine& m, const Step& s) { m.values[s.result] = m.values[s.a]; }

template <class To, class From>
void cast(Machine& m, const Step& s) {
    m.values[s.result].set(convert_number<To>(m.values[s.a].get<From>()));
}

// --- the opcodes of scalar.hpp

template <class T, auto f>
void unary(Machine& m, const Step& s) {
    m.values[s.result].set(f(m.values[s.a].get<T>()));
}
template <class T, auto f>
void binary(Machine& m, const Step& s) {
    m.values[s.result].set(f(m.values[s.a].get<T>(), m.values[s.b].get<T>()));
}
template <class T>
void select(Machine& m, const Step& s) {
    m.values[s.result] = m.values[m.values[s.a].get<bool>() ? s.b : s.c];
}

/// Null where the opcode does not take T.
template <class T>
Action computation(OpCode op) {
    switch (op) {
#define CROTON_CASE_1(name)                                       \
    case OpCode::name##_:                                         \
        if constexpr (requires(T x) { scalar::name(x); })         \
            return unary<T, [](T x) { return scalar::name(x); }>; \
        break;
#define CROTON_CASE_2(name)                                                \
    case OpCode::name##_:                                                  \
        if constexpr (requires(T x) { scalar::name(x, x); })               \
            return binary<T, [](T x, T y) { return scalar::name(x, y); }>; \
        break;
#define CROTON_OPCODE(name, arguments, typing) CROTON_CASE_##typing(name, arguments)
#define CROTON_CASE_same(name, arguments) CROTON_CASE_##arguments(name)
#define CROTON_CASE_boolean(name, arguments) CROTON_CASE_##arguments(name)
#define CROTON_CASE_real(name, arguments) CROTON_CASE_##arguments(name)
#define CROTON_CASE_paired(name, arguments) CROTON_CASE_##arguments(name)
#define CROTON_CASE_chosen(name, arguments) \
    case OpCode::name##_: break;
#define CROTON_CASE_select(name, arguments)             \
    case OpCode::name##_:                               \
        if constexpr (scalar::Any<T>) return select<T>; \
        break;
#include "croton/kernel/opcodes.def"
    }
    return nullptr;
}

// --- loops

/// Moves the current index along one axis, and every strided operand's place with it.
void move(Machine& m, size_t axis, int64_t by) {
    m.index[axis] += by;
    for (size_t k = 0; k < m.places.size(); ++k)
        if (m.kernel.operands[k].kind != OperandKind::Table)
            m.places[k] += by * m.launch.strides[k][axis];
}

constexpr int64_t ask_every = 1024;  // indices of a loop: whether to stop

/// Calls body() at each index of axes [first, last) in C order, axis 0 limited to [begin, end),
/// until the launch is stopped.
template <class Body>
void walk(Machine& m, int first, int last, int64_t begin, int64_t end, Body body) {
    auto from = static_cast<size_t>(first), to = static_cast<size_t>(last);
    auto lower = [&](size_t axis) { return axis == 0 ? begin : 0; };
    auto upper = [&](size_t axis) { return axis == 0 ? end : m.launch.extents[axis]; };
    for (size_t axis = from; axis < to; ++axis)
        if (lower(axis) >= upper(axis)) return;
    for (size_t axis = from; axis < to; ++axis) move(m, axis, lower(axis));
    for (;;) {
        body();
        if (m.fault.stopped) return;
        size_t axis = to;
        while (axis > from && m.index[axis - 1] + 1 == upper(axis - 1)) {
            --axis;
            move(m, axis, lower(axis) - m.index[axis]);
        }
        if (axis == from) break;
        move(m, axis - 1, 1);
    }
    for (size_t axis = from; axis < to; ++axis) move(m, axis, -m.index[axis]);
}

}  // namespace

struct Interpreter::Decoded {
    struct Part {
        std::vector<Step> steps;
        std::vector<Fold> folds;
        std::vector<Fold> across;
        std::vector<Instruction> stores;  ///< what folds across come down to, and where
        std::vector<Step> ends;
    };
    std::vector<Slot> initial;  ///< all values, constants already in place
    std::vector<Part> parts;    ///< one a section
    std::vector<size_t> kept;   ///< values that later inner sections use
};

namespace {

Action decode(const Kernel& kernel, const Instruction& i, const std::vector<DType>& dtypes) {
    auto argument = [&](size_t n) { return dtypes[static_cast<size_t>(i.arguments[n])]; };
    auto stored = [&] { return kernel.operands[static_cast<size_t>(i.operand)].dtype; };
    switch (i.op) {
        case OpCode::index_: return read_index;
        case OpCode::extent_: return read_extent;
        case OpCode::size_: return read_size;
        case OpCode::bitcast_: return copy_bits;
        case OpCode::load_:
            return visit_dtype(stored(), [](auto t) -> Action { return load<decltype(t)>; });
        case OpCode::load_at_:
            return visit_dtype(stored(), [](auto t) -> Action { return load_at<decltype(t)>; });
        case OpCode::store_:
            return visit_dtype(stored(), [](auto t) -> Action { return store<decltype(t)>; });
        case OpCode::cast_:
            return visit_dtype(i.dtype, [&](auto to) -> Action {
                return visit_dtype(argument(0), [](auto from) -> Action {
                    return cast<decltype(to), decltype(from)>;
                });
            });
        default: break;
    }
    DType dtype = argument(info(i.op).typing == Typing::select ? 1 : 0);
    return visit_dtype(dtype, [&](auto t) { return computation<decltype(t)>(i.op); });
}

Step step_of(const Kernel& kernel, const Instruction& i, const std::vector<DType>& dtypes) {
    Step step{decode(kernel, i, dtypes), &i, static_cast<size_t>(std::max(i.result, 0)), 0, 0, 0};
    size_t* places[] = {&step.a, &step.b, &step.c};
    for (size_t n = 0; n < i.arguments.size() && n < 3; ++n)
        *places[n] = static_cast<size_t>(i.arguments[n]);
    return step;
}

}  // namespace

bool takes(OpCode op, DType dtype) {
    return visit_dtype(dtype, [&](auto t) { return computation<decltype(t)>(op) != nullptr; });
}

Interpreter::Interpreter(Kernel kernel) : kernel_(std::move(kernel)) {
    verify(kernel_);
    auto decoded = std::make_unique<Decoded>();
    decoded->initial.resize(static_cast<size_t>(kernel_.values));
    auto kept = kept_values(kernel_);
    for (size_t id = 0; id < kept.size(); ++id)
        if (kept[id]) decoded->kept.push_back(id);
    auto dtypes = value_dtypes(kernel_);
    for (const auto& section : kernel_.sections) {
        auto& part = decoded->parts.emplace_back();
        for (const auto& i : section.body)
            if (i.op == OpCode::constant_)
                decoded->initial[static_cast<size_t>(i.result)] = constant_of(i);
            else
                part.steps.push_back(step_of(kernel_, i, dtypes));
        for (const auto& a : section.accumulators)
            part.folds.push_back(fold_of(a.combine, dtypes[static_cast<size_t>(a.value)]));
        for (const auto& a : section.across) {
            part.across.push_back(fold_of(a.combine, dtypes[static_cast<size_t>(a.value)]));
            part.stores.push_back({OpCode::store_, DType::Bool, -1, {a.value}, a.operand});
        }
        for (const auto& i : part.stores) part.ends.push_back(step_of(kernel_, i, dtypes));
    }
    decoded_ = std::move(decoded);
}

Interpreter::~Interpreter() = default;
// The steps point into the vectors of kernel_, which keep their place when moved.
Interpreter::Interpreter(Interpreter&&) noexcept = default;
Interpreter& Interpreter::operator=(Interpreter&&) noexcept = default;

// One run: where the loops are, and the values that later sections use.
class Interpreter::Run {
  public:
    Run(const Kernel& kernel, const Decoded& decoded, const Launch& launch, int64_t begin,
        int64_t end)
        : kernel_(kernel),
          decoded_(decoded),
          m_{kernel, launch, decoded.initial, {}, Sizes(static_cast<size_t>(kernel.rank)), {}},
          begin_(begin),
          end_(end),
          rows_(decoded.kept.size()),
          across_(kernel.sections.size()) {
        for (size_t n = 0; n < across_.size(); ++n)
            across_[n].resize(kernel.sections[n].across.size());
        for (size_t k = 0; k < kernel.operands.size(); ++k)
            m_.places.push_back(static_cast<char*>(launch.pointers[k]));
        if (can_split(kernel) && end >= 0) return;
        begin_ = 0;
        end_ = kernel.rank > 0 ? launch.extents[0] : 0;
    }

    Fault all() {
        walk(m_, 0, kernel_.outer, begin_, end_, [&] {
            for (now_ = 0; now_ < kernel_.sections.size() && !m_.fault.stopped; ++now_)
                section(kernel_.sections[now_], decoded_.parts[now_]);
        });
        for (now_ = 0; now_ < across_.size(); ++now_) finish_across();
        return m_.fault;
    }

  private:
    void section(const Section& section, const Decoded::Part& part) {
        switch (section.kind) {
            case SectionKind::Outer: steps(part); return fold_across(0);
            case SectionKind::Map: return inner([&] { steps(part); });
            case SectionKind::Reduce: return reduce(section, part);
            case SectionKind::Loop: return loop(section, part);
        }
    }

    void steps(const Decoded::Part& part) {
        for (const auto& step : part.steps) step.run(m_, step);
    }

    // Kept values wait in a row for the next section to come to their index.
    template <class Body>
    void inner(Body body) {
        size_t at = 0;
        walk(m_, kernel_.outer, kernel_.rank, begin_, end_, [&] {
            for (size_t k = 0; k < rows_.size(); ++k)
                if (at < rows_[k].size()) m_.values[decoded_.kept[k]] = rows_[k][at];
            body();
            fold_across(at);
            for (size_t k = 0; k < rows_.size(); ++k) {
                if (at == rows_[k].size()) rows_[k].emplace_back();
                rows_[k][at] = m_.values[decoded_.kept[k]];
            }
            ++at;
        });
    }

    // Calls visit(fold, total, value, store) for each fold across of the section.
    template <class Visit>
    void for_across(size_t at, Visit visit) {
        const auto& part = decoded_.parts[now_];
        for (size_t k = 0; k < part.across.size(); ++k) {
            auto& totals = across_[now_][k];  // one for each inner index
            while (totals.size() <= at) part.across[k].start(totals.emplace_back());
            visit(part.across[k], totals[at], value(part.stores[k].arguments[0]), part.ends[k]);
        }
    }

    void fold_across(size_t at) {
        for_across(at, [](auto& f, auto& total, auto& value, auto&) { f.add(total, value, 0); });
    }

    void finish_across() {
        size_t at = 0;
        bool once = kernel_.sections[now_].kind == SectionKind::Outer;
        walk(m_, kernel_.outer, once ? kernel_.outer : kernel_.rank, 0, 0, [&] {
            for_across(at++, [&](auto& fold, auto& total, auto& value, auto& store) {
                fold.finish(total, value);
                store.run(m_, store);
            });
        });
    }

    void reduce(const Section& section, const Decoded::Part& part) {
        std::vector<Total> totals(part.folds.size());
        for (size_t k = 0; k < totals.size(); ++k) part.folds[k].start(totals[k]);
        int64_t position = 0;
        inner([&] {
            steps(part);
            for (size_t k = 0; k < totals.size(); ++k)
                part.folds[k].add(totals[k], value(section.accumulators[k].value), position);
            ++position;
        });
        for (size_t k = 0; k < totals.size(); ++k)
            part.folds[k].finish(totals[k], value(section.accumulators[k].result));
    }

    void loop(const Section& section, const Decoded::Part& part) {
        for (const auto& c : section.carried) value(c.current) = value(c.initial);
        std::vector<Slot> next(section.carried.size());
        int64_t done = 0;
        inner([&] {
            if (++done % ask_every == 0 && m_.launch.stop && !m_.fault.stopped)
                m_.fault.stopped = m_.launch.stop->asked();
            if (m_.fault.stopped) return;
            steps(part);
            for (size_t k = 0; k < next.size(); ++k) next[k] = value(section.carried[k].next);
            for (size_t k = 0; k < next.size(); ++k) value(section.carried[k].current) = next[k];
        });
        for (const auto& c : section.carried) value(c.result) = value(c.current);
    }

    Slot& value(ValueId id) { return m_.values[static_cast<size_t>(id)]; }

    const Kernel& kernel_;
    const Decoded& decoded_;
    Machine m_;
    int64_t begin_, end_;  ///< of axis 0
    std::vector<std::vector<Slot>> rows_;
    std::vector<std::vector<std::vector<Total>>> across_;  ///< by section, fold, inner index
    size_t now_ = 0;                                       ///< the section that runs
};

Fault Interpreter::run(const Launch& launch, int64_t begin, int64_t end) const {
    return Run(kernel_, *decoded_, launch, begin, end).all();
}

Fault interpret(const Kernel& kernel, const Launch& launch, int64_t begin, int64_t end) {
    return Interpreter(kernel).run(launch, begin, end);
}

}  // namespace croton::kernel
