# Script: runs the kernel generator unless OUTPUT already holds the kernels of these very sources.
# -DPYTHON= -DFRAMEWORK_DIR= -DOUTPUT= -DARCH=
cmake_minimum_required(VERSION 3.25)
file(LOCK "${OUTPUT}.lock" GUARD PROCESS)

file(GLOB_RECURSE inputs
  "${FRAMEWORK_DIR}/mindspore/kernels/*.py" "${FRAMEWORK_DIR}/mindspore/primitives/*.py"
  "${FRAMEWORK_DIR}/mindspore/base/*.py" "${FRAMEWORK_DIR}/mindspore/ir/*.py")
list(APPEND inputs "${FRAMEWORK_DIR}/native/runtime_abi.h")
list(SORT inputs)
execute_process(COMMAND "${PYTHON}" -c "import llvmlite; print(llvmlite.__version__)"
  OUTPUT_VARIABLE key COMMAND_ERROR_IS_FATAL ANY)
string(APPEND key "${ARCH}\n${OUTPUT}\n")
foreach(input IN LISTS inputs)
  file(SHA256 "${input}" hash)
  cmake_path(RELATIVE_PATH input BASE_DIRECTORY "${FRAMEWORK_DIR}" OUTPUT_VARIABLE name)
  string(APPEND key "${name} ${hash}\n")
endforeach()
string(SHA256 key "${key}")

set(known "")
if(EXISTS "${OUTPUT}/key.txt")
  file(READ "${OUTPUT}/key.txt" known)
endif()

if(NOT known STREQUAL key)
  # Made beside the old ones and moved when complete: an error leaves what was there.
  set(fresh "${OUTPUT}.new")
  file(REMOVE_RECURSE "${fresh}")
  file(MAKE_DIRECTORY "${fresh}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "PYTHONPATH=${FRAMEWORK_DIR}"
            "${PYTHON}" -m mindspore.kernels.aot --output "${fresh}" --arch "${ARCH}"
    COMMAND_ERROR_IS_FATAL ANY)
  if(EXISTS "${fresh}/table.c" AND NOT EXISTS "${fresh}/table.cpp")
    file(RENAME "${fresh}/table.c" "${fresh}/table.cpp")
  endif()
  # Paths may be relative to the list or lie in the folder that is moved; the linker wants where they will be.
  file(STRINGS "${fresh}/objects.txt" objects)
  set(response "")
  foreach(object IN LISTS objects)
    cmake_path(ABSOLUTE_PATH object BASE_DIRECTORY "${fresh}" NORMALIZE)
    cmake_path(RELATIVE_PATH object BASE_DIRECTORY "${fresh}")
    string(APPEND response "\"${OUTPUT}/${object}\"\n")
  endforeach()
  file(WRITE "${fresh}/objects.rsp" "${response}")
  file(WRITE "${fresh}/key.txt" "${key}")
  file(REMOVE_RECURSE "${OUTPUT}")
  file(RENAME "${fresh}" "${OUTPUT}")
endif()
file(TOUCH "${OUTPUT}/table.cpp" "${OUTPUT}/objects.rsp")
