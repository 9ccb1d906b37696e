#include "runtime/kernels.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/never_destroyed.h"
#include "runtime/cpu.h"

namespace ms {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"neon", "v2", "v3", "v4"};
using ByLevel = std::array<KernelFn, kLevels.size()>;

size_t active_level = 0;

size_t position_of(std::string_view level) {
    const auto* found = std::find(kLevels.begin(), kLevels.end(), level);
    return static_cast<size_t>(found - kLevels.begin());
}

std::map<std::string_view, ByLevel> read_table() {
    std::map<std::string_view, ByLevel> result;
    for (size_t i = 0; i < ms_kernel_count; ++i) {
        const auto& entry = ms_kernel_table[i];
        const size_t level = position_of(entry.level);
        if (level < kLevels.size()) result[entry.name][level] = entry.fn;
    }
    return result;
}

const std::map<std::string_view, ByLevel>& kernels() {
    static NeverDestroyed<std::map<std::string_view, ByLevel>> table(read_table());
    return table.get();
}

std::string joined(const std::vector<std::string_view>& names) {
    std::string text;
    for (const auto name : names) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

void choose(std::string_view level, std::string_view source) {
    const auto supported = supported_isa_levels();
    if (std::find(supported.begin(), supported.end(), level) == supported.end()) {
        throw Error(ErrorCode::kValue, std::string(source) + " must be one of the levels that this processor runs (" +
                                           joined(supported) + "), got '" + std::string(level) + "'");
    }
    active_level = position_of(level);
}

}  // namespace

void initialize_kernels() {
    const auto supported = supported_isa_levels();
    if (supported.empty()) {
        throw Error(
            ErrorCode::kRuntime,
            "this processor is older than x86-64-v2 (SSE4.2, POPCNT), which the kernels need; use a newer machine");
    }
    const char* wanted = std::getenv("MS_ISA_LEVEL");
    choose(wanted && *wanted ? std::string_view(wanted) : supported.back(), "the environment variable MS_ISA_LEVEL");
}

std::string isa_level() {
    return std::string(kLevels[active_level]);
}

void set_isa_level(std::string_view level) {
    choose(level, "the ISA level");
}

std::vector<std::string> kernel_names() {
    std::vector<std::string> names;
    for (const auto& [name, levels] : kernels()) names.emplace_back(name);
    return names;
}

KernelFn find_kernel(std::string_view name) {
    const auto found = kernels().find(name);
    if (found == kernels().end()) return nullptr;
    for (size_t level = active_level + 1; level-- > 0;) {
        if (KernelFn fn = found->second[level]) return fn;
    }
    return nullptr;
}

}  // namespace ms
