"""Programs in languages that are compiled before they run: source in, command out, everything else in a folder."""

import subprocess
from pathlib import Path

from tests.peers import absent, need

ROOT = Path(__file__).parents[2]
JARS = Path("/usr/share/java")
# Axis 1 and what it stands on; the last two left Java with version 11.
AXIS = ("axis", "jaxrpc", "saaj", "wsdl4j", "commons-logging", "commons-discovery", "javax.activation", "javax.mail")
ASSEMBLIES = Path("/usr/lib/mono/4.5")


def make(folder: Path, *command: str) -> None:
    """Run one step of a build in ``folder``."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def java(source: Path, folder: Path) -> list[str]:
    """Any Java program that needs no more than the JDK, or Axis 1."""
    javac = need("javac", package="default-jdk-headless")
    jars = axis_jars() if "org.apache.axis" in source.read_text(encoding="utf-8") else []
    make(folder, javac, "-cp", ":".join(map(str, [folder, *jars])), "-d", str(folder), str(source))
    # Many short lives: the first compiler is enough.
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", ":".join(map(str, [folder, *jars])), source.stem]


def axis_jars() -> list[Path]:
    jars = [JARS / f"{name}.jar" for name in AXIS]
    if missing := [jar.name for jar in jars if not jar.exists()]:
        absent(f"Axis 1 is not there, {', '.join(missing)} (Debian: apt-get install libaxis-java)")
    return jars


def csharp(source: Path, folder: Path) -> list[str]:
    """C# by Mono, with those of its libraries that the source says it uses."""
    mcs, mono = need("mcs", package="mono-mcs"), need("mono", package="mono-runtime")
    used = [
        ("System.Net.Http", "libmono-system-net-http4.0-cil"),
        ("System.Web.Services", "libmono-system-web-services4.0-cil"),
    ]
    used = [(name, package) for name, package in used if f"using {name};" in source.read_text(encoding="utf-8")]
    for name, package in used:
        if not (ASSEMBLIES / f"{name}.dll").exists():
            absent(f"Mono has no {name} (Debian: apt-get install {package})")
    program = str(folder / f"{source.stem}.exe")
    make(folder, mcs, f"-out:{program}", *(f"-r:{name}.dll" for name, _ in used), str(source))
    return [mono, program]


def pascal(source: Path, folder: Path) -> list[str]:
    """Free Pascal, with its own libraries."""
    make(folder, need("fpc", package="fp-compiler fp-units-fcl"), "-v0", f"-FE{folder}", str(source))
    return [str(folder / source.stem)]


def gsoap(source: Path, folder: Path) -> list[str]:
    """C with gSOAP, by the rpc/encoded WSDL."""
    wsdl2h, compiler = need("wsdl2h", package="gsoap"), need("cc", package="gcc libc6-dev")
    if not Path("/usr/include/stdsoap2.h").exists():
        absent("gSOAP's headers are not there (Debian: apt-get install libgsoap-dev)")
    make(folder, wsdl2h, "-c", "-o", "wconnect.h", str(ROOT / "wsdl" / "wconnect.wsdl"))
    make(folder, "soapcpp2", "-C", "-c", "-L", "wconnect.h")
    program = str(folder / source.stem)
    make(folder, compiler, "-I.", str(source), "soapC.c", "soapClient.c", "-lgsoap", "-o", program)
    return [program]
