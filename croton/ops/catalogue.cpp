#include "croton/ops/catalogue.hpp"

#include <unordered_map>

#include "croton/base/error.hpp"
#include "croton/ops/families.hpp"

namespace croton {

const std::vector<std::pair<std::string_view, Family>>& catalogue() {
    static const auto& families = *new std::vector<std::pair<std::string_view, Family>>{
        {"arithmetic", families::arithmetic()},
        {"special", families::special()},
        {"compare", families::compare()},
        {"cast", families::cast()},
        {"reduce", families::reduce()},
        {"nnet", families::nnet()},
        {"shape", families::shape()},
        {"create", families::create()},
        {"index", families::index()},
        {"linalg", families::linalg()},
        {"sort", families::sort()},
        {"cumulative", families::cumulative()},
        {"random", families::random()},
        {"control", families::control()},
        {"loop", families::loop()},
        {"user", families::user()},
    };
    return families;
}

namespace {
using Index = std::unordered_map<std::string_view, const OpRecord*>;

Index index_by_name() {
    Index index;
    for (const auto& [name, family] : catalogue())
        for (const OpRecord* record : family)
            if (!index.emplace(record->name, record).second)
                fail(ErrorKind::Internal, "two op records are named ", record->name);
    return index;
}
}  // namespace

const OpRecord* find_op(std::string_view name) {
    static const auto& index = *new Index(index_by_name());
    auto found = index.find(name);
    return found == index.end() ? nullptr : found->second;
}

}  // namespace croton
