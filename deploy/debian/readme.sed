# README.md as the package has it: without the pictures, and without links to files that are in the sources alone.
/^!\[/,/^$/d
/\(METRICS\.md\)/!s/\[([^]]+)\]\([A-Za-z][^) ]*\)/\1/g
