# `cmake --install` (or `make install`): whatever exists by now.

include(GNUInstallDirs)

foreach(program faymora faymora-sim faymora-worker)
    if(TARGET ${program})
        install(TARGETS ${program}) # side by side: they look for each other there first
    endif()
endforeach()
if(TARGET worker_so)
    install(TARGETS worker_so worker_a)
    # Relative to itself, so that the tree may be installed anywhere (--prefix, DESTDIR).
    file(RELATIVE_PATH FAY_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
        ${CMAKE_INSTALL_FULL_INCLUDEDIR})
    configure_file(packaging/faymora-worker.pc.in faymora-worker.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/faymora-worker.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
foreach(page IN LISTS FAY_MAN_PAGES)
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES packaging/completion/faymora.bash OPTIONAL RENAME faymora
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
