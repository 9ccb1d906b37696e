// Which ISA level the ahead-of-time kernels may use, and how many processors this process may.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ms {

// The levels this machine runs, lowest first: {"v2", "v3"} or {"neon"}; empty when the processor is below x86-64-v2.
[[nodiscard]] std::vector<std::string_view> supported_isa_levels();

// `features` of the Runtime table.
[[nodiscard]] int64_t extra_features();

// Processors this process may keep busy: its affinity mask, lowered by the cgroup's quota.
[[nodiscard]] int64_t usable_processors();

}  // namespace ms
