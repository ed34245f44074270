"""PHP's xmlrpc extension reads the same values out of a body as our entrance does."""

import base64
import json
import subprocess

from tests.peers import need_php
from tests.wire import xmlrpc_shapes as shapes

READER = """
while ($line = fgets(STDIN)) {
    $read = xmlrpc_decode_request(base64_decode($line), $method, 'utf-8');
    foreach ($read as &$value) { $value = strval(is_object($value) ? $value->scalar : $value); }
    echo json_encode([$method, $read]), "\n";
}
"""


def test_php_and_we_read_the_same_values() -> None:
    php = need_php("xmlrpc", package="php-xmlrpc")
    bodies = [shapes.body(params).encode() for params in shapes.BY_PHP_TOO.values()]
    lines = b"\n".join(base64.b64encode(body) for body in bodies)
    done = subprocess.run(
        [php, "-d", "error_reporting=0", "-r", READER], input=lines, capture_output=True, timeout=60, check=True
    )
    read = [json.loads(line) for line in done.stdout.splitlines()]
    expected = ["ConsultaRamal", [shapes.RAMAL, shapes.TELEFONE]]
    assert dict(zip(shapes.BY_PHP_TOO, read, strict=True)) == dict.fromkeys(shapes.BY_PHP_TOO, expected)
