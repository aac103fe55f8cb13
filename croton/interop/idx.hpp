#pragma once
// IDX files, the format of MNIST and Fashion-MNIST (yann.lecun.com/exdb/mnist, "the IDX file
// format"), and the data set that the examples train on.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "croton/type/array.hpp"

namespace croton {

/// Reads an IDX file, plain or gzip (seen by its contents): uint8, int8, int16, int32, float32 or
/// float64 elements of any rank. Io error, naming the file and the expected and found bytes, if it
/// is missing, corrupt, truncated or longer than its header says.
Array read_idx(const std::filesystem::path& path);

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): (images uint8 of shape (n, 28, 28), labels uint8 of
/// shape (n,), 0..9), n = 60000 for split "train" and 10000 for "test".
/// Looks in `folder` if given; else in the folders $CROTON_DATA and $CROTON_DATA/fashion-mnist if
/// that variable is set; else where Debian's package dataset-fashion-mnist puts it. Io error that
/// says how to get the data if it is not there; Value error for another split.
std::pair<Array, Array> fashion_mnist(std::string_view split,
                                      const std::filesystem::path& folder = {});

/// The ten names of the labels, "T-shirt" to "Ankle boot".
const std::vector<std::string>& fashion_mnist_classes();

}  // namespace croton
