# The llama.cpp to build against, as the target llamood_llama_cpp; its libraries lie in
# LLAMA_CPP_LIB.
#
# Either the one that `import llama_cpp` loads, and no other: its headers are installed in
# site-packages/include, its libraries in site-packages/llama_cpp/lib. (site-packages/lib holds a
# second copy; linking to that one would put two llama.cpps into one process.) The script also asks
# the library itself for its version, which is compiled in and checked when llamood is imported.
#
# Or, for the C library alone, the one that is installed at LLAMOOD_LLAMA_CPP, where
# `cmake --install` of llama.cpp puts its CMake package.

# What csrc/ was written against; what it relies on is no promise of llama.cpp's.
set(LLAMOOD_LLAMA_CPP_COMMIT 0c1e570)

add_library(llamood_llama_cpp INTERFACE)

if(LLAMOOD_LLAMA_CPP)
  if(LLAMOOD_PYTHON)
    message(FATAL_ERROR "The Python module is built against the llama.cpp of llama-cpp-python; "
                        "leave LLAMOOD_LLAMA_CPP empty, or give -DLLAMOOD_PYTHON=OFF too")
  endif()
  enable_language(C)  # of which its package asks for a feature
  find_package(llama CONFIG REQUIRED PATHS "${LLAMOOD_LLAMA_CPP}" NO_DEFAULT_PATH)
  set(LLAMA_CPP_LIB ${LLAMA_LIB_DIR})
  target_link_libraries(llamood_llama_cpp INTERFACE llama)
  if(NOT LLAMA_BUILD_COMMIT STREQUAL LLAMOOD_LLAMA_CPP_COMMIT)
    message(WARNING "llamood was written against llama.cpp ${LLAMOOD_LLAMA_CPP_COMMIT}, found "
                    "${LLAMA_BUILD_COMMIT}; run the tests (ctest) before you rely on it")
  endif()
else()
  if(NOT LLAMOOD_PYTHON)
    # Where `make` puts llama-cpp-python, also in a shell that did not activate it.
    if(NOT DEFINED Python_EXECUTABLE AND NOT DEFINED ENV{VIRTUAL_ENV}
       AND EXISTS "${PROJECT_SOURCE_DIR}/.venv/bin/python")
      set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/.venv/bin/python")
    endif()
    find_package(Python REQUIRED COMPONENTS Interpreter)
  endif()
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/find_llama_cpp.py
    OUTPUT_VARIABLE LLAMA_CPP_FACTS
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE LLAMA_CPP_RESULT)
  if(NOT LLAMA_CPP_RESULT EQUAL 0)
    message(FATAL_ERROR "llama-cpp-python was not found by ${Python_EXECUTABLE}; install it first "
                        "(see README, Install), or, for the C library alone, give the prefix of an "
                        "installed llama.cpp: -DLLAMOOD_PYTHON=OFF -DLLAMOOD_LLAMA_CPP=/prefix")
  endif()
  list(GET LLAMA_CPP_FACTS 0 LLAMA_CPP_INCLUDE)
  list(GET LLAMA_CPP_FACTS 1 LLAMA_CPP_LIB)
  list(GET LLAMA_CPP_FACTS 2 GGML_VERSION_BUILT)
  list(GET LLAMA_CPP_FACTS 3 GGML_COMMIT_BUILT)
  list(GET LLAMA_CPP_FACTS 4 LLAMA_CPP_PYTHON_BUILT)
  find_library(LLAMA_LIBRARY llama PATHS ${LLAMA_CPP_LIB} NO_DEFAULT_PATH REQUIRED NO_CACHE)
  find_library(GGML_LIBRARY ggml PATHS ${LLAMA_CPP_LIB} NO_DEFAULT_PATH REQUIRED NO_CACHE)
  find_library(GGML_BASE_LIBRARY ggml-base PATHS ${LLAMA_CPP_LIB} NO_DEFAULT_PATH REQUIRED NO_CACHE)
  target_include_directories(llamood_llama_cpp SYSTEM INTERFACE ${LLAMA_CPP_INCLUDE})
  target_link_libraries(llamood_llama_cpp INTERFACE
    ${LLAMA_LIBRARY} ${GGML_LIBRARY} ${GGML_BASE_LIBRARY})
  target_compile_definitions(llamood_llama_cpp INTERFACE
    LLAMOOD_GGML_VERSION="${GGML_VERSION_BUILT}"
    LLAMOOD_GGML_COMMIT="${GGML_COMMIT_BUILT}"
    LLAMOOD_LLAMA_CPP_PYTHON="${LLAMA_CPP_PYTHON_BUILT}")
endif()
