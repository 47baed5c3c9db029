# The Debian package, for `deploy/package.sh` or `cpack -G DEB`: the component exporter, and all that only a package
# installs as the component package.

set(PROCEVENT_PACKAGE_CONTACT "The procevent_exporter authors <maintainers@procevent-exporter.example>"
    CACHE STRING "Who maintains the package that is built: a name and a mail address")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME procevent-exporter)
set(CPACK_PACKAGE_CONTACT "${PROCEVENT_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Prometheus exporter of the kernel's process events")
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
It listens to the Linux process-event connector and tells Prometheus who
forks, what is executed, and who dies and how: by command, with statuses,
signals, core dumps and lifetimes, also of processes that live for
milliseconds; and exactly how many of these events it missed.

The service that is installed serves on port 13675. It has the capability
CAP_NET_ADMIN and no other, and works in the host's network, PID and user
namespaces only. The program also prints events as they come, and records
and replays them.")

set(package_files ${PROJECT_BINARY_DIR}/package_files)
set(package_docs share/doc/${CPACK_PACKAGE_NAME})
configure_file(deploy/debian/changelog.in ${package_files}/changelog @ONLY)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(name conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/debian/${name})
endforeach()

# install_for_package(DESTINATION FILE...): never by `cmake --install` alone, whose prefix is not Debian's.
function(install_for_package destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT package EXCLUDE_FROM_ALL)
endfunction()

# The manual page is what this very binary tells of itself, so it and its like are made when the package is.
install(CODE "
  execute_process(COMMAND python3 -B \"${PROJECT_SOURCE_DIR}/deploy/man/man_page.py\"
                          \"$<TARGET_FILE:procevent_exporter>\"
                  COMMAND gzip -9n OUTPUT_FILE \"${package_files}/procevent_exporter.1.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"${package_files}/changelog\"
                  OUTPUT_FILE \"${package_files}/changelog.Debian.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc \"${PROJECT_SOURCE_DIR}/CHANGELOG.md\"
                  OUTPUT_FILE \"${package_files}/changelog.gz\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND sed -E -f \"${PROJECT_SOURCE_DIR}/deploy/debian/readme.sed\"
                          \"${PROJECT_SOURCE_DIR}/README.md\"
                  OUTPUT_FILE \"${package_files}/README.md\" COMMAND_ERROR_IS_FATAL ANY)
" COMPONENT package EXCLUDE_FROM_ALL)
install_for_package(share/man/man1 ${package_files}/procevent_exporter.1.gz)
install_for_package(${package_docs} ${package_files}/changelog.gz ${package_files}/changelog.Debian.gz
                    ${package_files}/README.md deploy/debian/copyright METRICS.md)
install_for_package(/lib/systemd/system deploy/systemd/procevent_exporter.service)
install_for_package(/etc/procevent_exporter deploy/procevent_exporter.yml)
install(FILES deploy/debian/default DESTINATION /etc/default RENAME procevent_exporter COMPONENT package
        EXCLUDE_FROM_ALL)
install(DIRECTORY deploy/prometheus DESTINATION share/procevent_exporter COMPONENT package EXCLUDE_FROM_ALL)
install(DIRECTORY deploy/grafana/dashboards deploy/grafana/provisioning
        DESTINATION share/procevent_exporter/grafana COMPONENT package EXCLUDE_FROM_ALL)

include(CPack)
