# A static library fay_ROOM for each directory src/ROOM that exists, linked by the table rooms.txt.
# A room without a .c file is headers only; one that does not exist yet is left out everywhere.
# Sets FAY_ROOMS, the list of these libraries.

find_package(PkgConfig REQUIRED)
foreach(library libbsd libuv yaml-0.1 jansson msgpack libcrypto libssl)
    pkg_check_modules(${library} REQUIRED QUIET IMPORTED_TARGET ${library})
endforeach()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/rooms.txt)
file(STRINGS cmake/rooms.txt table REGEX "^[a-z]+ *:")
set(FAY_ROOMS "")
foreach(line IN LISTS table)
    string(REGEX MATCH "^([a-z]+) *:([^:]*):([^:]*)$" line "${line}")
    set(room ${CMAKE_MATCH_1})
    separate_arguments(rooms UNIX_COMMAND "${CMAKE_MATCH_2}")
    separate_arguments(libraries UNIX_COMMAND "${CMAKE_MATCH_3}")
    file(GLOB headers CONFIGURE_DEPENDS src/${room}/*.h)
    file(GLOB sources CONFIGURE_DEPENDS src/${room}/*.c)
    if(NOT headers AND NOT sources)
        continue()
    endif()

    set(scope PUBLIC)
    if(sources)
        add_library(fay_${room} STATIC ${sources})
    else()
        add_library(fay_${room} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_link_libraries(fay_${room} ${scope} fay_flags)
    list(TRANSFORM libraries REPLACE "^(..+)$" "PkgConfig::\\1") # `m` is no package
    target_link_libraries(fay_${room} ${scope} ${libraries})
    set(depends_${room} ${rooms})
    list(APPEND FAY_ROOMS fay_${room})
endforeach()

# Second pass: only now is it known which rooms exist.
foreach(library IN LISTS FAY_ROOMS)
    string(REPLACE fay_ "" room ${library})
    get_target_property(type ${library} TYPE)
    foreach(other IN LISTS depends_${room})
        if(TARGET fay_${other} AND type STREQUAL INTERFACE_LIBRARY)
            target_link_libraries(${library} INTERFACE fay_${other})
        elseif(TARGET fay_${other})
            target_link_libraries(${library} PUBLIC fay_${other})
        endif()
    endforeach()
endforeach()
