#pragma once
// NumPy's file formats: .npy (numpy.lib.format, versions 1.0 to 3.0) and .npz (a zip archive of
// .npy files).
#include <filesystem>
#include <map>
#include <string>

#include "croton/type/array.hpp"

namespace croton {

/// Reads one array, of either byte order. A file in Fortran order gives an array with strides in
/// that order. Bytes after the array are ignored, as NumPy does (it writes several arrays into one
/// open file). Io error if the file is missing, corrupt or truncated (with the expected and found
/// bytes); Unsupported error for element types that Croton lacks, pickled objects among them.
Array load_npy(const std::filesystem::path& path);

/// Writes one array in C order, little endian. The file appears whole or not at all: a full disk or
/// a folder that cannot be written is an Io error with the path and the system's reason. bfloat16
/// is an Unsupported error: NumPy has no such type (cast to float32, or write safetensors).
void save_npy(const std::filesystem::path& path, const Array& array);

/// Reads every array of an archive by its name (without ".npy"); stored and deflated entries,
/// CRC-32 checked. Errors as in load_npy; an entry that is no array is an Unsupported error.
std::map<std::string, Array> load_npz(const std::filesystem::path& path);

/// Writes the arrays as numpy.savez does, or numpy.savez_compressed if `compress`. The same arrays
/// give the same bytes at any time.
void save_npz(const std::filesystem::path& path, const std::map<std::string, Array>& arrays,
              bool compress = false);

}  // namespace croton
