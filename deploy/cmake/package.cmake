# The Debian package, built by `deploy/package.sh` or `cpack -G DEB`. It contains the component `exporter`, and as the
# component `package` files that only a package installs.

set(PROCEVENT_PACKAGE_CONTACT "The procevent_exporter authors <maintainers@procevent-exporter.example>"
    CACHE STRING "Maintainer of the built package: a name and a mail address")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME procevent-exporter)
set(CPACK_PACKAGE_CONTACT "${PROCEVENT_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Prometheus exporter for Linux process events")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL exporter package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "\
Prometheus exporter for Linux process events: which commands fork, execute
and exit, how they exit, and how many events were missed.

It receives the events of the Linux process-event connector. It counts them
by command, with exit codes, signals, core dumps and lifetimes, also for
processes that live for milliseconds.

The service listens on port 13675. It has the capability CAP_NET_ADMIN and
no other. It works in the host's network, PID and user namespaces only. The
program also shows events live, and records and replays them.")

set(package_files ${PROJECT_BINARY_DIR}/package_files)
set(package_docs share/doc/${CPACK_PACKAGE_NAME})
configure_file(deploy/debian/changelog.in ${package_files}/changelog @ONLY)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(name conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/debian/${name})
endforeach()

# install_for_package(DESTINATION FILE...): not installed by a plain `cmake --install`, which has another prefix.
function(install_for_package destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT package EXCLUDE_FROM_ALL)
endfunction()

# The manual page contains the help of the packaged binary, so it is generated with the package, like the other files
# below.
install(CODE "
  execute_process(COMMAND python3 -B \"${PROJECT_SOURCE_DIR}/deploy/man/man_page.py\"
                          \"$<TARGET_FILE:procevent_exporter>\"
                  COMMAND gzip -9n OUTPUT_FILE \"${package_files}/procevent_exporter.1.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"${package_files}/changelog\"
                  OUTPUT_FILE \"${package_files}/changelog.Debian.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"${PROJECT_SOURCE_DIR}/CHANGELOG.md\"
                  OUTPUT_FILE \"${package_files}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE \"${package_files}/pages\")
  execute_process(COMMAND python3 -B \"${PROJECT_SOURCE_DIR}/deploy/debian/package_pages.py\" \"${PROJECT_SOURCE_DIR}\"
                          \"${package_files}/pages\" COMMAND_ERROR_IS_FATAL ANY)
" COMPONENT package EXCLUDE_FROM_ALL)
install_for_package(share/man/man1 ${package_files}/procevent_exporter.1.gz)
install_for_package(${package_docs} ${package_files}/changelog.gz ${package_files}/changelog.Debian.gz
                    deploy/debian/copyright)
install(DIRECTORY ${package_files}/pages/ DESTINATION ${package_docs} COMPONENT package EXCLUDE_FROM_ALL)
install_for_package(/lib/systemd/system deploy/systemd/procevent_exporter.service)
install_for_package(/etc/procevent_exporter deploy/procevent_exporter.yml)
install(FILES deploy/debian/default DESTINATION /etc/default RENAME procevent_exporter COMPONENT package
        EXCLUDE_FROM_ALL)
install(DIRECTORY deploy/prometheus DESTINATION share/procevent_exporter COMPONENT package EXCLUDE_FROM_ALL)
install(DIRECTORY deploy/grafana/dashboards deploy/grafana/provisioning
        DESTINATION share/procevent_exporter/grafana COMPONENT package EXCLUDE_FROM_ALL)

include(CPack)
