#!/usr/bin/env python3
"""Writes the seeds of name_fuzz and proc_fuzz: make_proc_corpora.py [FOLDER].

The seeds are in the repository. Run this script again after a change of a format.
"""
import pathlib
import sys

REST = b" 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 1382940 8454144 1312 18446744073709551615 0 0\n"
STATUS = b"Name:\tbash\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n"

# A name, or a name, NUL, the expression of a rule, NUL, its replacement.
NAMES = {
    "empty": b"",
    "plain": b"bash",
    "kworker": b"kworker/3:1H-kb",
    "characters": "é€🐧".encode(),
    "cut_character": b"\xc3\xc3\xa9caf\xe2\x82",
    "overlong": b"\xc0\xaf\xe0\x9f\xbf\xf0\x8f\xbf\xbd",
    "surrogate": b"\xed\xa0\x80\xed\xbf\xbf",
    "beyond_unicode": b"\xf4\x90\x80\x80",
    "controls": b"\x01\n\t\x1b[31m\x7f\xc2\x85\xc2\x9f",
    "bidi": "a\u202eb\u2066".encode(),
    "zero_width": "a\u200bb\ufeff".encode(),
    "noncharacters": "\ufdd0\uffff\U0001ffff".encode(),
    "quotes": b'"\\\'`$(){}',
    "all_ff": b"\xff" * 15,
    "long": b"kworker/u8:1-events_unbound",
    "reserved": b"[groups beyond the limit]",
    "rule": b"python3.11\0(python)\\d.*\0\\1",
    "rule_to_reserved": b"groups\0(.*)\0[\\1 beyond the limit]",
    "rule_to_empty": b"x\0x(.*)\0\\1",
    "rule_long": b"0123456789abcde\0(.*)\0\\1\\1\\1\\1\\1\\1",
    "rule_of_bytes": b"a\xff\0a\\C*\0any",
    "rule_wrong": b"a\0a(\0x",
    "rule_wrong_name": b"a\0a\0\\7",
    "rule_too_large": b"a\0(\\pL{30}){30}\0x",
    "rule_slow": b"aaaaaaaaaaaaaaa\0(a*)*(a*)*(a*)*b\0x",
}
TEXTS = {
    "empty": b"",
    "comm": b"bash\n",
    "comm_of_lines": b"a\n\n",
    "stat": b"9 (bash) S" + REST,
    "stat_brackets": b"9 (a) Z 1 (b) S" + REST,
    "stat_newline": b"9 (a\nb) S" + REST,
    "stat_zombie": b"9 (bash) Z" + REST.replace(b" 3 0 1382940", b" 1 0 1382940"),
    "stat_no_threads": b"9 (bash) X" + REST.replace(b" 3 0 1382940", b" 0 0 1382940"),
    "stat_huge": b"9 (bash) S" + REST.replace(b" 3 0 1382940", b" 4294967296 0 18446744073709551616"),
    "stat_negative": b"9 (bash) S" + REST.replace(b" 3 0 1382940", b" -3 0 -1"),
    "stat_cut": (b"9 (bash) S" + REST)[:40],
    "stat_brackets_crossed": b"9 )bash( S" + REST,
    "status": STATUS,
    "status_without_gid": STATUS.replace(b"Gid:", b"Gxd:"),
    "status_huge": STATUS.replace(b"\t2\t", b"\t4294967296\t"),
    "status_cut": STATUS[: STATUS.index(b"\t2") + 1],
    "name_that_lies": b"a\nUid:\t7\t7",
    "name_like_the_rest": b"a) Z 1 1 1 1 (",
}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus")
    for corpus, seeds in (("name", NAMES), ("proc", TEXTS)):
        (folder / corpus).mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (folder / corpus / name).write_bytes(data)


if __name__ == "__main__":
    main()
