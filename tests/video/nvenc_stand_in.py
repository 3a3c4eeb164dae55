"""An ffmpeg that answers for h264_nvenc, which no test machine has: it encodes with x264 what it is asked to.

`python nvenc_stand_in.py REAL_FFMPEG CALLS FAILS ARGUMENTS…` writes every encoder it is asked for to
the file CALLS. FAILS says where h264_nvenc breaks: never, probe, hangs, midway, or garbled.
"""

import subprocess
import sys
import time
from pathlib import Path

NVENC = "h264_nvenc"


def main(real: str, calls: str, fails: str, *arguments: str) -> int:
    is_probe = "lavfi" in arguments
    asked = next((name for name in (NVENC, "libx264") if name in arguments), None)
    if asked:
        with Path(calls).open("a") as file:
            file.write(f"{'probe' if is_probe else asked}\n")
    if asked != NVENC:
        return subprocess.call([real, *arguments])
    if is_probe:
        time.sleep(60 if fails == "hangs" else 0)
        return int(fails == "probe")
    if fails == "midway":
        sys.stdin.buffer.read(100_000)
        print("OpenEncodeSessionEx failed: out of memory (10)", file=sys.stderr)
        return 1
    if fails == "garbled":
        sys.stdin.buffer.read()
        Path(arguments[-1].removeprefix("file:")).write_bytes(b"no video")
        return 0
    begin, end = arguments.index("-c:v"), arguments.index("-vf")
    return subprocess.call([real, *arguments[:begin], "-c:v", "libx264", *arguments[end:]])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
