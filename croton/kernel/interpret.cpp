#include "croton/kernel/interpret.hpp"

#include <cstring>

#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"
#include "croton/kernel/scalar.hpp"

namespace croton::kernel {

namespace {

/// A value of any dtype.
struct Slot {
    alignas(16) unsigned char bytes[16] = {};
    template <class T>
    T get() const {
        T value;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }
    template <class T>
    void set(T value) {
        std::memcpy(bytes, &value, sizeof value);
    }
};

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
using Run = decltype(Step::run);

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

void set_constant(const Instruction& i, Slot& slot) {
    visit_dtype(i.dtype, [&](auto tag) {
        using T = decltype(tag);
        if constexpr (scalar::Continuous<T>)
            slot.set(convert_number<T>(i.number));
        else if constexpr (scalar::Bits<T>)
            slot.set(static_cast<T>(i.integer));
    });
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
Run computation(OpCode op) {
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

// --- accumulators

struct Total {
    Slot value;
    int64_t position = -1;  ///< of the extreme, for ArgMax and ArgMin
};
struct Fold {
    void (*start)(Total&);
    void (*add)(Total&, const Slot&, int64_t position);
    void (*finish)(const Total&, Slot&);
};

template <class T>
struct WideOf : std::type_identity<T> {};
template <>
struct WideOf<float> : std::type_identity<double> {};
template <>
struct WideOf<std::complex<float>> : std::type_identity<std::complex<double>> {};

template <class T, auto combine>
Fold plain_fold(auto start) {
    using Wide = typename WideOf<T>::type;
    return {
        start,
        [](Total& total, const Slot& value, int64_t) {
            total.value.set(combine(total.value.get<Wide>(), Wide(value.get<T>())));
        },
        [](const Total& total, Slot& out) { out.set(convert_number<T>(total.value.get<Wide>())); }};
}

template <class T, auto better>
Fold position_fold() {
    return {[](Total& total) { total.position = -1; },
            [](Total& total, const Slot& value, int64_t position) {
                T next = value.get<T>(), best = total.value.get<T>();
                bool first_nan = scalar::isnan_any(next) && !scalar::isnan_any(best);
                if (total.position >= 0 && !better(next, best) && !first_nan) return;
                total = {value, position};
            },
            [](const Total& total, Slot& out) {
                out.set(total.position < 0 ? int64_t{0} : total.position);  // 0 for no elements
            }};
}

template <class T>
constexpr T lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                          : std::numeric_limits<T>::lowest();
template <class T>
constexpr T highest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::max();

/// All null where the combination does not take T.
template <class T>
Fold fold_of(Combine combine) {
    using Wide = typename WideOf<T>::type;
    if constexpr (scalar::Number<T>) {
        if (combine == Combine::Sum)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::add(x, y); }>(
                [](Total& total) { total.value.set(Wide(0)); });
        if (combine == Combine::Prod)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::mul(x, y); }>(
                [](Total& total) { total.value.set(Wide(1)); });
    }
    if constexpr (scalar::Ordered<T>) {
        if (combine == Combine::Max)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::maximum(x, y); }>(
                [](Total& total) { total.value.set(lowest<Wide>); });
        if (combine == Combine::Min)
            return plain_fold<T, [](Wide x, Wide y) { return scalar::minimum(x, y); }>(
                [](Total& total) { total.value.set(highest<Wide>); });
        if (combine == Combine::ArgMax)
            return position_fold<T, [](T next, T best) { return best < next; }>();
        if (combine == Combine::ArgMin)
            return position_fold<T, [](T next, T best) { return next < best; }>();
    }
    if constexpr (std::is_same_v<T, bool>) {
        if (combine == Combine::Any)
            return plain_fold<T, [](bool x, bool y) { return x || y; }>(
                [](Total& total) { total.value.set(false); });
        if (combine == Combine::All)
            return plain_fold<T, [](bool x, bool y) { return x && y; }>(
                [](Total& total) { total.value.set(true); });
    }
    return {};
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
    };
    std::vector<Slot> initial;  ///< all values, constants already in place
    std::vector<Part> parts;    ///< one a section
    std::vector<size_t> kept;   ///< values that later inner sections use
};

namespace {

Run decode(const Kernel& kernel, const Instruction& i, const std::vector<DType>& dtypes) {
    auto argument = [&](size_t n) { return dtypes[static_cast<size_t>(i.arguments[n])]; };
    auto stored = [&] { return kernel.operands[static_cast<size_t>(i.operand)].dtype; };
    switch (i.op) {
        case OpCode::index_: return read_index;
        case OpCode::extent_: return read_extent;
        case OpCode::size_: return read_size;
        case OpCode::bitcast_: return copy_bits;
        case OpCode::load_:
            return visit_dtype(stored(), [](auto t) -> Run { return load<decltype(t)>; });
        case OpCode::load_at_:
            return visit_dtype(stored(), [](auto t) -> Run { return load_at<decltype(t)>; });
        case OpCode::store_:
            return visit_dtype(stored(), [](auto t) -> Run { return store<decltype(t)>; });
        case OpCode::cast_:
            return visit_dtype(i.dtype, [&](auto to) -> Run {
                return visit_dtype(argument(0), [](auto from) -> Run {
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

bool takes(Combine combine, DType dtype) {
    return visit_dtype(dtype, [&](auto t) { return fold_of<decltype(t)>(combine).add != nullptr; });
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
                set_constant(i, decoded->initial[static_cast<size_t>(i.result)]);
            else
                part.steps.push_back(step_of(kernel_, i, dtypes));
        for (const auto& a : section.accumulators)
            part.folds.push_back(visit_dtype(dtypes[static_cast<size_t>(a.value)], [&](auto t) {
                return fold_of<decltype(t)>(a.combine);
            }));
    }
    decoded_ = std::move(decoded);
}

Interpreter::~Interpreter() = default;
// The steps point into the vectors of kernel_, which keep their place when moved.
Interpreter::Interpreter(Interpreter&&) noexcept = default;
Interpreter& Interpreter::operator=(Interpreter&&) noexcept = default;

Fault Interpreter::run(const Launch& launch, int64_t begin, int64_t end) const {
    Machine m{kernel_, launch, decoded_->initial, {}, Sizes(static_cast<size_t>(kernel_.rank)), {}};
    for (size_t k = 0; k < kernel_.operands.size(); ++k)
        m.places.push_back(static_cast<char*>(launch.pointers[k]));
    if (!can_split(kernel_) || end < 0) {
        begin = 0;
        end = kernel_.rank > 0 ? launch.extents[0] : 0;
    }
    auto run_steps = [&](const std::vector<Step>& steps) {
        for (const auto& step : steps) step.run(m, step);
    };
    // Kept values wait in a row for the next section to come to their index.
    std::vector<std::vector<Slot>> rows(decoded_->kept.size());
    auto run_inner = [&](auto body) {
        size_t at = 0;
        walk(m, kernel_.outer, kernel_.rank, begin, end, [&] {
            for (size_t k = 0; k < rows.size(); ++k)
                if (at < rows[k].size()) m.values[decoded_->kept[k]] = rows[k][at];
            body();
            for (size_t k = 0; k < rows.size(); ++k) {
                if (at == rows[k].size()) rows[k].emplace_back();
                rows[k][at] = m.values[decoded_->kept[k]];
            }
            ++at;
        });
    };
    auto run_reduce = [&](const Section& section, const Decoded::Part& part) {
        std::vector<Total> totals(part.folds.size());
        for (size_t k = 0; k < totals.size(); ++k) part.folds[k].start(totals[k]);
        int64_t position = 0;
        run_inner([&] {
            run_steps(part.steps);
            for (size_t k = 0; k < totals.size(); ++k) {
                const auto& value = m.values[static_cast<size_t>(section.accumulators[k].value)];
                part.folds[k].add(totals[k], value, position);
            }
            ++position;
        });
        for (size_t k = 0; k < totals.size(); ++k)
            part.folds[k].finish(totals[k],
                                 m.values[static_cast<size_t>(section.accumulators[k].result)]);
    };
    auto run_loop = [&](const Section& section, const Decoded::Part& part) {
        auto at = [&](ValueId id) -> Slot& { return m.values[static_cast<size_t>(id)]; };
        for (const auto& c : section.carried) at(c.current) = at(c.initial);
        std::vector<Slot> next(section.carried.size());
        int64_t done = 0;
        run_inner([&] {
            if (++done % ask_every == 0 && launch.stop && !m.fault.stopped)
                m.fault.stopped = launch.stop->asked();
            if (m.fault.stopped) return;
            run_steps(part.steps);
            for (size_t k = 0; k < next.size(); ++k) next[k] = at(section.carried[k].next);
            for (size_t k = 0; k < next.size(); ++k) at(section.carried[k].current) = next[k];
        });
        for (const auto& c : section.carried) at(c.result) = at(c.current);
    };
    walk(m, 0, kernel_.outer, begin, end, [&] {
        for (size_t n = 0; n < kernel_.sections.size() && !m.fault.stopped; ++n) {
            const auto& section = kernel_.sections[n];
            const auto& part = decoded_->parts[n];
            switch (section.kind) {
                case SectionKind::Outer: run_steps(part.steps); break;
                case SectionKind::Map: run_inner([&] { run_steps(part.steps); }); break;
                case SectionKind::Reduce: run_reduce(section, part); break;
                case SectionKind::Loop: run_loop(section, part); break;
            }
        }
    });
    return m.fault;
}

Fault interpret(const Kernel& kernel, const Launch& launch, int64_t begin, int64_t end) {
    return Interpreter(kernel).run(launch, begin, end);
}

}  // namespace croton::kernel
