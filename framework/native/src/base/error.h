// The one exception type of the native module; bindings turn its code into the Python exception.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace ms {

enum class ErrorCode {
    kType,
    kValue,
    kIndex,
    kOverflow,
    kRuntime,
    kRecursion,
    kBuffer,
    kMemory,
    kPython,  // a Python exception is already set
};

class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  private:
    ErrorCode code_;
    std::string message_;
};

}  // namespace ms
