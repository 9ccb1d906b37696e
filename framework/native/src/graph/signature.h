// The hashable description of a call's arguments, by which compiled graphs are found.
#pragma once

#include <string>

#include "eager/key.h"

namespace ms {

class Signature {
  public:
    // Error(kType) names the argument that cannot be hashed.
    explicit Signature(nb::tuple args);

    [[nodiscard]] uint64_t hash() const noexcept { return hash_; }
    [[nodiscard]] bool operator==(const Signature& other) const;
    [[nodiscard]] std::string text() const;

    int traverse(visitproc visit, void* arg) const;
    void clear() { values_.clear(); }

  private:
    uint64_t hash_;
    std::vector<Frozen> values_;
};

}  // namespace ms
