// Copies between strided layouts of one shape.
#include <algorithm>
#include <cstring>

#include "tensor/tensor.h"

namespace ms {
namespace {

struct Axis {
    int64_t count;
    int64_t from;  // step in bytes
    int64_t to;
};

// Axes of more than one element, outermost first; neighbours that form one run on both sides are joined.
std::vector<Axis> joined_axes(const Layout& from, const Layout& to, int64_t itemsize) {
    std::vector<Axis> axes;
    for (size_t i = 0; i < from.shape().size(); ++i) {
        const Axis axis{from.shape()[i], from.strides()[i] * itemsize, to.strides()[i] * itemsize};
        if (axis.count == 1) continue;
        if (!axes.empty() && axes.back().from == axis.count * axis.from && axes.back().to == axis.count * axis.to) {
            axes.back() = {axes.back().count * axis.count, axis.from, axis.to};
        } else {
            axes.push_back(axis);
        }
    }
    return axes;
}

template <size_t kSize>
void copy_row(const std::byte* from, std::byte* to, const Axis& axis) {
    for (int64_t i = 0; i < axis.count; ++i) std::memcpy(to + i * axis.to, from + i * axis.from, kSize);
}

void copy_row(const std::byte* from, std::byte* to, const Axis& axis, int64_t itemsize) {
    if (axis.from == itemsize && axis.to == itemsize) {
        std::memcpy(to, from, static_cast<size_t>(axis.count * itemsize));
        return;
    }
    switch (itemsize) {
        case 1:
            return copy_row<1>(from, to, axis);
        case 2:
            return copy_row<2>(from, to, axis);
        case 4:
            return copy_row<4>(from, to, axis);
        case 8:
            return copy_row<8>(from, to, axis);
        default:
            return copy_row<16>(from, to, axis);
    }
}

}  // namespace

void copy_elements(const Layout& from_layout, const std::byte* from, const Layout& to_layout, std::byte* to,
                   int64_t itemsize) {
    if (from_layout.size() == 0) return;
    auto axes = joined_axes(from_layout, to_layout, itemsize);
    if (axes.empty()) axes.push_back({1, itemsize, itemsize});
    const Axis row = axes.back();
    axes.pop_back();
    std::vector<int64_t> position(axes.size(), 0);
    while (true) {
        copy_row(from, to, row, itemsize);
        size_t axis = axes.size();
        while (axis > 0 && ++position[axis - 1] == axes[axis - 1].count) {
            --axis;
            from -= (axes[axis].count - 1) * axes[axis].from;
            to -= (axes[axis].count - 1) * axes[axis].to;
            position[axis] = 0;
        }
        if (axis == 0) return;
        from += axes[axis - 1].from;
        to += axes[axis - 1].to;
    }
}

}  // namespace ms
