# SPDX-License-Identifier: BSD-2-Clause
"""The latency model: how long it takes to encode a film, by scheduling the graph of steps. docs/notes/latency.md
explains it and names the source of each number."""
