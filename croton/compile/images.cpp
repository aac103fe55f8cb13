#include "croton/compile/images.hpp"

namespace croton::compile {

Variables Images::operator()(const Variables& variables) const {
    Variables result;
    for (const auto& v : variables) result.push_back((*this)(v));
    return result;
}

void Images::set(const Node* node, const Variables& fresh) {
    for (uint32_t i = 0; i < node->types.size(); ++i) images_.insert({node, i}, fresh[i]);
}

void Images::replace(const Node* node, const Variables& fresh) {
    Node& made = *fresh[0].node_pointer();
    made.names = node->names;
    for (uint32_t i = 0; i < made.types.size(); ++i) {
        for (size_t axis = 0; axis < made.types[i].dims.size(); ++axis)
            if (made.types[i].dims[axis].unknown())
                made.types[i].dims[axis] = node->types[i].dims[axis];
        images_[{node, i}] = fresh[i];
    }
}

bool Images::carry_over(Node* node) {
    Variables inputs = (*this)(node->inputs);
    if (inputs == node->inputs) return false;
    replace(node, apply_like(*node, std::move(inputs)));
    return true;
}

}  // namespace croton::compile
