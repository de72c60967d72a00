# SPDX-License-Identifier: BSD-2-Clause
"""Where the other parts of ExCamera are: in the source tree, or where `make install` puts them."""
import os
import pathlib

# The source tree, or PREFIX/share/excamera, which has the same layout as far as the driver is concerned.
ROOT = pathlib.Path(__file__).resolve().parent.parent
IN_SOURCES = (ROOT / "Makefile").exists()

ENGINES = ROOT / "mk"  # has engine-NAME.mk
TOOLS = pathlib.Path(os.environ.get("XC_BIN", ROOT / "bin")).resolve() if IN_SOURCES else ROOT.parent.parent / "bin"
