"""Bodies of XML-RPC in every shape that clients write a call, made after what phpxmlrpc's own tests go through."""

RAMAL, TELEFONE = "3501", "4732100123"


def param(inner: str) -> str:
    return f"<param><value>{inner}</value></param>"


def body(params: str, *, declaration: str = '<?xml version="1.0"?>\n', attributes: str = "") -> str:
    """A call of ``ConsultaRamal``."""
    call = f"<methodName>ConsultaRamal</methodName><params>{params}</params>"
    return f"{declaration}<methodCall{attributes}>{call}</methodCall>"


def member(name: str, value: str) -> str:
    return f"<member><name>{name}</name><value>{value}</value></member>"


BOTH = member("ramal", RAMAL) + member("telefone", TELEFONE)
NUMBER = param(f"<string>{TELEFONE}</string>")

BY_PHP_TOO = {
    "white space": f"\n<param>\n <value>\n  <string>{RAMAL}</string>\n </value>\n</param>\n{NUMBER}\n",
    "comments and instructions": param("<!-- a -->35<!-- b -->01<?x y?>") + NUMBER,
    "CDATA": param("<string><![CDATA[35]]>0<!-- x -->1</string>") + NUMBER,
    "references to characters": param("<string>&#51;50&#x31;</string>") + NUMBER,
    "an int in lines of its own": param("<int>\n3501\n</int>") + NUMBER,
    "base64 in broken lines": param("<base64>\nMzUw\nMQ==\n</base64>") + NUMBER,
    "no param": f"<value>{RAMAL}</value>{NUMBER}",
    "no value": f"<param><string>{RAMAL}</string></param>{NUMBER}",
}
"""Parameters that mean ``RAMAL`` and ``TELEFONE``, to us and to PHP's xmlrpc extension."""
BY_US = {
    "i8 of Apache without a declaration": param(f"<ex:i8>{RAMAL}</ex:i8>") + NUMBER,
    "nil of Apache without a declaration": param(RAMAL) + NUMBER + param("<ex:nil/>"),
    "a namespace of one value": f'<param xmlns="urn:x"><value>{RAMAL}</value></param>{NUMBER}',
    "a type that nobody knows": param(f"<decimal>{RAMAL}</decimal>") + NUMBER,
    "base64 without its end": param("<base64>MzUwMQ</base64>") + NUMBER,
    "params twice": f"{param(RAMAL)}</params><params>{NUMBER}",
    "a text without value": f"<param>{RAMAL}</param>{NUMBER}",
    "value before name": param(f"<struct><member><value>{RAMAL}</value><name>ramal</name></member>{BOTH}</struct>"),
    "a name in references": param("<struct>" + BOTH.replace("ramal", "r&#97;mal") + "</struct>"),
    "a member without a name": param(f"<struct><member><value>9</value></member>{BOTH}</struct>"),
    "a member without a value": param(f"<struct>{BOTH}<member><name>id_ligacao</name></member></struct>"),
    "a nameless member beside": param(RAMAL) + NUMBER + param("<struct><member><value>9</value></member></struct>"),
}
"""The same to us; PHP's extension makes nothing of them, or something else."""
REFUSED = {
    "two values of one": (param("<string>3501</string><string>3502</string>") + NUMBER, "<value>", "<string>"),
    "a value beside a struct": (param(f"<string>x</string><struct>{BOTH}</struct>"), "<value>", "<struct>"),
    "two values in a member": (
        param(f"<struct>{BOTH.replace('</value>', '</value><value>9</value>')}</struct>"),
        "<member>",
        "<value>",
    ),
    "a struct without members": (param("<struct><ramal>3501</ramal></struct>") + NUMBER, "<struct>", "<ramal>"),
    "elements in a text": (param("<string>35<b>01</b></string>") + NUMBER, "<string>", "<b>"),
    "data twice": (param("<array><data><value>1</value></data><data/></array>") + NUMBER, "<array>", "<data>"),
    "two values in a param": (f"<param><value>1</value><value>2</value></param>{NUMBER}", "<param>", "<value>"),
    "something else in params": (f"{param(RAMAL)}<parm><value>47</value></parm>", "<params>", "<parm>"),
}
"""What has more in it than a value, and the names that the sentence says."""
