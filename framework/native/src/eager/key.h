// Cache keys: what a call looked like, frozen by value and type, compared with later calls without making Python
// objects.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bindings/python.h"
#include "tensor/layout.h"

namespace ms {

// How a number counts: by its value, or by its kind alone, as in what `mutable` marks.
enum class Numbers : uint8_t { kByValue, kMutableByKind, kByKind };

// One value of a call. A tensor is its element type and shape; a container its frozen elements; a number operand its
// kind alone.
class Frozen {
  public:
    // The value itself; nullopt when something in it cannot be hashed.
    [[nodiscard]] static std::optional<Frozen> value(PyObject* object, Numbers numbers = Numbers::kByValue);
    // An operand: a Python number stands for every number of its kind.
    [[nodiscard]] static std::optional<Frozen> operand(PyObject* object);

    [[nodiscard]] bool matches(PyObject* object) const;
    [[nodiscard]] bool matches_operand(PyObject* object) const;
    [[nodiscard]] bool operator==(const Frozen& other) const;

    int traverse(visitproc visit, void* arg) const;
    [[nodiscard]] std::string text() const;

  private:
    enum class Kind : uint8_t { kTensor, kNumber, kContainer, kSlice, kObject };

    [[nodiscard]] bool container_matches(PyObject* object) const;
    [[nodiscard]] static std::optional<Frozen> container(PyObject* object, Numbers numbers);
    [[nodiscard]] static Frozen number(int32_t kind);

    Kind kind_ = Kind::kObject;
    int32_t code_ = 0;  // element type, or kind of number
    LayoutRef layout_;
    nb::object object_;  // the object, or the type of a container or of a number that counts by its kind
    std::vector<Frozen> children_;
};

// The same hash for everything that `matches`; nullopt when something cannot be hashed.
[[nodiscard]] std::optional<uint64_t> hash_value(PyObject* object, Numbers numbers = Numbers::kByValue);
[[nodiscard]] std::optional<uint64_t> hash_operand(PyObject* object);

// Equal by value and type for numbers, strings and tuples of them; by identity for everything else. Runs no Python
// code.
[[nodiscard]] bool same_value(PyObject* left, PyObject* right);

}  // namespace ms
