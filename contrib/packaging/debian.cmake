# The Debian package that cpack builds from the install rules. Everything Debian wants beyond these is in stage.cmake.
set(debian ${CMAKE_CURRENT_LIST_DIR}/debian)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sesame)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Whoever builds a package for others answers for it: -DSESAME_MAINTAINER="NAME <ADDRESS>".
set(SESAME_MAINTAINER "Sesame <sesame@example.org>" CACHE STRING "Maintainer of the Debian package")
set(CPACK_PACKAGE_CONTACT ${SESAME_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "mail filter that predicts DMARC after Amazon SES")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Amazon SES signs mail again and replaces its envelope sender. Whether a message
passes DMARC at its receiver is therefore decided after it has left.
.
Sesame is a milter for Postfix and Sendmail that tells before a message leaves
what will become of it, why, and what to mend. It verifies SPF, DKIM, ARC and
DMARC of received mail, and watches the DNS records that SES depends on.")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "publicsuffix, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, logrotate, postfix | sendmail")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, postgresql, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)

# Read by stage.cmake.
set(CPACK_SESAME_SOURCE ${CMAKE_CURRENT_LIST_DIR}/../..)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
include(CPack)
