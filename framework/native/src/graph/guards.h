// The Python state that a compiled graph depends on, checked natively at each call.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bindings/python.h"

namespace ms {

// Stands for "the key is absent" among expected values.
[[nodiscard]] nb::object missing();

class Guards {
  public:
    using Entry = std::tuple<std::string, nb::object, nb::object, nb::object>;  // kind, container, key, expected

    explicit Guards(const std::vector<Entry>& entries);

    [[nodiscard]] bool check() const;
    [[nodiscard]] size_t size() const noexcept { return guards_.size(); }

    int traverse(visitproc visit, void* arg) const;
    void clear();

  private:
    enum class Kind { kDict, kCell, kItem, kClass, kLen };
    struct Guard {
        Kind kind;
        nb::object container;
        nb::object key;
        nb::object expected;
    };

    [[nodiscard]] static Guard parse(const Entry& entry);
    [[nodiscard]] static bool holds(const Guard& guard);
    // What stands there now, borrowed; null when nothing does.
    [[nodiscard]] static PyObject* content(const Guard& guard);

    std::vector<Guard> guards_;
};

}  // namespace ms
