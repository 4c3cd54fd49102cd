# Suites are ctest labels: style, unit, simulation, integration. Files are found, not listed.
# COST orders them under `ctest -j`: cheap suites first, integration scripts by name.

pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka) # absent on a machine that only builds

# Scripts get the programs, and the compiler with the flags this build's library needs.
set(cflags "")
if(FAY_SANITIZE)
    set(cflags -fsanitize=${FAY_SANITIZE})
endif()
set(environment
    FAYMORA=${PROJECT_BINARY_DIR}/faymora
    FAYMORA_SIM=${PROJECT_BINARY_DIR}/faymora-sim
    FAYMORA_BUILD=${PROJECT_BINARY_DIR}
    FAYMORA_SOURCE=${PROJECT_SOURCE_DIR}
    CC=${CMAKE_C_COMPILER}
    CFLAGS=${cflags}
    PYTHONDONTWRITEBYTECODE=1
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1)

# fay_add_test(LABEL NAME TIMEOUT COST COMMAND...)
function(fay_add_test label name timeout cost)
    add_test(NAME ${label}/${name} COMMAND ${ARGN})
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} COST ${cost}
        SKIP_RETURN_CODE 77 ENVIRONMENT "${environment}")
endfunction()

# ---- style --------------------------------------------------------------------------------------
fay_add_test(style format 60 9003 ${PROJECT_SOURCE_DIR}/tools/check-format)
fay_add_test(style layers 60 9002 ${PROJECT_SOURCE_DIR}/tools/check-layers)
fay_add_test(style size 60 9001 ${PROJECT_SOURCE_DIR}/tools/check-size)
fay_add_test(style lint 1000 9000 ${PROJECT_SOURCE_DIR}/tools/lint)
set_tests_properties(style/lint PROPERTIES RUN_SERIAL ON)

# ---- unit, simulation: C against the rooms --------------------------------------------------------
file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
set(test_links fay_flags ${FAY_ROOMS})
if(support AND cmocka_FOUND)
    add_library(fay_test_support STATIC ${support})
    target_include_directories(fay_test_support PUBLIC tests)
    target_link_libraries(fay_test_support PUBLIC ${test_links} PkgConfig::cmocka)
    list(PREPEND test_links fay_test_support)
endif()

function(fay_add_c_tests suite timeout cost)
    file(GLOB sources CONFIGURE_DEPENDS tests/${suite}/test_*.c)
    if(sources AND NOT cmocka_FOUND)
        message(STATUS "no cmocka: tests/${suite}/*.c are not built")
        return()
    endif()
    foreach(source IN LISTS sources)
        get_filename_component(test ${source} NAME_WE)
        string(REPLACE test_ "" name ${test})
        add_executable(${test} ${source})
        target_include_directories(${test} PRIVATE tests)
        target_link_libraries(${test} PRIVATE ${test_links} PkgConfig::cmocka)
        fay_add_test(${suite} ${name} ${timeout} ${cost} ${test})
    endforeach()
endfunction()
fay_add_c_tests(unit 60 3000)
fay_add_c_tests(simulation 300 2000)

# ---- fuzz: libFuzzer in its own build, elsewhere a replay of the corpus as a unit test ------------
add_custom_target(fuzzers)
file(GLOB sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source IN LISTS sources)
    get_filename_component(target ${source} NAME_WE)
    string(REPLACE fuzz_ "" name ${target})
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE fay_flags ${FAY_ROOMS})
    add_dependencies(fuzzers ${target})
    if(FAY_FUZZ)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${target} PRIVATE tests/fuzz/replay_main.c)
        fay_add_test(unit fuzz-${name} 60 2500 ${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    endif()
endforeach()

# ---- simulation, integration: scripts -------------------------------------------------------------
# They run beside each other unless one says `# serial: REASON` (it measures time, say).
function(fay_add_scripts suite pattern timeout cost)
    file(GLOB scripts CONFIGURE_DEPENDS tests/${suite}/${pattern}.py tests/${suite}/${pattern}.sh)
    list(SORT scripts COMPARE NATURAL)
    foreach(script IN LISTS scripts)
        get_filename_component(name ${script} NAME_WLE)
        if(script MATCHES "py$")
            fay_add_test(${suite} ${name} ${timeout} ${cost} python3 ${script})
        else()
            fay_add_test(${suite} ${name} ${timeout} ${cost} bash ${script})
        endif()
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script}) # the mark may change
        file(STRINGS ${script} serial REGEX "^# *serial:" LIMIT_COUNT 1)
        if(serial)
            set_tests_properties(${suite}/${name} PROPERTIES RUN_SERIAL ON)
        endif()
        math(EXPR cost "${cost} - 1")
    endforeach()
endfunction()
fay_add_scripts(simulation "[a-z0-9]*" 300 1999)
fay_add_scripts(integration "[0-9]*" 300 999)
