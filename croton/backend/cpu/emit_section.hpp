#pragma once
// One section of a kernel as a function: see plan.hpp for its frame. Private to the emitter.
#include <functional>
#include <map>

#include "croton/backend/cpu/emit.hpp"
#include "croton/backend/cpu/positions.hpp"

namespace croton::cpu {

/// What the sections of a row have in common, where one function runs them all: stack variables
/// by stream, to be promoted to registers, and where the function begins.
struct Row {
    std::vector<llvm::AllocaInst*> places;  ///< where each stream stands; of slots: their values
    llvm::BasicBlock* entry = nullptr;
};

class SectionEmitter {
  public:
    /// `lanes`: the form of a Reduce or Loop section whose lanes run along an outer axis.
    SectionEmitter(llvm::Module& module, const kernel::Kernel& kernel, const Plan& plan,
                   const Level& level, Maths& maths, size_t section, bool lanes);
    /// Writes the section's code into an empty block of `function`, up to its return. With the
    /// selector `one_by_one` it takes lanes one by one, wherever in memory they are.
    void emit(llvm::Function& function, llvm::BasicBlock& start,
              llvm::ConstantInt* one_by_one = nullptr);
    /// Writes the section's code for one row at the end of `block`, and says where it ends.
    llvm::BasicBlock* emit(llvm::Function& function, llvm::BasicBlock* block, const Row& row);
    /// Whether the lanes form of a Loop section can do so: its code for fewer lanes than a vector
    /// has then serves single ones, and a heavy body is compiled once.
    bool serves_one_by_one() const;
    /// Stack variables of the section, to be promoted to registers.
    const std::vector<llvm::AllocaInst*>& variables() const { return variables_; }

  private:
    /// A stream while the function runs. `at` is where the innermost loop stands, `outer_at` where
    /// the loop around it does; both are stack variables that are promoted to registers at the end.
    struct Live {
        llvm::Value *at = nullptr, *outer_at = nullptr;
        /// Of a stream whose steps are in the code: where its row begins, and where that begins
        /// which is read soon. The number of lanes done says the rest.
        llvm::Value *base = nullptr, *ahead = nullptr;
        llvm::Value *step = nullptr, *row = nullptr;
        llvm::Value* vector_step = nullptr;  ///< from vector to vector
        llvm::Value* buffer = nullptr;       ///< a vector of copies of a broadcast element
        llvm::Value* offsets = nullptr;      ///< numbers: what each lane adds
        Lanes uniform;                       ///< the element of a stream that never moves
    };
    struct Running {  ///< an accumulator
        llvm::Value *value = nullptr, *imaginary = nullptr, *position = nullptr;
        llvm::Type *type = nullptr, *position_type = nullptr;
    };

    // emit_section.cpp: loops
    void open(llvm::Function& function, llvm::BasicBlock& start);
    llvm::IRBuilder<> at_function_entry();
    void start_streams(bool lanes);
    void start_stream(int stream, bool lanes);
    void start_in_row(int stream);
    void start_slots();
    llvm::Value* where(int stream);
    llvm::Value* lanes_on(llvm::Value* base, int stream);
    void emit_once();
    void emit_nest();

    // emit_groups.cpp: vectors side by side, whose quotients come from products where they may
    void start_groups();
    void emit_groups(llvm::Value* count);
    void emit_group(llvm::Value* left);

    void emit_lanes();
    void emit_lane_chunk(llvm::Value* mask, llvm::Value* lanes);
    void prefetch_stream(int stream, llvm::Value* ahead);
    std::vector<int> fresh_operands() const;
    bool writes_operands() const;
    bool streams_operands() const;
    void prefetch_next_rows();
    void prefetch_row();
    llvm::Value* emit_head(llvm::Value* count);
    void loop(llvm::Value* first, llvm::Value* last, llvm::Value* step,
              const std::function<void(llvm::Value*)>& body);
    void when(llvm::Value* condition, const std::function<void()>& body);
    void loop_in_order(const std::function<void(llvm::Value*)>& body);
    void return_if_stopped();
    void fill_buffers();
    void fill_rests(llvm::Value* mask, llvm::Value* left);
    void start_row();
    void move_rows(llvm::Value* count);
    void advance(unsigned lanes);
    void advance_outer(bool by_row, unsigned lanes);
    size_t weight() const;
    bool is_long() const;
    bool waits_for_itself() const;
    unsigned unrolling() const;
    bool masked_throughout() const;
    bool shares_quotients() const { return plan_.tailored && plan_.by_products > 0; }
    bool reads_gaps() const;
    bool runs_once() const {
        bool one_index = plan_.outer == 0 || plan_.whole_rows || plan_.form == Form::Rows;
        return uses_.kind == kernel::SectionKind::Outer && one_index;
    }
    llvm::Value* lanes_at_once();
    llvm::Value* word(int number);
    llvm::Value* tail_mask(llvm::Value* left);
    llvm::AllocaInst* variable(llvm::Type* type);
    bool moves_as_address(const Stream& stream) const {
        return stream.kind != StreamKind::Index && stream.kind != StreamKind::Position;
    }

    // emit_body.cpp: one copy of the section's body
    void emit_body(llvm::Value* mask);
    void emit_instruction(const kernel::Instruction& i);
    Lanes value(kernel::ValueId id);
    Lanes slot_value(int slot, size_t v);
    bool is_position(int slot) const;
    Lanes load_stream(int stream);
    Lanes load_from(llvm::Value* address, DType dtype, llvm::Value* mask);
    Lanes load_apart(int stream);
    llvm::Value* pick(llvm::Type* type, llvm::Value* address, unsigned apart);
    void store_stream(int stream, Lanes value, DType dtype);
    Lanes number_stream(int stream);

    // emit_tables.cpp: elements at computed positions
    struct Elements {  ///< what the lanes read
        llvm::Value *base, *offsets, *allowed;
    };
    Lanes load_at(const kernel::Instruction& i);
    Elements elements_of(const kernel::Instruction& i);
    llvm::Value* base_of(const TablePlan& table);
    llvm::Value* first_lane(kernel::ValueId id);
    llvm::Value* needed_value(kernel::ValueId id);
    llvm::Value* lane_step(kernel::ValueId id);
    llvm::Value* sources_stand(const kernel::Instruction& i);
    struct Run {  ///< what the lanes of a row read, if they read neighbours or one element
        llvm::Value *holds, *first;      ///< whether they do so, and where the first one reads
        llvm::Value* element = nullptr;  ///< the one element
    };
    Run run_of(const kernel::Instruction& i, llvm::Value* last);
    void start_runs(llvm::Value* lanes);
    void prefetch_runs(llvm::Value* row);
    void prefetch(llvm::Value* address, uint64_t offset);
    bool has_far_rows() const;
    llvm::Value* load_run(const kernel::Instruction& i);
    llvm::Value* load_near(llvm::Value* address, DType dtype);
    llvm::Value* load_anywhere(const kernel::Instruction& i, DType dtype);
    llvm::Value* choose(llvm::Value* condition, const std::function<llvm::Value*()>& yes,
                        const std::function<llvm::Value*()>& no);
    llvm::Value* zeros();
    llvm::Value* gather(llvm::Value* base, llvm::Value* offsets, llvm::Value* allowed, DType dtype);
    llvm::Value* gather_or_load(const Elements& elements, DType dtype);
    llvm::Value* any(llvm::Value* condition);
    void note_faults(const kernel::Instruction& i, llvm::ArrayRef<llvm::Value*> indices,
                     llvm::ArrayRef<llvm::Value*> bad);

    // emit_reduce.cpp: accumulators, and states of loop sections
    std::vector<Running> start_accumulators();
    void fold(std::vector<Running>& accumulators, llvm::Value* mask);
    void finish_accumulators(std::vector<std::vector<Running>>& copies, unsigned width,
                             std::vector<Running>& rest);
    void load_accumulators(std::vector<Running>& accumulators, llvm::Value* mask);
    void store_accumulators(std::vector<Running>& accumulators, llvm::Value* mask);
    void fold_across();
    std::vector<Running> start_states();
    void load_states(std::vector<Running>& states, llvm::Value* mask);
    void step_states(std::vector<Running>& states);
    Lanes read(const Running& accumulator);
    void write(const Running& accumulator, Lanes value);

    llvm::Module& module_;
    const kernel::Kernel& kernel_;
    const Plan& plan_;
    const Level& level_;
    const kernel::Section& section_;
    const SectionPlan& uses_;
    llvm::IRBuilder<> b_;
    Scalars scalars_;
    std::vector<DType> dtypes_;
    std::vector<const kernel::Instruction*> definitions_;
    unsigned width_;  ///< lanes of a whole vector
    Positions positions_;
    bool lanes_form_;

    llvm::Function* function_ = nullptr;
    llvm::BasicBlock* entry_ = nullptr;  ///< the section's first block
    const Row* row_ = nullptr;           ///< null: the section is called by itself
    llvm::Value* one_by_one_ = nullptr;  ///< whether lanes are taken one by one; null: never
    llvm::Value* frame_ = nullptr;
    std::vector<Live> live_;     ///< by stream
    std::vector<int> used_;      ///< streams that this section moves
    std::vector<Lanes> values_;  ///< by value, in the copy of the body being written
    std::vector<Lanes> first_;   ///< the same in the first lane alone, where that is wanted
    const std::vector<Running>* states_ = nullptr;  ///< of the loop section that is written
    llvm::Value* mask_ = nullptr;                   ///< lanes that exist, in that copy; null: all
    std::map<kernel::ValueId, Run> runs_;           ///< of the row that is being written
    unsigned copies_before_ = 0;                    ///< of the body, in one iteration
    llvm::Value* lanes_before_ = nullptr;           ///< of the row, before this iteration
    bool anywhere_ = false;                         ///< in code for lanes that read anywhere
    bool quiet_ = false;                            ///< in code that only looks ahead
    llvm::Value* zeros_ = nullptr;
    struct Unstored {
        int stream;
        Lanes value;
        DType dtype;
    };
    std::vector<Unstored>* unstored_ = nullptr;  ///< where stores are kept until it is known that
                                                 ///< values are right; null: they are written
    llvm::AllocaInst* waiting_ = nullptr;        ///< groups until products are tried again
    std::vector<llvm::AllocaInst*> variables_;
    std::map<int, llvm::Value*> words_;
};

}  // namespace croton::cpu
