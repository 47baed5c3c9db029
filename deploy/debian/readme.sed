# Makes the package's README.md: removes pictures, and links to files that only the sources have.
/^!\[/,/^$/d
/\(docs\/metrics\.md\)/!s/\[([^]]+)\]\([A-Za-z][^) ]*\)/\1/g
