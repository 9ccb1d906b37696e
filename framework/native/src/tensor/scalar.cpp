#include "tensor/scalar.h"

#include <bit>
#include <cmath>
#include <complex>
#include <cstring>

#include "base/dtype.h"

namespace ms {
namespace {

template <class T>
T load(const std::byte* element) {
    T value;
    std::memcpy(&value, element, sizeof(T));
    return value;
}

template <class T>
void store(std::byte* element, T value) {
    std::memcpy(element, &value, sizeof(T));
}

double float_from(const std::byte* element, int32_t code) {
    switch (code) {
        case kFloat16:
            return PyFloat_Unpack2(reinterpret_cast<const char*>(element), std::endian::native == std::endian::little);
        case kBFloat16:
            return std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(element)) << 16);
        case kFloat32:
            return load<float>(element);
        default:
            return load<double>(element);
    }
}

// Round to nearest, ties to even; a NaN stays one.
uint16_t bfloat16_bits(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
    return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

// PyFloat_Pack2 refuses what rounds beyond the largest half; tensors take infinity then, as casts do.
void store_half(std::byte* element, double value) {
    constexpr double kRoundsToInfinity = 65520.0;
    if (std::abs(value) >= kRoundsToInfinity) value = std::copysign(INFINITY, value);
    if (PyFloat_Pack2(value, reinterpret_cast<char*>(element), std::endian::native == std::endian::little) != 0)
        throw_python_error();
}

void store_float(std::byte* element, int32_t code, double value) {
    switch (code) {
        case kFloat16:
            return store_half(element, value);
        case kBFloat16:
            return store(element, bfloat16_bits(static_cast<float>(value)));
        case kFloat32:
            return store(element, static_cast<float>(value));
        default:
            return store(element, value);
    }
}

double double_from(PyObject* number) {
    const double value = PyFloat_AsDouble(number);
    if (value == -1.0 && PyErr_Occurred()) throw_python_error();
    return value;
}

uint64_t integer_from_float(double value) {
    constexpr double kLimit = 9223372036854775808.0;
    if (value >= -kLimit && value < kLimit) return static_cast<uint64_t>(static_cast<int64_t>(value));
    throw Error(ErrorCode::kOverflow, "the number " + std::to_string(value) + " does not fit an integer element");
}

uint64_t integer_from(PyObject* number) {
    if (PyFloat_Check(number)) return integer_from_float(PyFloat_AS_DOUBLE(number));
    int overflow = 0;
    const auto value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow == 0) {
        if (value == -1 && PyErr_Occurred()) throw_python_error();
        return static_cast<uint64_t>(value);
    }
    const auto wide = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        throw Error(ErrorCode::kOverflow, "the integer does not fit 64 bits; use a float or a tensor instead");
    }
    return wide;
}

void store_integer(std::byte* element, int64_t itemsize, uint64_t value) {
    switch (itemsize) {
        case 1:
            return store(element, static_cast<uint8_t>(value));
        case 2:
            return store(element, static_cast<uint16_t>(value));
        case 4:
            return store(element, static_cast<uint32_t>(value));
        default:
            return store(element, value);
    }
}

void store_complex(std::byte* element, int32_t code, PyObject* number) {
    const Py_complex value = PyComplex_AsCComplex(number);
    if (PyErr_Occurred()) throw_python_error();
    if (code == kComplex64) {
        store(element, std::complex<float>(static_cast<float>(value.real), static_cast<float>(value.imag)));
    } else {
        store(element, std::complex<double>(value.real, value.imag));
    }
}

template <class T>
nb::object complex_from(const std::byte* element) {
    const auto value = load<std::complex<T>>(element);
    return checked(PyComplex_FromDoubles(value.real(), value.imag()));
}

int64_t signed_from(const std::byte* element, int64_t itemsize) {
    switch (itemsize) {
        case 1:
            return load<int8_t>(element);
        case 2:
            return load<int16_t>(element);
        case 4:
            return load<int32_t>(element);
        default:
            return load<int64_t>(element);
    }
}

uint64_t unsigned_from(const std::byte* element, int64_t itemsize) {
    const auto value = static_cast<uint64_t>(signed_from(element, itemsize));
    return itemsize == 8 ? value : value & ((uint64_t{1} << (8 * itemsize)) - 1);
}

}  // namespace

nb::object number_from_element(const std::byte* element, int32_t code) {
    const auto& type = dtype_info(code);
    switch (type.kind) {
        case 'b':
            return checked(PyBool_FromLong(load<uint8_t>(element)));
        case 'i':
            return checked(PyLong_FromLongLong(signed_from(element, type.itemsize)));
        case 'u':
            return checked(PyLong_FromUnsignedLongLong(unsigned_from(element, type.itemsize)));
        case 'f':
            return checked(PyFloat_FromDouble(float_from(element, code)));
        default:
            return code == kComplex64 ? complex_from<float>(element) : complex_from<double>(element);
    }
}

void element_from_number(PyObject* number, int32_t code, std::byte* element) {
    const auto& type = dtype_info(code);
    if (type.kind == 'c') return store_complex(element, code, number);
    if (PyComplex_Check(number)) {
        throw Error(ErrorCode::kType, "a complex number does not fit an element of type " + std::string(type.name));
    }
    if (type.kind == 'f') return store_float(element, code, double_from(number));
    if (type.kind == 'b') {
        const int truth = PyObject_IsTrue(number);
        if (truth < 0) throw_python_error();
        return store(element, static_cast<uint8_t>(truth));
    }
    store_integer(element, type.itemsize, integer_from(number));
}

}  // namespace ms
