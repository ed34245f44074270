"""Where the address of a source says which one it is."""

PREFIX = "/in/"


def split(path: str) -> tuple[str, str]:
    """Return the source's name in ``/in/NAME/TAIL``, in small letters, and the tail."""
    name, _, tail = path.removeprefix(PREFIX).partition("/")
    return name.lower(), tail
