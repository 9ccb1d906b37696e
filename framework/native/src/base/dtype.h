// Element types: the native side of mindspore.base.dtypes, by the same codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ms {

enum Code : int32_t {
    kBool,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kUInt8,
    kUInt16,
    kUInt32,
    kUInt64,
    kFloat16,
    kFloat32,
    kFloat64,
    kBFloat16,
    kComplex64,
    kComplex128,
    kCodeCount,
};

// DLPack's type codes.
enum class DlKind : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6 };

struct DTypeInfo {
    std::string_view name;
    int64_t itemsize;
    const char* format;  // of the buffer protocol; bfloat16 has none and travels as uint16
    char kind;
    DlKind dl_kind;
};

// Error(kValue) for a code that names no type.
[[nodiscard]] const DTypeInfo& dtype_info(int64_t code);
[[nodiscard]] inline int64_t itemsize_of(int32_t code) {
    constexpr int64_t kSizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 2, 8, 16};
    return kSizes[code];
}
[[nodiscard]] int32_t checked_code(int64_t code);
// The code for a buffer-protocol format of one native-endian element.
[[nodiscard]] std::optional<int32_t> code_of_format(std::string_view format, int64_t itemsize);
[[nodiscard]] std::optional<int32_t> code_of_dlpack(uint8_t kind, uint8_t bits);

}  // namespace ms
