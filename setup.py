"""Packages are found, not listed; the presets of configs/ are one of them, as vidrestore.configs."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["vidrestore", "vidrestore.*"]), "vidrestore.configs"])
