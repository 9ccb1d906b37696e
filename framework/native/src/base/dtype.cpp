#include "base/dtype.h"

#include <array>
#include <string>

#include "base/error.h"

namespace ms {
namespace {

constexpr std::array<DTypeInfo, kCodeCount> kTypes{{
    {"Bool", 1, "?", 'b', DlKind::kBool},
    {"Int8", 1, "b", 'i', DlKind::kInt},
    {"Int16", 2, "h", 'i', DlKind::kInt},
    {"Int32", 4, "i", 'i', DlKind::kInt},
    {"Int64", 8, sizeof(long) == 8 ? "l" : "q", 'i', DlKind::kInt},
    {"UInt8", 1, "B", 'u', DlKind::kUInt},
    {"UInt16", 2, "H", 'u', DlKind::kUInt},
    {"UInt32", 4, "I", 'u', DlKind::kUInt},
    {"UInt64", 8, sizeof(long) == 8 ? "L" : "Q", 'u', DlKind::kUInt},
    {"Float16", 2, "e", 'f', DlKind::kFloat},
    {"Float32", 4, "f", 'f', DlKind::kFloat},
    {"Float64", 8, "d", 'f', DlKind::kFloat},
    {"BFloat16", 2, "H", 'f', DlKind::kBfloat},
    {"Complex64", 8, "Zf", 'c', DlKind::kComplex},
    {"Complex128", 16, "Zd", 'c', DlKind::kComplex},
}};

std::optional<char> kind_of_format(std::string_view format) {
    if (format == "?") return 'b';
    if (format == "Zf" || format == "Zd") return 'c';
    if (format.size() != 1) return std::nullopt;
    if (std::string_view("bhilqn").find(format[0]) != std::string_view::npos) return 'i';
    if (std::string_view("BHILQN").find(format[0]) != std::string_view::npos) return 'u';
    if (std::string_view("efd").find(format[0]) != std::string_view::npos) return 'f';
    return std::nullopt;
}

}  // namespace

const DTypeInfo& dtype_info(int64_t code) {
    return kTypes[static_cast<size_t>(checked_code(code))];
}

int32_t checked_code(int64_t code) {
    if (code >= 0 && code < kCodeCount) return static_cast<int32_t>(code);
    throw Error(ErrorCode::kValue, "dtype code must be in [0, " + std::to_string(kCodeCount) + "), got " +
                                       std::to_string(code) + "; pass DType.code");
}

std::optional<int32_t> code_of_format(std::string_view format, int64_t itemsize) {
    // '<' is this machine's own order on every architecture that is built for.
    if (!format.empty() && (format[0] == '@' || format[0] == '=' || format[0] == '<')) format.remove_prefix(1);
    const auto kind = kind_of_format(format);
    if (!kind) return std::nullopt;
    for (int32_t code = 0; code < kCodeCount; ++code) {
        const auto& type = kTypes[static_cast<size_t>(code)];
        if (type.kind == *kind && type.itemsize == itemsize && code != kBFloat16) return code;
    }
    return std::nullopt;
}

std::optional<int32_t> code_of_dlpack(uint8_t kind, uint8_t bits) {
    for (int32_t code = 0; code < kCodeCount; ++code) {
        const auto& type = kTypes[static_cast<size_t>(code)];
        if (static_cast<uint8_t>(type.dl_kind) == kind && type.itemsize * 8 == bits) return code;
    }
    return std::nullopt;
}

}  // namespace ms
