# SPDX-License-Identifier: BSD-2-Clause
"""What ./excamera, gen_makefile.py and the programs of bench/ have in common.

This file checks the version of Python before any other module of the package is parsed. So that an old Python gets as
far as the check, this file and the scripts that import the package must not use newer syntax, such as f-strings."""
import os
import sys


def need_python(*version):
    """Ends the program if Python is older than this version."""
    if sys.version_info < version:
        sys.exit("%s: Python %d.%d or newer is needed; this is Python %d.%d" % (
            (os.path.basename(sys.argv[0]),) + version + tuple(sys.version_info[:2])))


need_python(3, 8)
