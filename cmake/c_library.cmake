# The library for C and C++ programs, `llamood::llamood`, and what makes it findable once installed:
#
#   find_package(llamood)                        target_link_libraries(game llamood::llamood)
#   pkg-config --cflags --libs llamood

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

find_package(nlohmann_json 3.11 QUIET CONFIG)
if(NOT nlohmann_json_FOUND)
  message(FATAL_ERROR
    "llamood's C library reads moods with nlohmann_json 3.11 or newer, which was not found. "
    "Install it (apt-get install nlohmann-json3-dev, brew install nlohmann-json, vcpkg install "
    "nlohmann-json), or say where it lies: -Dnlohmann_json_DIR=...")
endif()

find_package(ZLIB QUIET)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR
    "llamood's C library hears answers collapse by how far zlib compresses them, which was not "
    "found. Install it (apt-get install zlib1g-dev, vcpkg install zlib), or say where it lies: "
    "-DZLIB_ROOT=...")
endif()

# Moods as JSON text. They know only numbers, so their tests need no llama.cpp.
add_library(llamood_json OBJECT csrc/moods/json_text.cpp)
target_link_libraries(llamood_json PRIVATE nlohmann_json::nlohmann_json)
llamood_compile_options(llamood_json)
set_target_properties(llamood_json PROPERTIES POSITION_INDEPENDENT_CODE ON)

add_library(llamood SHARED
  csrc/voices/baseline.cpp
  csrc/capi/capi.cpp
  csrc/capi/capi_log.cpp
  csrc/capi/capi_model.cpp
  csrc/capi/capi_mood.cpp
  csrc/capi/capi_stage.cpp
  csrc/capi/capi_version.cpp
  csrc/capi/capi_voice.cpp
  csrc/capi/saved_file.cpp
  csrc/voices/cores.cpp
  csrc/voices/feeling_model.cpp
  csrc/voices/opened_context.cpp
  csrc/vectors/gguf_file.cpp
  csrc/voices/runner.cpp
  csrc/vectors/vectors.cpp
  $<TARGET_OBJECTS:llamood_text>
  $<TARGET_OBJECTS:llamood_json>
  $<TARGET_OBJECTS:llamood_moods>
  $<TARGET_OBJECTS:llamood_inside>)
add_library(llamood::llamood ALIAS llamood)
find_package(Threads REQUIRED)
target_link_libraries(llamood PRIVATE llamood_llama_cpp Threads::Threads ZLIB::ZLIB)
target_compile_definitions(llamood PRIVATE
  LLAMOOD_BUILDING LLAMOOD_PROJECT_VERSION="${PROJECT_VERSION}")
target_include_directories(llamood INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/csrc/capi>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
llamood_compile_options(llamood)

# What the standard library's templates leave visible, too, is no part of the interface.
if(UNIX AND NOT APPLE)
  target_link_options(llamood PRIVATE
    "LINKER:--version-script,${CMAKE_CURRENT_SOURCE_DIR}/cmake/llamood.map")
  set_property(TARGET llamood PROPERTY LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/llamood.map)
endif()

# Before 1.0 a minor version may break what was compiled against the one before it.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(LLAMOOD_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set(LLAMOOD_COMPATIBLE SameMinorVersion)
else()
  set(LLAMOOD_SOVERSION ${PROJECT_VERSION_MAJOR})
  set(LLAMOOD_COMPATIBLE SameMajorVersion)
endif()
set_target_properties(llamood PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${LLAMOOD_SOVERSION}
  PUBLIC_HEADER "csrc/capi/llamood.h;csrc/capi/llamood.hpp")

# What is installed can be moved: llama.cpp's libraries lie beside it, each under the one name by which
# others load it, and are looked for there alone. A llama.cpp that somebody installed need not say
# itself where its back ends lie; only the older of the two kinds of rpath holds for what a library
# loads, too.
if(LLAMOOD_BUNDLE)
  set(LLAMOOD_BUNDLED_IN ${CMAKE_INSTALL_LIBDIR})
  set(LLAMOOD_FOUND_IN ${LLAMA_CPP_LIB})
  if(WIN32)
    set(LLAMOOD_BUNDLED_IN ${CMAKE_INSTALL_BINDIR})
    set(LLAMOOD_FOUND_IN ${LLAMA_CPP_LIB} ${LLAMA_CPP_LIB}/../bin)
  endif()
  set(LLAMOOD_SUFFIX ${CMAKE_SHARED_LIBRARY_SUFFIX})
  foreach(folder ${LLAMOOD_FOUND_IN})
    foreach(name llama ggml*)
      file(GLOB found ${folder}/${CMAKE_SHARED_LIBRARY_PREFIX}${name}${LLAMOOD_SUFFIX})
      foreach(library ${found})
        get_filename_component(stem ${library} NAME_WLE)
        file(GLOB named LIST_DIRECTORIES false RELATIVE ${folder}
             ${folder}/${stem}${LLAMOOD_SUFFIX}.[0-9]* ${folder}/${stem}.[0-9]*${LLAMOOD_SUFFIX})
        list(FILTER named INCLUDE REGEX "^[^.]*\\.[^.]*\\.[^.]*$")  # libllama.so.0, libllama.0.dylib
        list(APPEND named ${stem}${LLAMOOD_SUFFIX})
        list(GET named 0 name_loaded)
        file(REAL_PATH ${library} library)
        install(FILES ${library} DESTINATION ${LLAMOOD_BUNDLED_IN} RENAME ${name_loaded})
      endforeach()
    endforeach()
  endforeach()
  set_target_properties(llamood PROPERTIES INSTALL_RPATH "${LLAMOOD_ORIGIN}")
  if(UNIX AND NOT APPLE)
    target_link_options(llamood PRIVATE "LINKER:--disable-new-dtags")
  endif()
else()
  set_target_properties(llamood PROPERTIES INSTALL_RPATH "${LLAMOOD_ORIGIN};${LLAMA_CPP_LIB}")
endif()

set(LLAMOOD_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/llamood)
configure_package_config_file(cmake/llamoodConfig.cmake.in llamoodConfig.cmake
  INSTALL_DESTINATION ${LLAMOOD_PACKAGE})
write_basic_package_version_file(llamoodConfigVersion.cmake COMPATIBILITY ${LLAMOOD_COMPATIBLE})
file(RELATIVE_PATH LLAMOOD_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" LLAMOOD_UP "${LLAMOOD_UP}")
configure_file(cmake/llamood.pc.in llamood.pc @ONLY)

install(TARGETS llamood EXPORT llamood
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT llamood FILE llamoodTargets.cmake NAMESPACE llamood:: DESTINATION ${LLAMOOD_PACKAGE})
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/llamoodConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/llamoodConfigVersion.cmake
  DESTINATION ${LLAMOOD_PACKAGE})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/llamood.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(PROJECT_IS_TOP_LEVEL)
  include(CTest)
  if(BUILD_TESTING)
    add_subdirectory(csrc/tests)
  endif()
  if(LLAMOOD_FUZZ)
    add_subdirectory(csrc/fuzz)
  endif()
endif()
