#include "graph/signature.h"

#include "base/hash.h"

namespace ms {

Signature::Signature(nb::tuple args) : hash_(args.size()) {
    values_.reserve(args.size());
    for (size_t i = 0; i < args.size(); ++i) {
        const nb::object argument = args[i];
        const auto hash = hash_value(argument.ptr(), Numbers::kMutableByKind);
        auto value = hash ? Frozen::value(argument.ptr(), Numbers::kMutableByKind) : std::nullopt;
        if (!value) {
            throw Error(ErrorCode::kType, "argument " + std::to_string(i) +
                                              " must be a tensor, a hashable value, or tuples, lists and dicts "
                                              "of these; got " +
                                              type_name(argument.ptr()));
        }
        hash_ = mix(hash_, *hash);
        values_.push_back(std::move(*value));
    }
}

bool Signature::operator==(const Signature& other) const {
    return this == &other || (hash_ == other.hash_ && values_ == other.values_);
}

std::string Signature::text() const {
    std::string inside;
    for (const auto& value : values_) inside += (inside.empty() ? "" : ", ") + value.text();
    return "Signature(" + inside + ")";
}

int Signature::traverse(visitproc visit, void* arg) const {
    for (const auto& value : values_) {
        if (const int stop = value.traverse(visit, arg)) return stop;
    }
    return 0;
}

}  // namespace ms
