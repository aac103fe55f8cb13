#include <algorithm>

#include "croton/base/error.hpp"
#include "croton/kernel/builder.hpp"

namespace croton::kernel {

namespace {

constexpr int max_rank = 64;  // bits of Operand::broadcast_axes

class Verifier {
  public:
    explicit Verifier(const Kernel& kernel) : kernel_(kernel) {}

    void run() {
        check(kernel_.rank >= 0 && kernel_.rank <= max_rank, "rank ", kernel_.rank,
              " is not in 0..", max_rank);
        check(kernel_.outer >= 0 && kernel_.outer <= kernel_.rank, "outer ", kernel_.outer,
              " is not in 0..rank");
        check(kernel_.values >= 0, "negative number of values");
        for (const auto& operand : kernel_.operands) check_operand(operand);
        values_.resize(static_cast<size_t>(kernel_.values));
        stores_.resize(kernel_.operands.size());
        for (const auto& section : kernel_.sections) check_section(section);
        for (size_t id = 0; id < values_.size(); ++id)
            check(values_[id].defined, "%", id, " is never defined");
        for (size_t k = 0; k < stores_.size(); ++k)
            check(stores_[k] == (kernel_.operands[k].kind == OperandKind::Out), "output ", k,
                  " is stored ", stores_[k], " times, not once");
    }

  private:
    struct Value {
        bool defined = false, visible = false;
        DType dtype = DType::Bool;
    };

    template <class... Parts>
    void check(bool condition, const Parts&... parts) const {
        if (!condition)
            fail(ErrorKind::Internal, "kernel '", kernel_.name, "', ", where_, cat(parts...));
    }

    void check_operand(const Operand& operand) const {
        check(operand.rank >= 0 && operand.rank <= max_rank, "operand '", operand.name, "': rank ",
              operand.rank, " is not in 0..", max_rank);
        bool fits = kernel_.rank == max_rank || operand.broadcast_axes >> kernel_.rank == 0;
        check(fits, "operand '", operand.name, "': broadcasts along an axis that is not there");
    }

    void check_section(const Section& section) {
        section_ = &section;
        bool inside = section.kind != SectionKind::Outer;
        for (ValueId id : inner_) value(id).visible = inside;
        std::string name = cat("section ", &section - kernel_.sections.data(), ", ");
        for (const auto& c : section.carried) {
            where_ = name;
            check(use(c.initial) == c.dtype, "the state %", c.current, " begins as another dtype");
            define(c.current, c.dtype, true);
            inner_.push_back(c.current);
        }
        for (const auto& i : section.body) {
            where_ =
                cat(name, "instruction ", &i - section.body.data(), " (", info(i.op).name, "): ");
            check_instruction(i);
            if (i.op == OpCode::store_) continue;
            define(i.result, i.dtype, true);
            if (inside) inner_.push_back(i.result);
        }
        where_ = name;
        check(section.kind == SectionKind::Reduce || section.accumulators.empty(),
              "only a reduce section has accumulators");
        check_loop(section);
        for (const auto& a : section.accumulators) check_accumulator(a);
        for (const auto& a : section.accumulators) define(a.result, a.dtype, false);
        for (const auto& a : section.accumulators) value(a.result).visible = true;
        for (const auto& a : section.across) check_across(a, section.kind);
        where_.clear();
    }

    // Inner indices are run through once, in order: no other section may want them again.
    void check_loop(const Section& section) {
        if (section.kind != SectionKind::Loop) {
            check(section.carried.empty(), "only a loop section has states");
            return;
        }
        for (const auto& other : kernel_.sections)
            check(&other == &section || other.kind == SectionKind::Outer,
                  "a loop section is the only inner one");
        check(kernel_.rank == kernel_.outer + 1, "a loop section runs along one axis, not ",
              kernel_.rank - kernel_.outer);
        for (const auto& c : section.carried)
            check(use(c.next) == c.dtype, "the state %", c.current, " becomes another dtype");
        for (const auto& c : section.carried) define(c.result, c.dtype, true);
    }

    Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }

    void define(ValueId id, DType dtype, bool visible) {
        check(id >= 0 && id < kernel_.values, "result %", id, " is not in 0..values");
        check(!value(id).defined, "%", id, " is defined twice");
        check(compute_dtype(dtype) == dtype, dtype_name(dtype), " is for storage only");
        value(id) = {true, visible, dtype};
    }

    DType use(ValueId id) {
        check(id >= 0 && id < kernel_.values, "argument %", id, " is not in 0..values");
        check(value(id).defined, "%", id, " is used before its definition");
        check(value(id).visible, "%", id, " is not visible here");
        return value(id).dtype;
    }

    void check_accumulator(const Accumulator& a) {
        DType from = use(a.value), wanted = from;
        check(takes(a.combine, from), combine_name(a.combine), " does not take ", dtype_name(from));
        if (a.combine == Combine::ArgMax || a.combine == Combine::ArgMin) wanted = DType::Int64;
        check(a.dtype == wanted, combine_name(a.combine), " of ", dtype_name(from), " gives ",
              dtype_name(wanted), ", not ", dtype_name(a.dtype));
    }

    void check_across(const Across& a, SectionKind kind) {
        DType from = use(a.value);
        bool positions = a.combine == Combine::ArgMax || a.combine == Combine::ArgMin;
        check(kind != SectionKind::Loop && !positions && takes(a.combine, from),
              combine_name(a.combine), " of ", dtype_name(from), " cannot be folded across here");
        check(kernel_.outer > 0, "there are no outer axes to fold across");
        const Operand& to = operand(a.operand, OperandKind::Out, "an output");
        check(compute_dtype(to.dtype) == from, "folds ", dtype_name(from), " into ",
              dtype_name(to.dtype));
        int axes = kind == SectionKind::Outer ? kernel_.rank : kernel_.outer;
        for (int axis = 0; axis < axes; ++axis)
            check(to.broadcast_axes >> axis & 1, "operand ", a.operand, " is folded across axis ",
                  axis, " and lies along it");
        ++stores_[static_cast<size_t>(a.operand)];
    }

    void check_instruction(const Instruction& i) {
        const auto& about = info(i.op);
        if (about.arguments >= 0)
            check(static_cast<int>(i.arguments.size()) == about.arguments, "takes ",
                  about.arguments, " arguments, not ", i.arguments.size());
        SmallVector<DType, 3> from;
        for (ValueId argument : i.arguments) from.push_back(use(argument));
        if (about.typing == Typing::chosen)
            check_chosen(i, from);
        else
            check_computed(i, from);
    }

    void check_computed(const Instruction& i, SmallVector<DType, 3> from) const {
        Typing typing = info(i.op).typing;
        if (typing == Typing::select) {
            check(from[0] == DType::Bool, "the condition is ", dtype_name(from[0]), ", not bool");
            from.erase(from.begin());
        }
        for (DType other : from)
            check(other == from[0], "arguments differ: ", dtype_name(from[0]), " and ",
                  dtype_name(other));
        check(takes(i.op, from[0]), "does not take ", dtype_name(from[0]));
        DType result = from[0];
        if (typing == Typing::boolean) result = DType::Bool;
        if (typing == Typing::real) result = real_dtype(result);
        if (typing == Typing::paired) result = complex_dtype(result);
        check(i.dtype == result, "gives ", dtype_name(result), ", not ", dtype_name(i.dtype));
    }

    const Operand& operand(int number, OperandKind kind, std::string_view name) const {
        check(number >= 0 && number < static_cast<int>(kernel_.operands.size()),
              "there is no operand ", number);
        const auto& found = kernel_.operands[static_cast<size_t>(number)];
        check(found.kind == kind, "operand ", number, " is not ", name);
        return found;
    }

    void check_dtype(const Instruction& i, DType wanted) const {
        check(i.dtype == wanted, "has dtype ", dtype_name(i.dtype), ", not ", dtype_name(wanted));
    }

    void check_axis(const Instruction& i) const {
        bool outer = section_->kind == SectionKind::Outer;
        int count = i.op == OpCode::index_ && outer ? kernel_.outer : kernel_.rank;
        check(i.axis >= 0 && i.axis < count, "axis ", i.axis, " is not in 0..", count);
        check_dtype(i, DType::Int64);
    }

    void check_chosen(const Instruction& i, const SmallVector<DType, 3>& from) {
        auto bits_only = [](DType dtype) { return is_integer(dtype) || is_floating(dtype); };
        switch (i.op) {
            case OpCode::index_:
            case OpCode::extent_: return check_axis(i);
            case OpCode::size_: {
                const auto& table = operand(i.operand, OperandKind::Table, "a table");
                check(i.axis >= 0 && i.axis < table.rank, "axis ", i.axis, " is not in 0..",
                      table.rank);
                return check_dtype(i, DType::Int64);
            }
            case OpCode::load_:
                return check_dtype(
                    i, compute_dtype(operand(i.operand, OperandKind::In, "an input").dtype));
            case OpCode::load_at_: {
                const auto& table = operand(i.operand, OperandKind::Table, "a table");
                check(static_cast<int>(from.size()) == table.rank, "a table of rank ", table.rank,
                      " takes as many positions, not ", from.size());
                for (DType dtype : from)
                    check(dtype == DType::Int64, "a position is ", dtype_name(dtype),
                          ", not int64");
                return check_dtype(i, compute_dtype(table.dtype));
            }
            case OpCode::store_: {
                check(i.result == -1, "a store defines no value");
                check_dtype(i,
                            compute_dtype(operand(i.operand, OperandKind::Out, "an output").dtype));
                check(from[0] == i.dtype, "stores a ", dtype_name(from[0]), " as ",
                      dtype_name(i.dtype));
                ++stores_[static_cast<size_t>(i.operand)];
                return;
            }
            case OpCode::bitcast_:
                check(bits_only(from[0]) && bits_only(i.dtype) &&
                          dtype_size(from[0]) == dtype_size(i.dtype),
                      dtype_name(from[0]), " and ", dtype_name(i.dtype),
                      " are not numbers of one size");
                return;
            default: return;  // constants and casts have any dtype that define() accepts
        }
    }

    const Kernel& kernel_;
    const Section* section_ = nullptr;
    std::string where_;
    std::vector<Value> values_;
    std::vector<int> stores_;
    std::vector<ValueId> inner_;  // defined in inner sections
};

// Section and place in it of the instruction that accesses an operand; loads: the last one.
struct Access {
    bool found = false;
    size_t section = 0, place = 0;
};
Access last_access(const Kernel& kernel, OpCode op, int operand) {
    Access result;
    for (size_t s = 0; s < kernel.sections.size(); ++s)
        for (size_t n = 0; n < kernel.sections[s].body.size(); ++n) {
            const auto& i = kernel.sections[s].body[n];
            if (i.op == op && i.operand == operand) result = {true, s, n};
        }
    return result;
}

}  // namespace

void verify(const Kernel& kernel) { Verifier(kernel).run(); }

std::vector<bool> loaded_operands(const Kernel& kernel) {
    std::vector<bool> result(kernel.operands.size());
    for (const auto& section : kernel.sections)
        for (const auto& i : section.body)
            if (i.op == OpCode::load_ || i.op == OpCode::load_at_)
                result[static_cast<size_t>(i.operand)] = true;
    return result;
}

std::vector<DType> value_dtypes(const Kernel& kernel) {
    std::vector<DType> result(static_cast<size_t>(kernel.values), DType::Bool);
    for (const auto& section : kernel.sections) {
        for (const auto& i : section.body)
            if (i.result >= 0) result[static_cast<size_t>(i.result)] = i.dtype;
        for (const auto& a : section.accumulators) result[static_cast<size_t>(a.result)] = a.dtype;
        for (const auto& c : section.carried)
            for (ValueId id : {c.current, c.result}) result[static_cast<size_t>(id)] = c.dtype;
    }
    return result;
}

std::vector<bool> kept_values(const Kernel& kernel) {
    std::vector<bool> kept(static_cast<size_t>(kernel.values), false);
    std::vector<int> home(kept.size(), -1);  // defining inner section
    auto use = [&](ValueId id, int section) {
        int defined = home[static_cast<size_t>(id)];
        if (defined >= 0 && defined != section) kept[static_cast<size_t>(id)] = true;
    };
    for (size_t s = 0; s < kernel.sections.size(); ++s) {
        const auto& section = kernel.sections[s];
        for (const auto& i : section.body) {
            for (ValueId argument : i.arguments) use(argument, static_cast<int>(s));
            if (i.result >= 0 && section.kind != SectionKind::Outer)
                home[static_cast<size_t>(i.result)] = static_cast<int>(s);
        }
        for (const auto& a : section.accumulators) use(a.value, static_cast<int>(s));
        for (const auto& a : section.across) use(a.value, static_cast<int>(s));
    }
    return kept;
}

const Section* loop_section(const Kernel& kernel) {
    for (const auto& section : kernel.sections)
        if (section.kind == SectionKind::Loop) return &section;
    return nullptr;
}

bool folds_across(const Kernel& kernel) {
    return std::any_of(kernel.sections.begin(), kernel.sections.end(),
                       [](const Section& section) { return !section.across.empty(); });
}

bool can_split(const Kernel& kernel) {
    if (kernel.rank == 0 || folds_across(kernel)) return false;
    return kernel.outer > 0 ||
           (kernel.sections.size() == 1 && kernel.sections[0].kind == SectionKind::Map);
}

bool can_share(const Kernel& kernel, int in, int out) {
    const auto& from = kernel.operands[static_cast<size_t>(in)];
    const auto& to = kernel.operands[static_cast<size_t>(out)];
    if (from.kind != OperandKind::In || to.kind != OperandKind::Out || from.dtype != to.dtype)
        return false;
    Access load = last_access(kernel, OpCode::load_, in);
    Access store = last_access(kernel, OpCode::store_, out);
    if (!load.found) return true;
    if (!store.found) return false;  // folded across
    if (load.section != store.section) return load.section < store.section;
    return load.place < store.place;
}

}  // namespace croton::kernel
