# How every library of this project is built, installed and described to others.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# While the major version is 0, each minor version may break the one before it: docs/adr/0003-versions.md.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(OPENINDEX_COMPATIBILITY SameMinorVersion)
  set(OPENINDEX_SOVERSION "0.${PROJECT_VERSION_MINOR}")
else()
  set(OPENINDEX_COMPATIBILITY SameMajorVersion)
  set(OPENINDEX_SOVERSION "${PROJECT_VERSION_MAJOR}")
endif()
set(OPENINDEX_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/openindex")

# openindex_library(<component> DESCRIPTION <sentence> HEADERS <file>... SOURCES <file>... LINKS <target>...
#                   [PKGCONFIG_REQUIRES <module>...] [PKGCONFIG_LIBS <flag>...])
#
# Make target `openindex` (component openindex) or `openindex_<component>`, with the alias openindex::<component>.
# Headers are relative to include/, sources to the calling folder; both are listed, so that adding one is a decision.
# LINKS is private; the last two say the same to programs that ask pkg-config.
#
# Beside it stands <target>_internals: what our other targets and our tests use of its inside, headers of the calling
# folder included. A static library simply has those symbols. A shared one hides them (only OPENINDEX_API is promised),
# so there the same object files are offered once more as an archive; a linker that has the shared library in front of
# it takes only the hidden parts from there. Exporting them instead would make them part of every release's binary
# interface. Two copies of a function in one process are harmless because the inside keeps no state of its own.
function(openindex_library component)
  cmake_parse_arguments(ARG "" "DESCRIPTION" "HEADERS;SOURCES;LINKS;PKGCONFIG_REQUIRES;PKGCONFIG_LIBS" ${ARGN})
  set(target openindex)
  set(core "")
  if(NOT component STREQUAL openindex)
    set(target openindex_${component})
    set(core openindex)
  endif()

  add_library(${target} ${ARG_SOURCES})
  add_library(openindex::${component} ALIAS ${target})
  list(TRANSFORM ARG_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/include/")
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${ARG_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${target} PUBLIC ${core} PRIVATE ${ARG_LINKS}) # in this order, see above
  set_target_properties(
    ${target}
    PROPERTIES EXPORT_NAME ${component}
               CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL}
               VERSION ${PROJECT_VERSION}
               SOVERSION ${OPENINDEX_SOVERSION}
               INSTALL_RPATH "$ORIGIN") # the libraries find each other wherever they are put

  if(BUILD_SHARED_LIBS)
    add_library(${target}_internals STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${target}>)
    set_target_properties(${target}_internals PROPERTIES LINKER_LANGUAGE CXX)
  else()
    add_library(${target}_internals INTERFACE)
  endif()
  target_include_directories(${target}_internals INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_libraries(${target}_internals INTERFACE ${ARG_LINKS})

  if(NOT OPENINDEX_INSTALL)
    return()
  endif()
  install(
    TARGETS ${target}
    EXPORT openindex-${component}-targets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  # One file of targets for each component: a program that wants the core alone needs neither SQLite nor libcurl.
  install(EXPORT openindex-${component}-targets NAMESPACE openindex:: DESTINATION "${OPENINDEX_PACKAGE_DIR}")
  set_property(GLOBAL APPEND PROPERTY OPENINDEX_COMPONENTS ${component})
  openindex_install_pkgconfig(${target} "${ARG_DESCRIPTION}" "${ARG_PKGCONFIG_REQUIRES}" "${ARG_PKGCONFIG_LIBS}")
endfunction()

# What a static library needs must be linked by everybody, so there it is public; a shared one keeps it to itself.
function(openindex_install_pkgconfig target description requires libs)
  set(PC_NAME "${target}")
  string(REPLACE "_" "-" PC_NAME "${PC_NAME}")
  set(PC_DESCRIPTION "${description}")
  set(PC_REQUIRES "")
  if(NOT target STREQUAL openindex)
    set(PC_REQUIRES "openindex = ${PROJECT_VERSION}")
  endif()
  if(NOT BUILD_SHARED_LIBS)
    list(APPEND PC_REQUIRES ${requires})
  endif()
  list(JOIN PC_REQUIRES ", " PC_REQUIRES)
  set(PC_LIBS "-l${target}")
  if(NOT BUILD_SHARED_LIBS)
    list(APPEND PC_LIBS ${libs})
  endif()
  list(JOIN PC_LIBS " " PC_LIBS)
  # The prefix is told relative to the file, so that an installed tree can be moved.
  file(RELATIVE_PATH PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/openindex.pc.in" "${PROJECT_BINARY_DIR}/${PC_NAME}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${PC_NAME}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

# The file that find_package(openindex) reads, and its version file.
function(openindex_install_package)
  get_property(OPENINDEX_COMPONENTS GLOBAL PROPERTY OPENINDEX_COMPONENTS)
  string(COMPARE NOTEQUAL "${BUILD_SHARED_LIBS}" "" OPENINDEX_SHARED)
  configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/openindex-config.cmake.in" "${PROJECT_BINARY_DIR}/openindex-config.cmake"
    INSTALL_DESTINATION "${OPENINDEX_PACKAGE_DIR}" NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/openindex-config-version.cmake"
                                   COMPATIBILITY ${OPENINDEX_COMPATIBILITY})
  install(FILES "${PROJECT_BINARY_DIR}/openindex-config.cmake" "${PROJECT_BINARY_DIR}/openindex-config-version.cmake"
          DESTINATION "${OPENINDEX_PACKAGE_DIR}")
endfunction()
