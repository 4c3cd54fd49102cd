# What is shipped: the programs, the worker library, the man pages. `programs` builds just these.
# Each exists as soon as its source does.

add_custom_target(programs)
file(GLOB mains CONFIGURE_DEPENDS src/main/*.c)

# fay_program(NAME SOURCES...): the main of src/main, linked with LINKS...
function(fay_program name main)
    cmake_parse_arguments(P "" "" "SOURCES;LINKS" ${ARGN})
    if(NOT ${PROJECT_SOURCE_DIR}/src/main/${main} IN_LIST mains)
        return()
    endif()
    add_executable(${name} src/main/${main} ${P_SOURCES})
    target_link_libraries(${name} PRIVATE fay_flags ${P_LINKS})
    add_dependencies(programs ${name})
endfunction()

fay_program(faymora faymora.c LINKS ${FAY_ROOMS})
fay_program(faymora-sim faymora_sim.c LINKS ${FAY_ROOMS})

# The worker side: the SDK and the rooms below it, as objects, so that all of it is there for a
# module that is loaded later, not just what the program happens to call.
set(worker_objects "")
set(worker_links PkgConfig::libbsd PkgConfig::jansson PkgConfig::msgpack)
foreach(room base wire item sdk)
    file(GLOB sources CONFIGURE_DEPENDS src/${room}/*.c)
    if(sources)
        list(APPEND worker_objects $<TARGET_OBJECTS:fay_${room}>)
    endif()
endforeach()

set(worker_rooms "")
if(TARGET fay_worker)
    set(worker_rooms fay_worker)
endif()
fay_program(faymora-worker faymora_worker.c SOURCES ${worker_objects}
    LINKS ${worker_rooms} ${worker_links} ${CMAKE_DL_LIBS})
if(TARGET faymora-worker)
    # Exports fay_* to modules. Not ENABLE_EXPORTS, whose -rdynamic would export everything; and
    # what FAY_API does not mark is hidden, so only the public API matches the list.
    set(exports ${PROJECT_SOURCE_DIR}/cmake/worker-exports.list)
    target_link_options(faymora-worker PRIVATE LINKER:--dynamic-list=${exports})
    set_target_properties(faymora-worker PROPERTIES LINK_DEPENDS ${exports})
endif()

set(map ${PROJECT_SOURCE_DIR}/src/sdk/libfaymora-worker.map)
file(GLOB map_exists CONFIGURE_DEPENDS ${map})
file(GLOB sdk_exists CONFIGURE_DEPENDS src/sdk/*.c)
if(map_exists AND sdk_exists)
    add_library(worker_so SHARED ${worker_objects})
    target_link_libraries(worker_so PRIVATE fay_flags ${worker_links})
    target_link_options(worker_so PRIVATE LINKER:--version-script=${map})
    if(NOT (FAY_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL Clang)) # its runtime is in programs only
        target_link_options(worker_so PRIVATE LINKER:--no-undefined)
    endif()
    set_target_properties(worker_so PROPERTIES OUTPUT_NAME faymora-worker LINKER_LANGUAGE C
        VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${map})

    add_library(worker_a STATIC ${worker_objects}) # jansson, msgpack and libbsd stay outside
    set_target_properties(worker_a PROPERTIES OUTPUT_NAME faymora-worker LINKER_LANGUAGE C)
    add_dependencies(programs worker_so worker_a)
endif()

# docs/man/NAME.SECTION.scd -> man/NAME.SECTION
find_program(SCDOC scdoc)
file(GLOB pages CONFIGURE_DEPENDS docs/man/*.scd)
set(FAY_MAN_PAGES "")
if(SCDOC)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man)
    foreach(source IN LISTS pages)
        get_filename_component(page ${source} NAME_WLE)
        set(page ${PROJECT_BINARY_DIR}/man/${page})
        add_custom_command(OUTPUT ${page} DEPENDS ${source} VERBATIM
            COMMAND sh -c "${SCDOC} <\"$1\" >\"$2.new\" && mv \"$2.new\" \"$2\"" scdoc ${source} ${page})
        list(APPEND FAY_MAN_PAGES ${page})
    endforeach()
endif()
add_custom_target(man ALL DEPENDS ${FAY_MAN_PAGES})
add_dependencies(programs man)
