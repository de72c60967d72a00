# SPDX-License-Identifier: BSD-2-Clause
"""excamera report: a page about a film, made from what a run has kept or from the film alone."""
