// A counted pointer to an object that carries its own count (`retain` and `release`).
#pragma once

#include <utility>

namespace ms {

template <class T>
class Counted {
  public:
    Counted() noexcept = default;
    Counted(const Counted& other) noexcept : object_(other.object_) {
        if (object_) object_->retain();
    }
    Counted(Counted&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    ~Counted() { reset(); }

    Counted& operator=(Counted other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }

    // Takes over one count that the caller owns.
    [[nodiscard]] static Counted adopt(T* object) noexcept {
        Counted result;
        result.object_ = object;
        return result;
    }
    [[nodiscard]] static Counted share(T* object) noexcept {
        if (object) object->retain();
        return adopt(object);
    }

    void reset() noexcept {
        if (T* object = std::exchange(object_, nullptr)) object->release();
    }
    [[nodiscard]] T* detach() noexcept { return std::exchange(object_, nullptr); }
    [[nodiscard]] T* get() const noexcept { return object_; }
    T* operator->() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    bool operator==(const Counted& other) const noexcept { return object_ == other.object_; }

  private:
    T* object_ = nullptr;
};

}  // namespace ms
