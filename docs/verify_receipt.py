#!/usr/bin/env python3
"""verify_receipt.py FILE: check an audit receipt of openindex, offline. The format is described in audit.md."""
import hashlib
import json
import sys


def verify(receipt):
    """Return the header of a sound receipt, given as bytes; raise an exception that says what is wrong with another."""
    lines = receipt.split(b"\n")
    if len(lines) < 3 or lines[-1]:
        raise ValueError("the receipt is cut off")
    first, entries, last = lines[0], lines[1:-2], lines[-2]
    header = json.loads(first.decode("utf-8"))
    if header["format"] != "openindex-audit-receipt" or header["version"] != 1:
        raise ValueError("line 1 is not the header of a receipt of version 1")
    previous = ""
    for number, line in enumerate(entries, 1):
        entry = json.loads(line.decode("utf-8"))
        if entry["number"] != number:
            raise ValueError(f"line {number + 1} is not entry {number}")
        if entry.get("previous", "") != previous:
            raise ValueError(f"entry {number - 1} or {number} was changed")
        previous = hashlib.sha256(line).hexdigest()
    if header["count"] != len(entries) or header["head"] != previous:
        raise ValueError("the header or the last entry was changed")
    digest = hashlib.sha256(receipt[:-len(last) - 1]).hexdigest()
    if last != first[:-1] + b',"sha256":"' + digest.encode() + b'"}':
        raise ValueError("the header or the last line was changed")
    return header


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        try:
            print("sound: {stream}, {count} entries, head {head}".format(**verify(file.read())))
        except Exception as error:
            sys.exit(f"broken: {type(error).__name__}: {error}")
