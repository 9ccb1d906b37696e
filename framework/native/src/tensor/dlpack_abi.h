// The structures of DLPack 1.x, as its specification lays them out in memory.
#pragma once

#include <cstdint>

namespace ms::dlpack {

inline constexpr int32_t kCpu = 1;
inline constexpr uint64_t kReadOnly = 1;
inline constexpr uint32_t kMajor = 1;
inline constexpr uint32_t kMinor = 0;

struct Device {
    int32_t type;
    int32_t id;
};

struct DataType {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
};

struct Array {
    void* data;
    Device device;
    int32_t ndim;
    DataType dtype;
    int64_t* shape;
    int64_t* strides;  // in elements; null means row-major
    uint64_t byte_offset;
};

struct Managed {
    Array array;
    void* context;
    void (*deleter)(Managed*);
};

struct Version {
    uint32_t major;
    uint32_t minor;
};

struct ManagedVersioned {
    Version version;
    void* context;
    void (*deleter)(ManagedVersioned*);
    uint64_t flags;
    Array array;
};

}  // namespace ms::dlpack
