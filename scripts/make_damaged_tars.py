#!/usr/bin/env python3
"""Writes the tars of tests/data/tar: good ones made by other programs, and damaged ones.

Every member of the plain archives takes 1024 bytes (header and data, 512 each), so offsets are easy
to check by eye: member i begins at byte 1024 * i. Deterministic. Needs GNU tar for sparse.tar, and
the packages webdataset (webdataset.tar) and pyarrow (good.tar.zst); files whose maker is missing
are left as they are.
"""

import gzip
import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "tar"
END = bytes(1024)
FOUR_PAIRS = [(f"{i:04d}.{ext}", f"{ext} {i} ".encode() * 40) for i in range(4) for ext in ("jpg", "txt")]


def header(name, size=0, **fields):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.uid, info.gid = size, 1_600_000_000, 1000, 1001
    info.uname, info.gname, info.mode = "maker", "makers", 0o640
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def member(info, data=b"", fmt=tarfile.USTAR_FORMAT, encoding="utf-8"):
    padding = -len(data) % 512
    return info.tobuf(fmt, encoding, "surrogateescape") + data + bytes(padding)


def files(pairs, fmt=tarfile.USTAR_FORMAT):
    return b"".join(member(header(name, len(data)), data, fmt) for name, data in pairs)


def patched(block, offset, value):
    """A header block with other bytes at `offset` and its checksum set right again."""
    block = bytearray(block)
    block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


def damaged():
    good = files(FOUR_PAIRS)
    flipped = bytearray(good)
    flipped[4096 + 10] ^= 1
    first_flipped = bytearray(good)
    first_flipped[3] ^= 1
    padded = good + bytes(-(len(good) + 1024) % 10240) + END
    bad_size = lambda value: patched(member(header("bad.jpg")), 124, value)
    pax = header("x", 10**9, type=tarfile.XHDTYPE)
    return {
        "good.tar": good + END,
        "empty.tar": END,
        "cut_at_member.tar": good[:4096],
        "cut_in_header.tar": good[: 4096 + 300],
        "cut_in_data.tar": good[: 4096 + 512 + 100],
        "cut_in_end_marker.tar": good + bytes(512),
        "flipped_header.tar": bytes(flipped) + END,
        "flipped_first_header.tar": bytes(first_flipped) + END,
        "zeros_inserted.tar": good[:4096] + bytes(1024) + good[4096:] + END,
        "zeros_over_member.tar": good[:4096] + bytes(1024) + good[5120:] + END,
        "zeros_over_data_and_header.tar": good[:4608] + bytes(1024) + good[5632:] + END,
        "joined.tar": padded + padded,
        # -1 in base 256, and a size of 2^62
        "negative_size.tar": bad_size(b"\xff" * 12) + good + END,
        # GNU's size of a sparse file, -1, of one that is none
        "negative_real_size.tar": patched(member(header("bad.jpg"), b"", tarfile.GNU_FORMAT), 483, b"\xff" * 12) + good + END,
        "huge_size.tar": bad_size(b"\x80" + (2**62).to_bytes(11, "big")) + END,
        "pax_bomb.tar": member(pax) + good + END,
    }


def hostile():
    names = ["/etc/passwd.txt", "../up.txt", "a\nb.txt", "sm\udcf8rbr\udcf8d.txt", "\u732b.txt",
             "d/" * 60 + "x" * 300 + ".txt", "p" * 120 + "/" + "n" * 90 + ".txt"]
    gnu = b"".join(member(header(n, 3), b"abc", tarfile.GNU_FORMAT) for n in names)
    pax = b"".join(member(header(n, 3, mtime=1_600_000_000.25), b"abc", tarfile.PAX_FORMAT) for n in names)
    special = b"".join([
        member(header("folder", type=tarfile.DIRTYPE, mode=0o755)),
        member(header("folder/a.txt", 3), b"abc"),
        member(header("soft", type=tarfile.SYMTYPE, linkname="../../etc/passwd")),
        member(header("hard", type=tarfile.LNKTYPE, linkname="folder/a.txt")),
        member(header("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
        member(header("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=1)),
        member(header("fifo", type=tarfile.FIFOTYPE)),
        member(header("folder/b.txt", 3), b"def"),
    ])
    return {"names_gnu.tar": gnu + END, "names_pax.tar": pax + END, "special.tar": special + END}


def compressed(good):
    whole = gzip.compress(good, mtime=0)
    flipped = bytearray(whole)
    flipped[-8] ^= 1  # CRC-32
    bomb = files([("zeros.txt", bytes(8 << 20))]) + END
    result = {"good.tar.gz": whole, "cut.tar.gz": whole[: len(whole) // 2],
              "bad_crc.tar.gz": bytes(flipped), "bomb.tar.gz": gzip.compress(bomb, mtime=0)}
    try:
        import pyarrow

        result["good.tar.zst"] = pyarrow.Codec("zstd").compress(good, asbytes=True)
        result["cut.tar.zst"] = result["good.tar.zst"][:200]
    except ImportError:
        print("no pyarrow: *.tar.zst left as they are", file=sys.stderr)
    return result


def sparse():
    if shutil.which("tar") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "hole.txt")
        with open(path, "wb") as file:
            file.write(b"begin")
            file.seek(100_000)
            file.write(b"end")
        command = ["tar", "-b1", "-S", "--format=gnu", "--mtime=@1600000000", "--owner=maker:1000",
                   "--group=makers:1001", "--mode=0640", "-C", folder, "-cf", "-", "hole.txt"]
        return {"sparse.tar": subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout}


def made_by_webdataset():
    try:
        import webdataset
    except ImportError:
        print("no webdataset: webdataset.tar left as it is", file=sys.stderr)
        return {}
    stream = io.BytesIO()
    with webdataset.TarWriter(stream, encoder=False, mtime=1_600_000_000.123456) as writer:
        for i in range(3):
            writer.write({"__key__": f"{i:09d}", "jpg": b"\xff\xd8 %d" % i, "txt": b"caption %d" % i,
                          "json": b'{"caption": "caption %d"}' % i})
    return {"webdataset.tar": stream.getvalue()}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tars = damaged() | hostile() | sparse() | made_by_webdataset()
    for name, data in (tars | compressed(tars["good.tar"])).items():
        (OUT / name).write_bytes(data)


if __name__ == "__main__":
    main()
