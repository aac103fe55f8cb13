#include <llvm/IR/Dominators.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include "croton/backend/cpu/emit_rows.hpp"

namespace croton::cpu {

using namespace llvm;

namespace {
// LLVM's hundred passes cost about as much for each function as for a screen of code: sections, and
// several small kernels, share a function that begins with a switch.
constexpr int64_t most_length = 160;

class FunctionMaker {
  public:
    FunctionMaker(Module& module, const Level& level, const std::string& name)
        : module_(module), level_(level), name_(name) {
        auto& context = module.getContext();
        auto* type =
            FunctionType::get(Type::getVoidTy(context),
                              {PointerType::get(context, 0), Type::getInt64Ty(context)}, false);
        function_ = Function::Create(type, GlobalValue::ExternalLinkage, name, module);
        function_->setDoesNotThrow();
        if (level.vector_bytes == 64) {
            function_->addFnAttr("prefer-vector-width", "512");
            function_->addFnAttr("min-legal-vector-width", "512");
        }
        IRBuilder<> b(BasicBlock::Create(context, "entry", function_));
        auto* nowhere = BasicBlock::Create(context, "nowhere", function_);
        switch_ = b.CreateSwitch(function_->getArg(1), nowhere);
        b.SetInsertPoint(nowhere);
        b.CreateUnreachable();
    }

    Placement add(const Source& source, Maths& maths) {
        Placement placement{name_, next_};
        const Plan& plan = *source.plan;
        size_t end = std::min(source.kernel->sections.size() - 1, plan.last_section) + 1;
        if (plan.whole_rows) emit_rows(source, maths);
        for (size_t s = plan.first_section; s < end && !plan.whole_rows; ++s) {
            bool lanes = has_lanes_form(*source.kernel, s), both = false;
            if (lanes) both = emitter(source, maths, s, true).serves_one_by_one();
            if (!both && !(lanes && plan.form == Form::Columns)) emit(source, maths, s, false);
            if (lanes && plan.form != Form::Rows) emit(source, maths, s, true);
        }
        next_ += section_selector(source.kernel->sections.size(), false);
        length_ += code_length(*source.kernel, plan);
        last_ = source.kernel;
        return placement;
    }

    bool has_room_for(const Source& source) const {
        bool another_part = source.kernel == last_;
        return another_part || length_ + code_length(*source.kernel, *source.plan) <= most_length;
    }

    void finish() {
        DominatorTree tree(*function_);
        std::erase_if(variables_, [](auto* variable) { return !isAllocaPromotable(variable); });
        PromoteMemToReg(variables_, tree);
    }

  private:
    SectionEmitter emitter(const Source& source, Maths& maths, size_t section, bool lanes) {
        return {module_, *source.kernel, *source.plan, level_, maths, section, lanes};
    }

    void emit(const Source& source, Maths& maths, size_t section, bool lanes) {
        SectionEmitter emitter = this->emitter(source, maths, section, lanes);
        auto* block = BasicBlock::Create(module_.getContext(), "section", function_);
        switch_->addCase(selector(section, lanes), block);
        bool both = lanes && emitter.serves_one_by_one();
        auto* one_by_one = both ? selector(section, false) : nullptr;
        if (both) switch_->addCase(one_by_one, block);
        emitter.emit(*function_, *block, one_by_one);
        const auto& made = emitter.variables();
        variables_.insert(variables_.end(), made.begin(), made.end());
    }

    // All sections, row after row.
    void emit_rows(const Source& source, Maths& maths) {
        auto* block = BasicBlock::Create(module_.getContext(), "rows", function_);
        switch_->addCase(selector(0, false), block);
        IRBuilder<> b(block);
        RowEmitter rows(*function_, *source.plan, Scalars(b, level_, maths), *block);
        for (size_t s = 0; s < source.kernel->sections.size(); ++s) {
            SectionEmitter emitter = this->emitter(source, maths, s, false);
            rows.add(emitter);
            const auto& made = emitter.variables();
            variables_.insert(variables_.end(), made.begin(), made.end());
        }
        rows.finish(variables_);
    }

    ConstantInt* selector(size_t section, bool lanes) {
        return ConstantInt::get(Type::getInt64Ty(module_.getContext()),
                                static_cast<uint64_t>(next_ + section_selector(section, lanes)));
    }

    Module& module_;
    const Level& level_;
    std::string name_;
    Function* function_;
    SwitchInst* switch_;
    std::vector<AllocaInst*> variables_;
    int64_t next_ = 0, length_ = 0;
    const kernel::Kernel* last_ = nullptr;
};
}  // namespace

std::vector<Placement> emit_kernels(Module& module, std::span<const Source> sources,
                                    const Level& level, Maths& maths) {
    std::vector<Placement> placements;
    std::unique_ptr<FunctionMaker> maker;
    int functions = 0;
    for (const Source& source : sources) {
        if (maker && !maker->has_room_for(source)) {
            maker->finish();
            maker.reset();
        }
        if (!maker)
            maker = std::make_unique<FunctionMaker>(module, level,
                                                    "kernels" + std::to_string(functions++));
        placements.push_back(maker->add(source, maths));
    }
    if (maker) maker->finish();
    return placements;
}

}  // namespace croton::cpu
