#pragma once
// The sections of a kernel one after the other, row after row, as one piece of code: what one
// leaves to the next stays in registers. Private to the emitter.
#include "croton/backend/cpu/emit_section.hpp"

namespace croton::cpu {

class RowEmitter {
  public:
    /// Code goes into the empty block `start` of `function`, up to its return.
    RowEmitter(llvm::Function& function, const Plan& plan, const Scalars& types,
               llvm::BasicBlock& start);
    /// Sections in their order.
    void add(SectionEmitter& section);
    /// The end of the loop. Adds its stack variables to those that are to be promoted.
    void finish(std::vector<llvm::AllocaInst*>& variables);

  private:
    llvm::Value* word(llvm::IRBuilder<>& b, int number) const;
    void start_places(const Scalars& types);
    void start_place(int stream, llvm::Type* type);
    void move_places(llvm::IRBuilder<>& b);

    llvm::Function& function_;
    const Plan& plan_;
    Row row_;
    llvm::BasicBlock *head_ = nullptr, *end_ = nullptr;
    llvm::PHINode* number_ = nullptr;
};

}  // namespace croton::cpu
