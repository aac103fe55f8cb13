// The list of all rows, by family.
#include "tests/ops/row.hpp"

namespace croton::test {

const Rows& all_rows() {
    static const Rows rows = [] {
        Rows all;
        for (auto family : {arithmetic_rows, special_rows, compare_rows, cast_rows, reduce_rows,
                            nnet_rows, shape_rows, create_rows, index_rows, linalg_rows, sort_rows,
                            cumulative_rows, random_rows, control_rows, user_rows})
            for (auto& row : family()) all.push_back(std::move(row));
        return all;
    }();
    return rows;
}

}  // namespace croton::test
