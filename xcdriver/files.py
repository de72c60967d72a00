# SPDX-License-Identifier: BSD-2-Clause
"""Files that have to survive a power cut."""
import contextlib
import errno
import hashlib
import os


def sync(path):
    """Waits until a file or directory is on the disk. Raises OSError if it cannot be written there, as some file
    systems say only now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # the file system has no such thing
            raise
    finally:
        os.close(descriptor)


def forget_pages(path):
    """Has the kernel forget what it holds of a file in memory, so that it is read from the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def replace(temporary, path):
    """Gives a temporary file, which is on the disk, its name for good."""
    os.replace(temporary, path)
    sync(os.path.dirname(path) or ".")


def digest(path):
    """What tells a file from one with other data."""
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            found.update(block)
    return found.hexdigest()
