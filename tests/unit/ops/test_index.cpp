#include <cmath>

#include "croton/ops/index_text.hpp"
#include "tests/unit/ops/support.hpp"

namespace croton::test {
namespace {

// Against NumPy's rule said another way: which positions a walk from start by step meets.
TEST(IndexText, SlicesTakeWhatAWalkTakes) {
    for (int64_t size : {0, 1, 5})
        for (int start = -8; start <= 8; ++start)
            for (int stop = -8; stop <= 8; ++stop)
                for (int64_t step : {-7, -2, -1, 1, 3, 9}) {
                    auto range = slice_range(start, stop, step, size);
                    std::vector<int64_t> want, got;
                    int64_t from = start < 0 ? start + size : start;
                    int64_t to =
                        stop < 0 ? std::max<int64_t>(stop + size, step > 0 ? 0 : -1) : stop;
                    if (step > 0) from = std::max<int64_t>(from, 0);
                    if (step < 0) from = std::min(from, size - 1);
                    for (int64_t i = from; step > 0 ? i < to : i > to; i += step)
                        if (i >= 0 && i < size) want.push_back(i);
                    for (int64_t i = 0; i < range.length; ++i)
                        got.push_back(range.first + i * range.step);
                    EXPECT_EQ(got, want) << start << ":" << stop << ":" << step << " of " << size;
                }
    EXPECT_EQ(slice_range(0, {}, INT64_MAX, 5).length, 1);
    EXPECT_EQ(slice_range({}, {}, INT64_MIN, 5).length, 1);
}

TEST(IndexText, ReadsAndWrites) {
    for (auto text : {"$:5, ::-1, 2, :", "", "-3", "@, new, $:$:$", ":-1:2"})
        EXPECT_EQ(index_text(parse_index(text)), text);
    EXPECT_EQ(index_text(parse_index(" 1 :2,: ")), "1:2, :");
    for (auto text : {",", "1,", "a", "1:2:3:4", "$$", "99999999999999999999"})
        expect_error(ErrorKind::Value, "cannot be read", [&] { parse_index(text); });
}

TEST(Subtensor, IntegersAndSlices) {
    Variable x = variable("f64[?,4]"), n = variable("i64[]", "n");
    Feed feed{{x, counting({3, 4})}, {n, Array::scalar(int64_t{-1})}};
    expect_array(value(at(x, {1}), feed), {4}, {4, 5, 6, 7});
    expect_array(value(at(x, {n, 0}), feed), {}, {8});
    expect_array(value(at(x, {Slice(1, {}), Slice({}, n, 2)}), feed), {2, 2}, {4, 6, 8, 10});
    expect_array(value(at(x, {everything, Slice({}, {}, -1)}), feed), {3, 4},
                 {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8});
    expect_array(value(at(x, {Slice(2, 0, n), newaxis, 3}), feed), {2, 1}, {11, 7});
    expect_array(value(at(x, {ellipsis, newaxis}), feed), {3, 4, 1},
                 counting({12}).to_vector<double>());
    expect_array(value(at(x, {ellipsis, 1}), feed), {3}, {1, 5, 9});
    expect_array(value(at(x, {Slice(5, 9)}), feed), {0, 4}, {});
    EXPECT_EQ(at(x, {everything, Slice(1, -1)}).type().text(), "f64[?,2]");
    EXPECT_EQ(at(variable("f64[n]"), {Slice({}, {}, -1)}).type().text(), "f64[n]");
}

TEST(Subtensor, Errors) {
    Variable x = variable("f64[?,4]"), n = variable("i64[]", "n");
    expect_error(ErrorKind::Index, "too many indices: 3", [&] { at(x, {0, 0, 0}); });
    expect_error(ErrorKind::Index, "index 4 is out of bounds for axis 1 of size 4",
                 [&] { at(x, {0, 4}); });
    expect_error(ErrorKind::Index, "index -4 is out of bounds for axis 0 of size 3",
                 [&] { value(at(x, {-4}), {{x, counting({3, 4})}}); });
    expect_error(ErrorKind::Index, "index 3 is out of bounds", [&] {
        value(at(x, {n}), {{x, counting({3, 4})}, {n, Array::scalar(int64_t{3})}});
    });
    expect_error(ErrorKind::Value, "step of a slice", [&] { at(x, {Slice(0, 1, 0)}); });
    expect_error(ErrorKind::Index, "one ellipsis", [&] { at(x, {ellipsis, ellipsis}); });
    expect_error(ErrorKind::Type, "must be an integer", [&] { at(x, {variable("f64[]")}); });
}

TEST(SetIndex, SetsAndAdds) {
    Variable x = variable("f64[?,3]"), y = variable("f64[?]", "y");
    Feed feed{{x, counting({2, 3})}, {y, Array::of<double>({10, 20})}};
    expect_array(value(set_subtensor(at(x, {everything, 1}), y), feed), {2, 3},
                 {0, 10, 2, 3, 20, 5});
    expect_array(value(inc_subtensor(at(x, {everything, Slice({}, {}, -2)}), 100), feed), {2, 3},
                 {100, 1, 102, 103, 4, 105});
    expect_array(value(set_subtensor(at(x, {newaxis, 1}), 7), feed), {2, 3}, {0, 1, 2, 7, 7, 7});
    expect_array(value(set_subtensor(at(x, {everything}), 0), feed), {2, 3}, {0, 0, 0, 0, 0, 0});
    expect_error(ErrorKind::Shape, "does not broadcast to (3,)",
                 [&] { value(set_subtensor(at(x, {0}), y), feed); });
    expect_error(ErrorKind::Type, "cannot write float64 into an array of int32",
                 [] { set_subtensor(at(variable("i32[?]"), {0}), 1.5); });
    expect_error(ErrorKind::Usage, "indexed expression", [&] { set_subtensor(x, 1); });
    expect_error(ErrorKind::Usage, "indexed expression", [&] { set_subtensor(x + 1, 1); });
}

TEST(Take, PositionsOfAnyRank) {
    Variable x = variable("f64[?,3]"), i = variable("i32[?,?]", "i");
    Feed feed{{x, counting({2, 3})}, {i, Array::of<int32_t>({1, -1, 0, -2}).reshape({2, 2})}};
    expect_array(value(take(x, i), feed), {2, 2, 3}, {3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2});
    EXPECT_EQ(take(x, i, 1).rank(), 3);
    expect_array(value(take(x, 2, 1), feed), {2}, {2, 5});
    expect_array(value(take(x, Array::of<int64_t>({5, -4}), 1, "wrap"), feed), {2, 2},
                 {2, 2, 5, 5});
    expect_array(value(take(x, Array::of<int64_t>({5, -4}), 1, "clip"), feed), {2, 2},
                 {2, 0, 5, 3});
    expect_error(ErrorKind::Index, "3",
                 [&] { value(take(x, Array::of<int64_t>({0, 3}), 1), feed); });
    expect_error(ErrorKind::Type, "not bools", [&] { take(x, variable("b1[?]")); });
    expect_error(ErrorKind::Type, "integer positions", [&] { take(x, variable("f64[?]")); });
    expect_error(ErrorKind::Value, "mode of take", [&] { take(x, i, 0, "maybe"); });
}

TEST(Put, RepeatedPositionsAddUp) {
    Variable x = variable("f64[?,2]"), i = variable("i64[?]", "i"), y = variable("f64[?,2]", "y");
    Feed feed{{x, counting({3, 2})},
              {i, Array::of<int64_t>({0, -1, 0})},
              {y, Array::of<double>({10, 20, 30, 40, 50, 60}).reshape({3, 2})}};
    expect_array(value(inc_subtensor(take(x, i), y), feed), {3, 2}, {60, 81, 2, 3, 34, 45});
    expect_array(value(set_subtensor(at(x, {i}), y), feed), {3, 2}, {50, 60, 2, 3, 30, 40});
    expect_array(value(inc_subtensor(at(x, {everything, Array::of<int64_t>({1, 1})}), 1), feed),
                 {3, 2}, {0, 3, 2, 5, 4, 7});
    feed[1].second = Array::of<int64_t>({0, 3, 0});
    expect_error(ErrorKind::Index, "index 3 is out of bounds for axis 0 of size 3",
                 [&] { value(set_subtensor(take(x, i), y), feed); });
}

TEST(Advanced, MixturesFollowNumPy) {
    Variable x = variable("f64[?,?,?]"), n = variable("i64[]", "n");
    Feed feed{{x, counting({2, 3, 4})}, {n, Array::scalar(int64_t{1})}};
    Array rows = Array::of<int64_t>({0, 1}), columns = Array::of<int64_t>({3, 0});
    // x[[0, 1], :, [3, 0]]: apart, so the positions come first.
    expect_array(value(at(x, {rows, everything, columns}), feed), {2, 3}, {3, 7, 11, 12, 16, 20});
    // x[:, [0, 1], [3, 0]]
    expect_array(value(at(x, {everything, rows, columns}), feed), {2, 2}, {3, 4, 15, 16});
    // x[1, 1:, [3, 0]]: the integer counts as an array
    expect_array(value(at(x, {n, Slice(1, {}), columns}), feed), {2, 2}, {19, 23, 16, 20});
    // x[:, None, [0, 1], ::2]
    expect_array(value(at(x, {everything, newaxis, rows, Slice({}, {}, 2)}), feed), {2, 1, 2, 2},
                 {0, 2, 4, 6, 12, 14, 16, 18});
    expect_array(
        value(set_subtensor(at(x, {n, Slice(1, {}), columns}), -1), feed), {2, 3, 4},
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, 17, 18, -1, -1, 21, 22, -1});
    expect_array(value(inc_subtensor(at(x, {rows, everything, columns}), 100), feed), {2, 3, 4},
                 {0,   1,  2,  103, 4,   5,  6,  107, 8,   9,  10, 111,
                  112, 13, 14, 15,  116, 17, 18, 19,  120, 21, 22, 23});
}

// Many elements added to few go into several sums; multiples of 1/8 add up without rounding.
TEST(Advanced, ManyElementsAddToFew) {
    for (int64_t size : {1, 8, 85, 600})
        for (int64_t count : {0, 1, 63, 64, 350, 2500})
            for (DType dtype : {DType::Float64, DType::Float32, DType::Int32, DType::UInt8,
                                DType::Float16, DType::Complex64, DType::Bool})
                for (DType positions : {DType::Int64, DType::Int32, DType::UInt16}) {
                    Numbers numbers, at;
                    Numbers sums(static_cast<size_t>(size), 0);
                    for (int64_t n = 0; n < count; ++n) {
                        auto place = n * 7919 % size;
                        double term =
                            is_continuous(dtype) ? double(n % 5) / 8 - 0.25 : double(n % 2);
                        bool from_end = n % 3 == 0 && positions != DType::UInt16;
                        at.push_back(double(from_end ? place - size : place));
                        numbers.push_back(term);
                        sums[static_cast<size_t>(place)] += term;
                    }
                    Variable x = input(TensorType{dtype, {Dim()}}, "x"),
                             y = input(TensorType{dtype, {Dim()}}, "y"),
                             i = input(TensorType{positions, {Dim()}}, "i");
                    Feed feed{{x, Array::zeros(dtype, {size})},
                              {y, Array::of(numbers, {count}).cast(dtype)},
                              {i, Array::of(at, {count}).cast(positions)}};
                    Array found = value(inc_subtensor(take(x, i), y), feed);
                    EXPECT_TRUE(found.identical(Array::of(sums, {size}).cast(dtype)))
                        << dtype_name(dtype) << " " << size << " " << count << "\n"
                        << found.text();
                }
}

TEST(Advanced, AddingManyKeepsWhatIsThere) {
    Variable x = variable("f64[?]"), i = variable("i64[?]", "i");
    std::vector<int64_t> at(300, 1);
    Feed feed{{x, Array::of<double>({-0.0, 2, -0.0})}, {i, Array::of(at, {300})}};
    Array found = value(inc_subtensor(take(x, i), 1.0), feed);
    expect_array(found, {3}, {-0.0, 302, -0.0});
    EXPECT_TRUE(std::signbit(found.to_vector<double>()[0]));
    at[200] = 3;
    feed[1].second = Array::of(at, {300});
    expect_error(ErrorKind::Index, "index 3 is out of bounds for axis 0 of size 3",
                 [&] { value(inc_subtensor(take(x, i), 1.0), feed); });
}

TEST(Advanced, BoolArraysChoose) {
    Variable x = variable("f64[?,?]"), mask = variable("b1[?,?]", "mask");
    Feed feed{{x, counting({2, 2})},
              {mask, Array::of<bool>({true, false, true, true}).reshape({2, 2})}};
    expect_array(value(at(x, {mask}), feed), {3}, {0, 2, 3});
    expect_array(value(set_subtensor(at(x, {mask}), -1), feed), {2, 2}, {-1, 1, -1, -1});
    expect_array(value(nonzero(x), feed), {2, 3}, {0, 1, 1, 1, 0, 1});
}

TEST(TakeAlongAxis, OneAnElement) {
    Variable x = variable("f64[?,?]"), i = variable("i64[?,?]", "i");
    Feed feed{{x, counting({2, 3})}, {i, Array::of<int64_t>({2, 0, -1, 1}).reshape({2, 2})}};
    expect_array(value(take_along_axis(x, i, 1), feed), {2, 2}, {2, 0, 5, 4});
    expect_array(value(set_subtensor(take_along_axis(x, i, 1), 9), feed), {2, 3},
                 {9, 1, 9, 3, 9, 9});
    Feed wide{{x, counting({2, 3})}, {i, Array::of<int64_t>({1}).reshape({1, 1})}};
    expect_array(value(take_along_axis(x, i, 1), wide), {2, 1}, {1, 4});
}

}  // namespace
}  // namespace croton::test
