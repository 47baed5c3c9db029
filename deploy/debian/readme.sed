# Makes the package's README.md: removes pictures, and links to files that only the sources have.
/^!\[/,/^$/d
/\(METRICS\.md\)/!s/\[([^]]+)\]\([A-Za-z][^) ]*\)/\1/g
