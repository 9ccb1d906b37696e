#include "eager/cache.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/hash.h"

namespace ms {
namespace {

bool same_names(PyObject* left, PyObject* right) {
    if (left == right) return true;
    if (!left || !right || PyTuple_GET_SIZE(left) != PyTuple_GET_SIZE(right)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(left); ++i) {
        PyObject *a = PyTuple_GET_ITEM(left, i), *b = PyTuple_GET_ITEM(right, i);
        if (a != b && PyUnicode_Compare(a, b) != 0) return false;
    }
    return true;
}

}  // namespace

std::optional<uint64_t> Key::hash(const Call& call) {
    uint64_t hash = call.operand_count * 2 + call.packed;
    for (size_t i = 0; i < call.operand_count; ++i) {
        const auto one = hash_operand(call.operands[i]);
        if (!one) return std::nullopt;
        hash = mix(hash, *one);
    }
    for (size_t i = 0; i < call.rest_count; ++i) {
        const auto one = hash_value(call.rest[i]);
        if (!one) return std::nullopt;
        hash = mix(hash, *one);
    }
    return hash;
}

std::optional<Key> Key::freeze(const Call& call) {
    Key key;
    key.packed_ = call.packed;
    key.keywords_ = call.keywords ? nb::borrow(call.keywords) : nb::object();
    for (size_t i = 0; i < call.operand_count; ++i) {
        auto one = Frozen::operand(call.operands[i]);
        if (!one) return std::nullopt;
        key.operands_.push_back(std::move(*one));
    }
    for (size_t i = 0; i < call.rest_count; ++i) {
        auto one = Frozen::value(call.rest[i]);
        if (!one) return std::nullopt;
        key.rest_.push_back(std::move(*one));
    }
    return key;
}

bool Key::matches(const Call& call) const {
    if (operands_.size() != call.operand_count || rest_.size() != call.rest_count || packed_ != call.packed)
        return false;
    for (size_t i = 0; i < operands_.size(); ++i) {
        if (!operands_[i].matches_operand(call.operands[i])) return false;
    }
    if (!same_names(keywords_.ptr(), call.keywords)) return false;
    for (size_t i = 0; i < rest_.size(); ++i) {
        if (!rest_[i].matches(call.rest[i])) return false;
    }
    return true;
}

int Key::traverse(visitproc visit, void* arg) const {
    for (const auto* group : {&operands_, &rest_}) {
        for (const auto& one : *group) {
            if (const int stop = one.traverse(visit, arg)) return stop;
        }
    }
    return 0;
}

std::optional<Target> Cache::find(uint64_t hash, const Call& call) {
    if (slots_.empty()) return std::nullopt;
    const uint64_t changes = changes_;
    const size_t mask = slots_.size() - 1;
    for (size_t i = hash & mask; slots_[i].entry; i = (i + 1) & mask) {
        if (slots_[i].hash != hash) continue;
        const auto entry = slots_[i].entry;
        if (entry->key.matches(call)) return entry->target;
        if (changes_ != changes) return find(hash, call);
    }
    return std::nullopt;
}

void Cache::place(Slot slot) {
    const size_t mask = slots_.size() - 1;
    size_t i = slot.hash & mask;
    while (slots_[i].entry) i = (i + 1) & mask;
    slots_[i] = std::move(slot);
}

void Cache::grow() {
    std::vector<Slot> old(std::max<size_t>(8, slots_.size() * 2));
    std::swap(old, slots_);
    for (auto& slot : old) {
        if (slot.entry) place(std::move(slot));
    }
}

void Cache::insert(uint64_t hash, Key key, Target target) {
    if (size_ >= kMostEntries) clear();
    ++changes_;
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    auto entry = std::make_unique<Entry>(std::move(key), std::move(target));
    place({hash, Counted<Entry>::adopt(entry.release())});
    ++size_;
}

void Cache::clear() {
    ++changes_;
    size_ = 0;
    // Emptied before anything is destroyed: destructors may run Python code that calls the same operator.
    const std::vector<Slot> old = std::exchange(slots_, {});
}

int Cache::traverse(visitproc visit, void* arg) const {
    for (const auto& slot : slots_) {
        if (!slot.entry) continue;
        Py_VISIT(slot.entry->target.callable.ptr());
        if (const int stop = slot.entry->key.traverse(visit, arg)) return stop;
    }
    return 0;
}

}  // namespace ms
