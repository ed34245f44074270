"""Errors 100 to 199: what was configured, and where the data lies. Administrators read them, at a terminal."""

from gateway.errors.root import GatewayError
from gateway.texts.text import Text


class ConfigError(GatewayError):
    """The configuration cannot be used; the message names file, key, what came and what was expected."""

    code = 100
    spoken = "en"


class UnknownAdapter(ConfigError):
    """No installed adapter has this name, or several claim it."""

    code = 110

    def __init__(self, name: str, *, known: list[str], nearest: str | None, duplicates: int = 0) -> None:
        if duplicates > 1:
            text = Text("adapter {name!r} is registered {times} times", name=name, times=duplicates)
            super().__init__(text, hint=Text("Uninstall all but one of the packages that provide it."))
        else:
            text = Text("there is no adapter {name!r}; installed: {known}", name=name, known=_listed(known))
            super().__init__(text, hint=_meant(nearest))
        self.nearest = nearest


class UnknownPreset(ConfigError):
    """No preset has this name, or the one that has it is not for what is asked: that is what ``text`` says then."""

    code = 115

    def __init__(self, name: str, *, nearest: str | None = None, text: Text | None = None) -> None:
        hint = _meant(nearest) if nearest else Text("See them all with 'cti-gateway presets'.")
        super().__init__(text or Text("there is no preset {name!r}.", name=name), hint=hint)
        self.nearest = nearest


class AdapterError(ConfigError):
    """An appliance's settings do not make a request (a template names an unknown field, a WSDL does not load).

    ``place`` is the key that it is about (``login 1: url``), which the sentence begins with.
    """

    code = 120

    def __init__(self, text: Text | str, *, hint: Text | str = "", place: str = "") -> None:
        super().__init__(Text("{place}: {what}", place=place, what=text) if place else text, hint=hint)
        self.place = place


class UnknownSource(ConfigError):
    """No installed source of the directory has this name, or several claim it."""

    code = 130

    def __init__(self, name: str, *, known: list[str], nearest: str | None, duplicates: int = 0) -> None:
        if duplicates > 1:
            text = Text("source {name!r} is registered {times} times", name=name, times=duplicates)
            super().__init__(text, hint=Text("Uninstall all but one of the packages that provide it."))
        else:
            text = Text("there is no source {name!r}; installed: {known}", name=name, known=_listed(known))
            super().__init__(text, hint=_meant(nearest))
        self.nearest = nearest


class UnknownSourceKind(ConfigError):
    """No installed source of events is of this kind, or several claim it."""

    code = 135

    def __init__(self, kind: str, *, known: list[str], nearest: str | None, duplicates: int = 0) -> None:
        if duplicates > 1:
            text = Text("the kind of source {name!r} is registered {times} times", name=kind, times=duplicates)
            super().__init__(text, hint=Text("Uninstall all but one of the packages that provide it."))
        else:
            text = Text("there is no kind of source {name!r}; known: {known}.", name=kind, known=_listed(known))
            super().__init__(text, hint=_meant(nearest))
        self.nearest = nearest


class DataUnusable(ConfigError):
    """The data folder or its database cannot be used: damaged, read-only, full, held by somebody else."""

    code = 140


class DatabaseNotReached(DataUnusable):
    """The database's server does not answer, or takes nobody just now: it may come back by itself."""

    code = 142


class NewerSchema(DataUnusable):
    """The database was used by a newer version of the gateway; ``known`` is the schema of this one."""

    code = 145

    def __init__(self, path: str, found: str, *, known: str) -> None:
        super().__init__(
            Text(
                "{path} has the schema {found} of a newer version of cti-gateway; this version's is {known}.",
                path=path,
                found=found,
                known=known,
            ),
            hint=Text("Start that version again, or restore the backup that was made before the upgrade."),
        )


def _listed(known: list[str]) -> str | Text:
    return ", ".join(known) or Text("none")


def _meant(nearest: str | None) -> Text | str:
    return Text("Did you mean {name!r}?", name=nearest) if nearest else ""
