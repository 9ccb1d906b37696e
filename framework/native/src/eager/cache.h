// The bounded table of one EagerOp: from frozen calls to what `resolve` returned for them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "eager/key.h"

namespace ms {

class Plan;

// The arguments of one call, borrowed.
struct Call {
    PyObject* const* operands;
    size_t operand_count;
    PyObject* const* rest;  // further positional arguments, then the keywords' values
    size_t rest_count;
    PyObject* keywords;  // tuple of names or null
    bool packed;         // the operands were the elements of the first argument
};

// What a call resolves to: a plan, or any callable when `plan` is null.
struct Target {
    nb::object callable;
    const Plan* plan = nullptr;
};

class Key {
  public:
    // nullopt when an argument cannot be hashed: such a call is not cached.
    [[nodiscard]] static std::optional<uint64_t> hash(const Call& call);
    [[nodiscard]] static std::optional<Key> freeze(const Call& call);
    [[nodiscard]] bool matches(const Call& call) const;
    int traverse(visitproc visit, void* arg) const;

  private:
    std::vector<Frozen> operands_;
    std::vector<Frozen> rest_;
    nb::object keywords_;
    bool packed_ = false;
};

class Cache {
  public:
    static constexpr size_t kMostEntries = 4096;

    [[nodiscard]] std::optional<Target> find(uint64_t hash, const Call& call);
    void insert(uint64_t hash, Key key, Target target);
    void clear();
    [[nodiscard]] size_t size() const noexcept { return size_; }
    int traverse(visitproc visit, void* arg) const;

  private:
    // Counted, because comparing a key may run Python code that changes the table.
    struct Entry {
        Key key;
        Target target;
        int64_t count = 1;
        void retain() noexcept { ++count; }
        void release() noexcept {
            if (--count == 0) delete this;
        }
    };
    struct Slot {
        uint64_t hash = 0;
        Counted<Entry> entry;
    };

    void place(Slot slot);
    void grow();

    std::vector<Slot> slots_;
    size_t size_ = 0;
    uint64_t changes_ = 0;
};

}  // namespace ms
