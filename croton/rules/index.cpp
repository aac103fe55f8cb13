#include "croton/rules/tables.hpp"

namespace croton::rules {

const rewrite::Rules& index() {
    static const rewrite::Rules rules = {};
    return rules;
}

}  // namespace croton::rules
