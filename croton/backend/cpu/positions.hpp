#pragma once
// What can be told of table positions from the first lane of a vector alone. No LLVM here.
//
// Lanes nearly always run along the last axis of their loops. Taking that for granted, a position
// is the same in all lanes, or one further from lane to lane, or neither; code checks at run time
// that the lanes did run that way, and is right if they did not.
#include <vector>

#include "croton/kernel/kernel.hpp"

namespace croton::cpu {

/// How the elements lie that the lanes of one load_at read.
enum class Reach : uint8_t {
    Scattered,   ///< anywhere
    Same,        ///< all lanes read one element
    Neighbours,  ///< each lane reads the element after that of the lane before
};

class Positions {
  public:
    /// `lanes`: for the form of a Reduce section whose lanes run along an outer axis.
    Positions(const kernel::Kernel& kernel, size_t section, bool lanes);

    Reach reach(const kernel::Instruction& load) const;
    /// Whether the value is certainly the same in all lanes that run along the lane axis.
    bool fixed(kernel::ValueId id) const { return form(id) == Form::Fixed; }
    /// Whether a vector of the value is wanted only where lanes do not lie as reach() says.
    bool spare(kernel::ValueId id) const { return spare_[static_cast<size_t>(id)]; }
    /// Whether an instruction loads a run of neighbours that begins where a table says.
    bool far_rows(const kernel::Instruction& i) const;
    /// The sources that a load's positions take to be the same in all lanes: index_ and load_
    /// instructions.
    std::vector<const kernel::Instruction*> fixed_sources(const kernel::Instruction& load) const;

  private:
    enum class Form : uint8_t { Unknown, Fixed, Stepping };
    Form form(kernel::ValueId id) const { return forms_[static_cast<size_t>(id)]; }
    Form form_of(const kernel::Kernel& kernel, const kernel::Instruction& i, int lane_axis) const;
    Form form_of_choice(const kernel::Instruction& i) const;
    template <class Visit>
    void visit_sources(const kernel::Instruction& load, Visit visit) const;
    void find_spares(const kernel::Kernel& kernel, size_t section);

    std::vector<Form> forms_;  ///< by value
    std::vector<int> costs_;   ///< by value: instructions to compute it in one lane
    std::vector<const kernel::Instruction*> definitions_;
    std::vector<bool> spare_;
};

}  // namespace croton::cpu
