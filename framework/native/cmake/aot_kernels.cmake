# Ahead-of-time kernels: generated from the Python sources below, again only when the content of one of them changes.
# Sets AOT_TABLE (a source), AOT_LINK_OPTIONS and AOT_DEPENDS.
set(AOT_GENERATOR "${FRAMEWORK_DIR}/mindspore/kernels/aot.py")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${FRAMEWORK_DIR}/mindspore/kernels")

if(NOT MS_AOT OR NOT EXISTS "${AOT_GENERATOR}")
  message(STATUS "Without ahead-of-time kernels: linking an empty kernel table")
  set(AOT_TABLE "${CMAKE_CURRENT_SOURCE_DIR}/src/runtime/empty_table.cpp")
  return()
endif()

file(GLOB_RECURSE AOT_INPUTS CONFIGURE_DEPENDS
  "${FRAMEWORK_DIR}/mindspore/kernels/*.py" "${FRAMEWORK_DIR}/mindspore/primitives/*.py"
  "${FRAMEWORK_DIR}/mindspore/base/*.py" "${FRAMEWORK_DIR}/mindspore/ir/*.py")
set(AOT_TABLE "${MS_AOT_DIR}/table.cpp")
set(AOT_OBJECTS "${MS_AOT_DIR}/objects.rsp")

# Touching a file without changing it must not cost minutes, so the script compares a hash of the contents itself.
add_custom_command(
  OUTPUT "${AOT_TABLE}" "${AOT_OBJECTS}"
  COMMAND "${CMAKE_COMMAND}" -DPYTHON=${Python_EXECUTABLE} -DFRAMEWORK_DIR=${FRAMEWORK_DIR} -DOUTPUT=${MS_AOT_DIR} -DARCH=${MS_ARCH}
          -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/generate_kernels.cmake"
  DEPENDS ${AOT_INPUTS} "${CMAKE_CURRENT_SOURCE_DIR}/cmake/generate_kernels.cmake" "${CMAKE_CURRENT_SOURCE_DIR}/runtime_abi.h"
  COMMENT "Ahead-of-time kernels for ${MS_ARCH}"
  USES_TERMINAL
  VERBATIM)
# A response file, because the objects are not known before they are made.
set(AOT_LINK_OPTIONS "@${AOT_OBJECTS}")
set(AOT_DEPENDS "${AOT_OBJECTS}")
