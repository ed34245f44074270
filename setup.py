"""Compile the catalogues of texts into the package; everything else stands in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))


class BuildWithCatalogues(build_py):
    """Ship each catalogue compiled, and not as its source. An editable install reads the sources."""

    def run(self) -> None:
        from gateway.texts import compiling

        super().run()
        if self.editable_mode:
            return
        for po in compiling.sources(Path(self.build_lib, "gateway/texts")):
            po.with_suffix(".mo").write_bytes(compiling.compiled(po))
            po.unlink()


setup(cmdclass={"build_py": BuildWithCatalogues})
