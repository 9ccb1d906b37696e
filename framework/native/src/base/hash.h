// Mixing of 64-bit hashes.
#pragma once

#include <cstdint>

namespace ms {

// Multiply-and-fold: two multiplications would mix better, one is enough for tables that compare keys on a match.
[[nodiscard]] inline uint64_t mix(uint64_t hash, uint64_t value) noexcept {
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
    hash = (hash ^ value) * kOdd;
    return hash ^ (hash >> 32);
}

}  // namespace ms
