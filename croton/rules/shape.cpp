#include "croton/rules/tables.hpp"

namespace croton::rules {

const rewrite::Rules& shape() {
    static const rewrite::Rules rules = {};
    return rules;
}

}  // namespace croton::rules
