# cmake -DBINARY_DIR=... -DSTAGE=... -P stage.cmake: install, then move what was installed to STAGE.
file(REMOVE_RECURSE "${STAGE}" "${STAGE} before the move")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${STAGE} before the move"
                COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${STAGE} before the move" "${STAGE}")
