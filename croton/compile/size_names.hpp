#pragma once
// Names for sizes that type rules leave unknown: what is certainly the same size gets the same
// name. Sizes are sums of products of other sizes where ops make them so (reshape, concatenate,
// slices, loops), or follow from other sizes in a way that is the same wherever it is met
// (broadcasting).
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "croton/graph/variable.hpp"

namespace croton::compile {

class SizeNames {
  public:
    /// Gives every unknown size of the node's results a symbol or a number. The inputs' sizes have
    /// symbols or numbers already.
    void name(Node& node);

  private:
    /// A product of sizes by their codes, in ascending order.
    using Product = std::vector<int64_t>;
    /// A sum of products, each with how often it is counted: never zero.
    using Sum = std::map<Product, int64_t>;
    using Known = std::optional<Sum>;

    static Sum number(int64_t value);
    static Sum plus(Sum a, const Sum& b, int64_t times = 1);
    static Sum times(const Sum& a, const Sum& b);
    static Known over(const Sum& a, const Sum& b);
    static bool never_negative(const Sum& a);

    Sum sum_of(Dim dim);
    Sum count_of(const Dims& dims);
    Known value_of(const Variable& scalar);
    Known value_of(const Variable& scalar, int& operations);
    Known picked_of(const Node& node, int& operations);
    Known element_of(const Variable& vector, size_t i, int& operations);

    Dim dim_of(const Sum& sum);
    Dim dim_by(std::vector<int64_t> rule);

    void name_by_shape(Node& node);
    void name_slices(Node& node);
    void name_joined(Node& node);
    void name_steps(Node& node);
    void name_range(Node& node);
    void name_broadcast(Node& node, size_t own);

    std::map<int64_t, Dim> single_;              ///< symbols that stand in products, by their codes
    std::map<Sum, Dim> dims_;                    ///< of sums that are no single size
    std::map<int64_t, Sum> sums_;                ///< the other way round, by the symbol's code
    std::map<std::vector<int64_t>, Dim> rules_;  ///< of sizes that follow in other ways
};

}  // namespace croton::compile
