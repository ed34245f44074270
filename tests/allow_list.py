"""A contract for import-linter: which modules a package may import at all."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Found = list[tuple[str, str, int | None]]


class AllowListContract(Contract):
    """Imports of ``source_modules`` that are neither their own nor in ``allowed_modules`` break it.

    With ``any_external`` only imports of the root packages count. Names stand for packages with all they hold.
    """

    type_name = "allow_list"

    source_modules = fields.ListField(subfield=fields.StringField())
    allowed_modules = fields.ListField(subfield=fields.StringField())
    any_external = fields.BooleanField(required=False, default=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Return what the sources import and may not."""
        found = [
            (importer, imported, *self._lines(graph, importer, imported))
            for importer in sorted(graph.modules)
            if _within(importer, self.source_modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._is_allowed(graph, imported)
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that is not allowed."""
        for importer, imported, line in check.metadata["found"]:
            output.print_error(f"{importer} imports {imported} (l.{line}), which is not in its list.", bold=False)

    def _is_allowed(self, graph: ImportGraph, imported: str) -> bool:
        if _within(imported, [*self.source_modules, *self.allowed_modules]):
            return True
        return bool(self.any_external) and graph.is_module_squashed(imported)

    @staticmethod
    def _lines(graph: ImportGraph, importer: str, imported: str) -> tuple[int | None]:
        details = graph.get_import_details(importer=importer, imported=imported)
        return (details[0]["line_number"] if details else None,)


def _within(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
