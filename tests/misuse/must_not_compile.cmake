# cmake -DCOMPILER=... -DSOURCE=... -DINCLUDE=... -P must_not_compile.cmake
file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1)
if(NOT first_line MATCHES "^// Refused with: (.+)$")
  message(FATAL_ERROR "${SOURCE} does not begin with '// Refused with: <regular expression>'")
endif()
set(expected "${CMAKE_MATCH_1}")

set(compile "${COMPILER}" -std=c++20 -fsyntax-only -Werror "-I${INCLUDE}")
execute_process(COMMAND ${compile} "${SOURCE}" RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "The correct use in ${SOURCE} must compile, and does not:\n${output}")
endif()

execute_process(COMMAND ${compile} -DMISUSE "${SOURCE}" RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "The misuse in ${SOURCE} compiles")
elseif(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "The misuse in ${SOURCE} is refused, but not with '${expected}':\n${output}")
endif()
