# Makes of the tree that cpack is about to pack what Debian Policy asks for: compressed pages and changelogs, the
# copyright, no comments of the compiler. Run by cpack.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(source ${CPACK_SESAME_SOURCE})
set(doc ${root}/usr/share/doc/sesame)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# -n: without name and time, so that the same input makes the same package.
file(GLOB_RECURSE pages ${root}/usr/share/man/*.[0-9])
file(COPY_FILE ${source}/CHANGELOG.md ${doc}/changelog)
file(COPY_FILE ${source}/contrib/packaging/debian/changelog ${doc}/changelog.Debian)
file(COPY_FILE ${source}/contrib/packaging/debian/copyright ${doc}/copyright)
file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
file(COPY_FILE ${source}/contrib/packaging/debian/lintian-overrides ${root}/usr/share/lintian/overrides/sesame)
run(gzip -9nf ${pages} ${doc}/changelog ${doc}/changelog.Debian)

file(GLOB programs ${root}/usr/bin/* ${root}/usr/sbin/*)
foreach(program ${programs})
  run(strip --remove-section=.comment --remove-section=.note ${program})
endforeach()

# Modes do not depend on the umask of who builds.
run(chmod -R u=rwX,go=rX ${root}/usr ${root}/etc)
