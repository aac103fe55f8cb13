#include "croton/compile/packed_program.hpp"

#include <algorithm>
#include <map>

#include "croton/compile/epilogue.hpp"
#include "croton/compile/prologue.hpp"
#include "croton/graph/packed_parts.hpp"

namespace croton::compile {

using namespace runtime;
using kernel::Kernel;

namespace {
// The kinds of steps by number.
template <class Kind>
constexpr size_t kind_number = packed::place_in<Kind, StepKind>;

class Packer final : packed::PartsWriter {
  public:
    explicit Packer(const PackOptions& options) : PartsWriter(options) {}

    std::optional<std::string> run(const Program& program) {
        write(program);
        return tellable_ ? std::optional(out_.take()) : std::nullopt;
    }

  private:
    // Recursion ends with the program's own nesting.
    // NOLINTNEXTLINE(misc-no-recursion)
    void write(const Program& program) {
        tellable_ &= ++depth_ <= packed::most_nesting;
        if (!tellable_) return;
        out_.text(program.name);
        out_.number(program.values.size());
        for (const auto& value : program.values) write_value(value);
        write_all(program.inputs);
        write_all(program.outputs);
        out_.whole(program.slots);
        out_.number(program.tail);
        out_.number(program.kernels.size());
        for (const auto& kernel : program.kernels) write_kernel(kernel);
        out_.number(program.steps.size());
        for (const auto& step : program.steps) write_step(step);
        --depth_;
    }

    void write_value(const Value& value) {
        write_type(value.type);
        out_.byte(static_cast<uint8_t>(value.place));
        out_.whole(value.slot);
        out_.whole(value.source);
        if (value.place == Place::Constant) write_elements(value.constant);
        out_.text(value.name);
        write_site(value.site);
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    void write_step(const Step& step) {
        out_.byte(static_cast<uint8_t>(step.kind.index()));
        std::visit([&](const auto& kind) { write_kind(kind); }, step.kind);
        write_site(step.site);
        out_.text(step.label);
    }

    template <class Numbers>
    void write_all(const Numbers& numbers) {
        out_.number(numbers.size());
        for (auto number : numbers) out_.whole(number);
    }
    void write_texts(const std::vector<std::string>& texts) {
        out_.number(texts.size());
        for (const auto& text : texts) out_.text(text);
    }

    void write_attrs(const OpRecord& op, const Attrs& attrs) {
        write_op(op);
        out_.number(attrs.values.size());
        for (const auto& value : attrs.values) write_attribute(value);
    }

    // --- steps --------------------------------------------------------------------------------

    void write_kind(const KernelStep& step) {
        out_.whole(step.kernel);
        write_all(step.operands);
        out_.whole(step.outputs);
        out_.number(step.maps.size());
        for (const auto& map : step.maps) write_all(map);
        out_.byte(step.shape_op != nullptr);
        if (step.shape_op) write_attrs(*step.shape_op, *step.shape_attrs);
        write_all(step.shape_inputs);
        write_all(step.shape_map);
        out_.whole(step.steps_axis);
        out_.byte(step.splittable);
        out_.byte(step.reject_empty);
        out_.text(step.what);
    }

    void write_kind(const ViewStep& step) {
        write_attrs(*step.op, *step.attrs);
        write_all(step.inputs);
        out_.whole(step.output);
    }

    void write_kind(const ExternStep& step) {
        write_attrs(*step.op, *step.attrs);
        write_all(step.inputs);
        write_all(step.outputs);
        out_.byte(step.prologue.has_value());
        if (!step.prologue) return;
        write_kind(step.prologue->kernel);
        out_.whole(step.prologue->input);
        write_site(step.prologue->site);
        out_.text(step.prologue->label);
    }

    void write_kind(const ContractStep& step) {
        write_attrs(*step.op, *step.attrs);
        write_all(step.inputs);
        out_.whole(step.output);
        out_.byte(step.epilogue.has_value());
        if (!step.epilogue) return;
        write_kind(step.epilogue->kernel);
        out_.whole(step.epilogue->product);
        write_site(step.epilogue->site);
        out_.text(step.epilogue->label);
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    void write_kind(const BranchStep& step) {
        out_.whole(step.condition);
        write(*step.then_program);
        write(*step.else_program);
        write_all(step.then_inputs);
        write_all(step.else_inputs);
        write_all(step.outputs);
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    void write_kind(const LoopStep& step) {
        write(*step.body);
        out_.whole(step.states);
        out_.whole(step.sequences);
        out_.byte(step.until);
        write_all(step.traced);
        write_all(step.backwards);
        write_all(step.passed_on);
        write_all(step.inputs);
        write_all(step.outputs);
        write_texts(step.names);
        write_texts(step.result_names);
    }

    // --- kernels ------------------------------------------------------------------------------

    void write_kernel(const Kernel& kernel) {
        out_.text(kernel.name);
        out_.whole(kernel.rank);
        out_.whole(kernel.outer);
        out_.whole(kernel.values);
        out_.byte(static_cast<uint8_t>(kernel.folding));
        out_.number(kernel.operands.size());
        for (const auto& operand : kernel.operands) {
            out_.byte(static_cast<uint8_t>(operand.kind));
            out_.byte(static_cast<uint8_t>(operand.dtype));
            out_.whole(operand.rank);
            out_.number(operand.broadcast_axes);
            out_.text(operand.name);
        }
        out_.number(kernel.sections.size());
        for (const auto& section : kernel.sections) write_section(section);
        out_.number(kernel.sites.size());
        for (const auto& site : kernel.sites) write_site(site);
    }

    void write_section(const kernel::Section& section) {
        out_.byte(static_cast<uint8_t>(section.kind));
        out_.number(section.body.size());
        for (const auto& instruction : section.body) write_instruction(instruction);
        out_.number(section.accumulators.size());
        for (const auto& a : section.accumulators) {
            out_.byte(static_cast<uint8_t>(a.combine));
            out_.byte(static_cast<uint8_t>(a.dtype));
            out_.whole(a.value);
            out_.whole(a.result);
        }
        out_.number(section.carried.size());
        for (const auto& c : section.carried) {
            for (auto value : {c.initial, c.current, c.next, c.result}) out_.whole(value);
            out_.byte(static_cast<uint8_t>(c.dtype));
        }
        out_.number(section.across.size());
        for (const auto& a : section.across) {
            out_.byte(static_cast<uint8_t>(a.combine));
            out_.whole(a.value);
            out_.whole(a.operand);
        }
    }

    void write_instruction(const kernel::Instruction& i) {
        out_.byte(static_cast<uint8_t>(i.op));
        out_.byte(static_cast<uint8_t>(i.dtype));
        out_.whole(i.result);
        write_all(i.arguments);
        out_.whole(i.operand);
        out_.whole(i.axis);
        out_.whole(i.integer);
        out_.real(i.number.real());
        out_.real(i.number.imag());
    }

    int depth_ = 0;
};

class Unpacker final : packed::PartsReader {
  public:
    Unpacker(std::string_view bytes, const PackOptions& options) : PartsReader(bytes, options) {}

    Program run() {
        Program program = read();
        require(in_.left() == 0);
        return program;
    }

  private:
    // NOLINTNEXTLINE(misc-no-recursion)
    Program read() {
        require(++depth_ <= packed::most_nesting);
        Program program;
        program.name = in_.text();
        read_list(program.values,
                  [&] { return read_value(static_cast<Id>(program.values.size())); });
        auto count = static_cast<int64_t>(program.values.size());
        program.inputs = read_ids(count);
        program.outputs = read_ids(count);
        program.slots = in_.within<int>(0, count);
        program.tail = in_.number();
        read_list(program.kernels, [&] { return read_kernel(); });
        for (size_t steps = in_.count(); steps > 0; --steps) read_step(program);
        --depth_;
        program.verify();
        return program;
    }

    template <class Item, class Read>
    void read_list(std::vector<Item>& list, Read read) {
        size_t count = in_.count();
        list.reserve(std::min<size_t>(count, 256));
        while (list.size() < count) list.push_back(read());
    }

    // Views show what came before them.
    Value read_value(Id own) {
        Value value;
        value.type = read_type();
        value.place = in_.one_of<Place>(static_cast<int>(Place::Rows) + 1);
        value.slot = in_.within<int>(-1, INT32_MAX);
        value.source = in_.within<Id>(value.place == Place::View ? 0 : -1, INT32_MAX);
        require(value.source < own);
        if (value.place == Place::Constant) value.constant = read_elements(value.type);
        value.name = in_.text();
        value.site = read_site();
        return value;
    }

    std::vector<Id> read_ids(int64_t values) {
        std::vector<Id> ids;
        read_list(ids, [&] { return in_.within<Id>(0, values - 1); });
        return ids;
    }
    std::vector<int> read_numbers(int64_t least, int64_t most) {
        std::vector<int> numbers;
        read_list(numbers, [&] { return in_.within<int>(least, most); });
        return numbers;
    }
    std::vector<bool> read_flags() {
        std::vector<bool> flags;
        read_list(flags, [&] { return in_.within<int>(0, 1) != 0; });
        return flags;
    }
    std::vector<std::string> read_texts() {
        std::vector<std::string> texts;
        read_list(texts, [&] { return std::string(in_.text()); });
        return texts;
    }
    AxisMap read_map() {
        AxisMap map;
        for (size_t count = in_.count(); count > 0; --count)
            map.push_back(in_.within<int8_t>(-1, INT8_MAX));
        return map;
    }

    // Neighbours have equal attributes often: they share them, as those of a graph do.
    std::shared_ptr<const Attrs> read_attrs(const OpRecord*& op) {
        op = read_op();
        Attrs attrs;
        read_list(attrs.values, [&] { return read_attribute(); });
        require(fit(attrs, *op));
        auto& latest = attrs_[op];
        if (!latest || !latest->equals(attrs))
            latest = std::make_shared<const Attrs>(std::move(attrs));
        return latest;
    }

    // --- steps --------------------------------------------------------------------------------

    // NOLINTNEXTLINE(misc-no-recursion)
    void read_step(Program& program) {
        Step step;
        switch (in_.byte()) {
            case kind_number<KernelStep>: step.kind = read_kernel_step(program); break;
            case kind_number<ViewStep>: step.kind = read_view(program); break;
            case kind_number<ExternStep>: step.kind = read_extern(program); break;
            case kind_number<ContractStep>: step.kind = read_contract(program); break;
            case kind_number<BranchStep>: step.kind = read_branch(program); break;
            case kind_number<LoopStep>: step.kind = read_loop(program); break;
            default: throw NotReadable();
        }
        step.site = read_site();
        step.label = in_.text();
        program.steps.push_back(std::move(step));
    }

    static int64_t count_of(const Program& program) {
        return static_cast<int64_t>(program.values.size());
    }
    std::vector<Id> ids(const Program& program) { return read_ids(count_of(program)); }
    Id id(const Program& program) { return in_.within<Id>(0, count_of(program) - 1); }

    KernelStep read_kernel_step(const Program& program) {
        KernelStep step;
        step.kernel = in_.within<int>(0, static_cast<int64_t>(program.kernels.size()) - 1);
        const Kernel& kernel = program.kernels[static_cast<size_t>(step.kernel)];
        step.operands = ids(program);
        require(step.operands.size() == kernel.operands.size());
        step.outputs = in_.within<int>(0, static_cast<int64_t>(step.operands.size()));
        read_list(step.maps, [&] { return read_map(); });
        require(step.maps.size() == step.operands.size());
        if (in_.flag()) step.shape_attrs = read_attrs(step.shape_op);
        step.shape_inputs = ids(program);
        step.shape_map = read_map();
        step.steps_axis = in_.within<int>(-1, kernel.rank - 1);
        step.splittable = in_.flag();
        step.reject_empty = in_.flag();
        step.what = in_.text();
        return step;
    }

    // What steps that call an op have in common; its kind is for the caller to look at.
    template <class Call>
    Call read_call(const Program& program) {
        Call step{};
        step.attrs = read_attrs(step.op);
        step.inputs = ids(program);
        return step;
    }

    ViewStep read_view(const Program& program) {
        auto step = read_call<ViewStep>(program);
        require(step.op->kind<ViewCompute>() != nullptr);
        step.output = id(program);
        return step;
    }

    ExternStep read_extern(const Program& program) {
        auto step = read_call<ExternStep>(program);
        require(host_code(*step.op).run != nullptr);
        step.outputs = ids(program);
        if (in_.flag()) step.prologue = read_prologue(program, step);
        return step;
    }

    Prologue read_prologue(const Program& program, const ExternStep& step) {
        Prologue prologue;
        prologue.kernel = read_kernel_step(program);
        prologue.input = in_.within<int>(0, static_cast<int64_t>(step.inputs.size()) - 1);
        require(!prologue.kernel.operands.empty() && can_be_prologue(program, prologue.kernel));
        require(prologue.input == row_input(program, step));
        require(step.inputs[static_cast<size_t>(prologue.input)] == prologue.values());
        const Value& values = program.values[static_cast<size_t>(prologue.values())];
        require(values.place == Place::Rows);
        require(values.type.dims.size() == prologue.kernel.maps.back().size());
        prologue.site = read_site();
        prologue.label = in_.text();
        return prologue;
    }

    ContractStep read_contract(const Program& program) {
        auto step = read_call<ContractStep>(program);
        require(step.op->kind<ContractCompute>() != nullptr);
        step.output = id(program);
        if (in_.flag()) step.epilogue = read_epilogue(program, step.output);
        return step;
    }

    Epilogue read_epilogue(const Program& program, Id output) {
        Epilogue epilogue;
        epilogue.kernel = read_kernel_step(program);
        const auto& operands = epilogue.kernel.operands;
        auto outputs = operands.end() - epilogue.kernel.outputs;
        require(std::find(outputs, operands.end(), output) != operands.end());
        epilogue.product = in_.within<int>(0, outputs - operands.begin() - 1);
        require(operands[static_cast<size_t>(epilogue.product)] == output);
        require(can_be_epilogue(program, epilogue.kernel, epilogue.product));
        epilogue.site = read_site();
        epilogue.label = in_.text();
        return epilogue;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    std::shared_ptr<const Program> read_inner() { return std::make_shared<const Program>(read()); }

    // NOLINTNEXTLINE(misc-no-recursion)
    BranchStep read_branch(const Program& program) {
        BranchStep step{};
        step.condition = id(program);
        step.then_program = read_inner();
        step.else_program = read_inner();
        step.then_inputs = ids(program);
        step.else_inputs = ids(program);
        step.outputs = ids(program);
        require(step.then_inputs.size() == step.then_program->inputs.size());
        require(step.else_inputs.size() == step.else_program->inputs.size());
        require(step.outputs.size() == step.then_program->outputs.size());
        require(step.outputs.size() == step.else_program->outputs.size());
        return step;
    }

    // NOLINTNEXTLINE(misc-no-recursion)
    LoopStep read_loop(const Program& program) {
        LoopStep step;
        step.body = read_inner();
        auto most = static_cast<int64_t>(step.body->inputs.size());
        step.states = in_.within<int>(0, most);
        step.sequences = in_.within<int>(0, most - step.states);
        step.until = in_.flag();
        step.traced = read_flags();
        step.backwards = read_flags();
        step.passed_on = read_numbers(-1, step.states - 1);
        step.inputs = ids(program);
        step.outputs = ids(program);
        step.names = read_texts();
        step.result_names = read_texts();
        require(step.inputs.size() == step.body->inputs.size() + 1);
        require(step.outputs.size() == step.body->outputs.size());
        return step;
    }

    // --- kernels ------------------------------------------------------------------------------

    template <class Enum>
    Enum read_enum(Enum last) {
        return in_.one_of<Enum>(static_cast<int>(last) + 1);
    }
    int read_int() { return in_.within<int>(INT32_MIN, INT32_MAX); }

    Kernel read_kernel() {
        Kernel kernel;
        kernel.name = in_.text();
        kernel.rank = in_.within<int>(0, INT8_MAX);
        kernel.outer = in_.within<int>(0, kernel.rank);
        kernel.values = in_.within<int>(0, static_cast<int64_t>(in_.left()));
        kernel.folding = read_enum(kernel::Folding::Columns);
        read_list(kernel.operands, [&] { return read_operand(); });
        read_list(kernel.sections, [&] { return read_section(); });
        read_list(kernel.sites, [&] { return read_site(); });
        kernel::verify(kernel);  // what looks at programs relies on it
        return kernel;
    }

    kernel::Operand read_operand() {
        kernel::Operand operand{};
        operand.kind = read_enum(kernel::OperandKind::Table);
        operand.dtype = read_dtype();
        operand.rank = in_.within<int>(0, INT8_MAX);
        operand.broadcast_axes = in_.number();
        operand.name = in_.text();
        return operand;
    }

    kernel::Section read_section() {
        kernel::Section section{};
        section.kind = read_enum(kernel::SectionKind::Loop);
        read_list(section.body, [&] { return read_instruction(); });
        read_list(section.accumulators, [&] {
            auto combine = read_enum(kernel::Combine::All);
            DType dtype = read_dtype();
            int value = read_int();
            return kernel::Accumulator{combine, value, read_int(), dtype};
        });
        read_list(section.carried, [&] {
            kernel::Carried c{};
            for (auto* value : {&c.initial, &c.current, &c.next, &c.result}) *value = read_int();
            c.dtype = read_dtype();
            return c;
        });
        read_list(section.across, [&] {
            auto combine = read_enum(kernel::Combine::All);
            int value = read_int();
            return kernel::Across{combine, value, read_int()};
        });
        return section;
    }

    kernel::Instruction read_instruction() {
        kernel::Instruction i{};
        i.op = in_.one_of<kernel::OpCode>(kernel::opcode_count);
        i.dtype = read_dtype();
        i.result = read_int();
        for (size_t count = in_.count(); count > 0; --count) i.arguments.push_back(read_int());
        i.operand = read_int();
        i.axis = read_int();
        i.integer = in_.whole();
        double real = in_.real();
        i.number = {real, in_.real()};
        return i;
    }

    int depth_ = 0;
    std::map<const OpRecord*, std::shared_ptr<const Attrs>> attrs_;
};
}  // namespace

std::optional<std::string> pack_program(const Program& program, const PackOptions& options) {
    return Packer(options).run(program);
}

std::optional<Program> unpack_program(std::string_view bytes, const PackOptions& options) {
    try {
        return Unpacker(bytes, options).run();
    } catch (const NotReadable&) {
        return {};
    } catch (const Error&) {  // sizes that no array can have, steps in no order
        return {};
    }
}

}  // namespace croton::compile
