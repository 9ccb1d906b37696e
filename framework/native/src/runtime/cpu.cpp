#include "runtime/cpu.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ms {
namespace {

#if defined(__x86_64__)
struct Registers {
    uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t part = 0) {
    Registers r;
    __get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx);
    return r;
}

// Which register files the operating system saves: without that, wide instructions fault although the processor has
// them.
uint64_t saved_state() {
    uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t{high} << 32) | low;
}

bool all(uint32_t value, std::initializer_list<int> bits) {
    return std::all_of(bits.begin(), bits.end(), [value](int bit) { return (value >> bit & 1U) != 0; });
}

// Bit numbers are those of the processor manuals, in the order of the x86-64 psABI's level table.
bool has_v2(const Registers& one) {
    return all(one.ecx, {0, 9, 13, 19, 20, 23});
}
bool has_v3(const Registers& one, const Registers& seven, const Registers& extended) {
    return all(one.ecx, {12, 22, 27, 28, 29}) && (saved_state() & 0x6) == 0x6 && all(seven.ebx, {3, 5, 8}) &&
           all(extended.ecx, {5});
}
bool has_v4(const Registers& seven) {
    return (saved_state() & 0xe6) == 0xe6 && all(seven.ebx, {16, 17, 28, 30, 31});
}
#endif

// "max 100000" or "200000 100000" -> processors, rounded up.
std::optional<int64_t> quota_of(const std::string& quota, const std::string& period) {
    std::istringstream quota_text(quota), period_text(period);
    int64_t allowed = 0, every = 0;
    if (!(quota_text >> allowed) || !(period_text >> every) || allowed <= 0 || every <= 0) return std::nullopt;
    return (allowed + every - 1) / every;
}

std::optional<int64_t> quota_in(const std::string& folder) {
    std::string quota, period;
    if (std::ifstream(folder + "/cpu.max") >> quota >> period) return quota_of(quota, period);
    std::ifstream first(folder + "/cpu.cfs_quota_us"), second(folder + "/cpu.cfs_period_us");
    if (first >> quota && second >> period) return quota_of(quota, period);
    return std::nullopt;
}

// The own cgroup and each above it may set a quota; the smallest holds. In a container the own path is often not
// mounted.
int64_t cgroup_limit(int64_t most) {
    std::vector<std::string> folders{"/sys/fs/cgroup", "/sys/fs/cgroup/cpu"};
    std::ifstream memberships("/proc/self/cgroup");
    for (std::string line; std::getline(memberships, line);) {
        const auto colon = line.rfind(':');
        if (colon == std::string::npos) continue;
        for (std::string path = line.substr(colon + 1); path.size() > 1; path.resize(path.rfind('/'))) {
            folders.push_back("/sys/fs/cgroup" + path);
            folders.push_back("/sys/fs/cgroup/cpu" + path);
        }
    }
    for (const auto& folder : folders) most = std::min(most, quota_in(folder).value_or(most));
    return most;
}

}  // namespace

std::vector<std::string_view> supported_isa_levels() {
#if defined(__x86_64__)
    const auto one = cpuid(1), seven = cpuid(7), extended = cpuid(0x80000001);
    if (!has_v2(one)) return {};
    if (!has_v3(one, seven, extended)) return {"v2"};
    if (!has_v4(seven)) return {"v2", "v3"};
    return {"v2", "v3", "v4"};
#else
    return {"neon"};
#endif
}

int64_t extra_features() {
    int64_t found = 0;
#if defined(__x86_64__)
    const auto seven = cpuid(7);
    if (has_v4(seven) && seven.eax >= 1 && all(cpuid(7, 1).eax, {5})) found |= 1;
#endif
    return found;
}

int64_t usable_processors() {
    int64_t count = std::max(1U, std::thread::hardware_concurrency());
#if defined(__linux__)
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof(mask), &mask) == 0) count = CPU_COUNT(&mask);
#endif
    return std::max<int64_t>(1, cgroup_limit(count));
}

}  // namespace ms
