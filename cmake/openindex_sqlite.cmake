# Which SQLite openindex::sqlite is built with, as the target SQLite::SQLite3: docs/storage.md.
include_guard(GLOBAL)

set(OPENINDEX_SQLITE_AMALGAMATION "" CACHE PATH
    "Folder with SQLite's sqlite3.c and sqlite3.h to build in; empty: the SQLite that CMake finds")

if(OPENINDEX_SQLITE_AMALGAMATION)
  enable_language(C)
  find_package(Threads REQUIRED)
  add_library(openindex_amalgamation STATIC "${OPENINDEX_SQLITE_AMALGAMATION}/sqlite3.c")
  add_library(SQLite::SQLite3 ALIAS openindex_amalgamation)
  target_include_directories(openindex_amalgamation SYSTEM
                             INTERFACE "$<BUILD_INTERFACE:${OPENINDEX_SQLITE_AMALGAMATION}>")
  # What distributions set: without them SQLite syncs more than it must, and sleeps in whole seconds.
  target_compile_definitions(openindex_amalgamation PRIVATE SQLITE_THREADSAFE=1 HAVE_FDATASYNC=1 HAVE_USLEEP=1)
  target_link_libraries(openindex_amalgamation PRIVATE Threads::Threads ${CMAKE_DL_LIBS} m)
  set_target_properties(openindex_amalgamation PROPERTIES EXPORT_NAME amalgamation POSITION_INDEPENDENT_CODE ON)
  if(OPENINDEX_INSTALL)
    install(TARGETS openindex_amalgamation EXPORT openindex-sqlite-targets
            ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  endif()
  set(openindex_sqlite_requires "")
  set(openindex_sqlite_libs -lopenindex_amalgamation -ldl -lm -pthread)
else()
  if(NOT TARGET SQLite::SQLite3) # a project around this one may have brought its own
    find_package(SQLite3 REQUIRED)
  endif()
  set(openindex_sqlite_requires sqlite3)
  set(openindex_sqlite_libs "")
endif()
