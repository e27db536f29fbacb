# evs_embed_scripts(OUT FOLDER): generates a C file with every script below FOLDER and puts its path
# into OUT. The folder is the list: a new script needs no row.
function(evs_embed_scripts out folder)
    set(generated ${PROJECT_BINARY_DIR}/shipped_scripts.c)
    file(GLOB_RECURSE scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.lua)
    add_custom_command(
        OUTPUT ${generated}
        COMMAND
            ${CMAKE_COMMAND} -DFOLDER=${PROJECT_SOURCE_DIR}/${folder} -DOUT=${generated} -P
            ${PROJECT_SOURCE_DIR}/cmake/embed_scripts.cmake
        DEPENDS ${scripts} ${PROJECT_SOURCE_DIR}/cmake/embed_scripts.cmake
        VERBATIM)
    set(${out} ${generated} PARENT_SCOPE)
endfunction()
