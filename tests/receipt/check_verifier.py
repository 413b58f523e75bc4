"""check_verifier.py DOCS SAMPLE: docs/verify_receipt.py against a receipt of ours, and against what it must refuse."""
import pathlib
import subprocess
import sys
import tempfile

docs = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(docs))
import verify_receipt  # noqa: E402


def refuses(receipt):
    try:
        verify_receipt.verify(receipt)
    except Exception:
        return True
    return False


def changed(receipt):
    """Everything that may happen to a receipt, each with a name."""
    for i in range(len(receipt)):
        for other in {receipt[i] ^ 1, ord("\n"), ord(" "), 0xFF} - {receipt[i]}:
            yield f"byte {i} is {other}", receipt[:i] + bytes([other]) + receipt[i + 1:]
        yield f"without byte {i}", receipt[:i] + receipt[i + 1:]
        yield f"cut off at {i}", receipt[:i]
    lines = receipt.splitlines(keepends=True)
    for i, line in enumerate(lines):
        yield f"without line {i + 1}", b"".join(lines[:i] + lines[i + 1:])
        yield f"line {i + 1} twice", b"".join(lines[:i] + [line] + lines[i:])
        for j in range(i):
            swapped = list(lines)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield f"lines {j + 1} and {i + 1} swapped", b"".join(swapped)


def run(receipt):
    with tempfile.NamedTemporaryFile() as file:
        file.write(receipt)
        file.flush()
        return subprocess.run([sys.executable, docs / "verify_receipt.py", file.name], capture_output=True, text=True)


sample = subprocess.run([sys.argv[2]], stdout=subprocess.PIPE, check=True).stdout
shown = [line for line in (docs / "audit.md").read_bytes().splitlines(keepends=True) if line.startswith(b"{")]
for name, receipt in {"the receipt of the sample": sample, "the receipt in audit.md": b"".join(shown)}.items():
    header = verify_receipt.verify(receipt)
    assert header["stream"] == "BUG-1" and header["count"] == receipt.count(b"\n") - 2, name
    accepted = [what for what, other in changed(receipt) if not refuses(other)]
    assert not accepted, f"{name} is accepted with: {accepted}"
    print(f"{name}: {sum(1 for _ in changed(receipt))} changed ones are refused")

good, bad = run(sample), run(sample.replace(b"mia", b"eve"))
assert good.returncode == 0 and good.stdout.startswith("sound: BUG-1"), good
assert bad.returncode != 0 and bad.stderr.startswith("broken: ") and "Traceback" not in bad.stderr, bad
lines = (docs / "verify_receipt.py").read_text().count("\n")
assert lines <= 40, f"the verifier is to stay under 40 lines: it has {lines}"
