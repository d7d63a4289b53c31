# Run by the target raftlab_version_write in every build; writes OUTPUT from TEMPLATE when it would differ.

set(VERSION_COMMIT "unknown")

# A checkout. The directory is named as safe because a container often builds as another user than the owner of
# the files. A source archive that was unpacked inside somebody else's repository is not a checkout of ours.
find_program(GIT git)
if(GIT AND EXISTS "${SOURCE_DIR}/.git")
  set(git "${GIT}" -c "safe.directory=${SOURCE_DIR}" -C "${SOURCE_DIR}")
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD RESULT_VARIABLE failed OUTPUT_VARIABLE commit
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(VERSION_COMMIT "${commit}")
    execute_process(COMMAND ${git} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      string(APPEND VERSION_COMMIT "+")
    endif()
  endif()
elseif(EXISTS "${SOURCE_DIR}/.git_archival.txt")
  # A source archive: git has put the commit in place of the format string.
  file(READ "${SOURCE_DIR}/.git_archival.txt" archival)
  if(archival MATCHES "commit: ([0-9a-f]+)")
    string(SUBSTRING "${CMAKE_MATCH_1}" 0 12 VERSION_COMMIT)
  endif()
endif()

if(VERSION_SANITIZE)
  string(APPEND VERSION_BUILD_TYPE ", ${VERSION_SANITIZE}")
endif()

# configure_file leaves the output alone when its content stays the same.
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
