#include "croton/rules/tables.hpp"

namespace croton::rules {

const rewrite::Rules& reduce() {
    static const rewrite::Rules rules = {};
    return rules;
}

}  // namespace croton::rules
